/* /login: one field. Says what is wrong, counts a wait down, and goes where the browser wanted to. */
import { h, setText } from '../../ui/dom';
import { logo } from '../../ui/icons';
import { themeSwitch } from '../../ui/theme';
import { outcomeOf, waitText, type Outcome } from './outcome';

export class LoginPage {
  readonly element: HTMLElement;
  readonly #field = h('input', { id: 'password', name: 'password', type: 'password', autocomplete: 'current-password', required: true, 'aria-describedby': 'trouble' });
  readonly #button = h('button', { type: 'submit', class: 'button primary' }, 'Log in');
  readonly #trouble = h('p', { id: 'trouble', class: 'trouble', role: 'alert' });
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    const form = h('form', { submit: (event) => void this.#submit(event) },
      h('h1', {}, logo(), 'Overwatch', h('span', { class: 'mark' }, 'X-RAY')),
      h('label', { for: 'password' }, 'Password or token'),
      this.#field, this.#trouble, this.#button,
      h('p', { class: 'hint' }, 'A server that was given no password printed a token at its first start. ',
        'It is kept in the file ', h('code', {}, 'token'), ' of its data folder.'));
    this.element = h('div', { id: 'app' }, h('header', {}, themeSwitch()), h('main', {}, form));
  }

  start(): void {
    this.#field.focus();
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.#button.disabled) return;
    this.#button.disabled = true;
    this.#show(await this.#ask());
  }

  async #ask(): Promise<Outcome> {
    const next = new URLSearchParams(location.search).get('next') ?? '/';
    try {
      const response = await fetch('/api/login', {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ password: this.#field.value, next }),
      });
      return outcomeOf(response.status, response.headers.get('retry-after'), await response.json().catch(() => null));
    } catch {
      return { kind: 'wrong', text: 'The server does not answer. Try again in a moment.' };
    }
  }

  #show(outcome: Outcome): void {
    if (outcome.kind === 'welcome') {
      location.replace(outcome.next);
      return;
    }
    if (outcome.kind === 'wait') {
      this.#countDown(outcome.seconds);
      return;
    }
    this.#button.disabled = false;
    setText(this.#trouble, outcome.text);
    this.#field.select();
  }

  /* Said once to who listens; who looks sees it count. */
  #countDown(seconds: number): void {
    const end = performance.now() + seconds * 1000;
    const left = h('span', { 'aria-hidden': 'true' });
    this.#trouble.replaceChildren(h('span', { class: 'heard' }, waitText(seconds)), left);
    const tick = () => {
      const rest = Math.ceil((end - performance.now()) / 1000);
      if (rest > 0) {
        setText(left, waitText(rest));
        return;
      }
      clearInterval(this.#timer);
      setText(this.#trouble, '');
      this.#button.disabled = false;
    };
    tick();
    this.#timer = setInterval(tick, 250);
  }
}
