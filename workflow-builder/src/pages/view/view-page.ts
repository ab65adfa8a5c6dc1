/* /view/{node_id}: bar, picture, figures. */
import { STATE_LABELS } from '../../player/element-dom';
import type { OverwatchView } from '../../player/overwatch-view';
import type { TransportChoice } from '../../player/session-machine';
import { h, setData, setText } from '../../ui/dom';
import { icon, logo } from '../../ui/icons';
import { pageTools } from '../../ui/page-tools';
import { chooseTransport, chosenTransport, transportOfAddress } from '../../ui/transport-choice';
import { troubleOf } from '../../ui/view-health';
import { RecordButton } from './record-button';
import { StatsStrip } from './stats-strip';

const CHOICES: readonly { value: TransportChoice; label: string }[] = [
  { value: 'auto', label: 'Auto' },
  { value: 'webrtc', label: 'WebRTC' },
  { value: 'websocket', label: 'WebSocket' },
];
const TOAST_MS = 2_500;
const LINK_TOAST_MS = 10_000;

export class ViewPage {
  readonly element: HTMLElement;
  readonly #player: OverwatchView;
  readonly #strip: StatsStrip;
  readonly #record: RecordButton;
  readonly #title = h('h1', { 'data-testid': 'view-name' });
  readonly #subtitle = h('span', { class: 'subtitle' });
  readonly #state = h('div', { class: 'state', role: 'status', 'data-testid': 'view-state' });
  readonly #stateLabel = h('span', { class: 'label' });
  readonly #stateReason = h('span', { class: 'why', 'data-testid': 'view-reason' });
  readonly #choices = new Map<TransportChoice, HTMLButtonElement>();
  readonly #trouble = h('p', { class: 'trouble', role: 'status', hidden: true, 'data-testid': 'view-trouble' });
  readonly #legend = h('button', { type: 'button', class: 'tool', 'aria-label': 'Legend (L)', title: 'Legend (L)', 'aria-pressed': 'false', hidden: true, 'data-testid': 'legend', click: () => this.#toggleLegend() }, icon('legend'));
  readonly #plain = h('button', { type: 'button', class: 'tool', 'aria-label': 'Save the picture without overlay (Shift+S)', title: 'Save the picture without overlay (Shift+S)', hidden: true, 'data-testid': 'snapshot-plain', click: () => void this.#snapshot(false) }, icon('plain'));
  readonly #toast = h('div', { class: 'toast', role: 'status', hidden: true });
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly node: string) {
    this.#player = h('overwatch-view', { node, 'data-testid': 'player' });
    this.#strip = new StatsStrip(() => this.#player.budget);
    this.#record = new RecordButton(node, { say: (text, link) => this.#say(text, link) });
    this.#player.transport = transportOfAddress(location.search) ?? chosenTransport(node) ?? 'auto';
    this.#state.append(h('span', { class: 'dot' }), this.#stateLabel, this.#stateReason);
    this.element = h('div', { id: 'app' }, this.#bar(), this.#trouble, h('main', { class: 'picture' }, this.#player, this.#toast), this.#strip.element);
    this.#player.addEventListener('statechange', () => this.#showState());
    this.#player.addEventListener('stats', () => this.#showStats());
    document.addEventListener('keydown', (event) => this.#key(event));
    setText(this.#title, node);
    document.title = `${node} · Overwatch X-RAY`;
    this.#showChoice();
    this.#showState();
    this.#strip.show(this.#player.stats, null);
  }

  #bar(): HTMLElement {
    const segments = h('div', { class: 'segments', role: 'group', 'aria-label': 'Transport' });
    for (const { value, label } of CHOICES) {
      const button = h('button', { type: 'button', 'data-testid': `transport-${value}`, title: `Transport: ${label} (T changes)`, click: () => this.#choose(value) }, label);
      this.#choices.set(value, button);
      segments.append(button);
    }
    return h(
      'header',
      { class: 'bar' },
      h('a', { class: 'home', href: '/wall', 'aria-label': 'All views' }, icon('back'), logo()),
      h('div', { class: 'names' }, this.#title, this.#subtitle),
      this.#state,
      h(
        'div',
        { class: 'tools' },
        segments,
        this.#legend,
        this.#record.element,
        h('button', { type: 'button', class: 'tool', 'aria-label': 'Save a snapshot (S)', title: 'Save a snapshot (S)', 'data-testid': 'snapshot', click: () => void this.#snapshot(true) }, icon('snapshot')),
        this.#plain,
        h('button', { type: 'button', class: 'tool', 'aria-label': 'Full screen (F)', title: 'Full screen (F)', 'data-testid': 'fullscreen', click: () => void this.#player.toggleFullscreen() }, icon('fullscreen')),
      ),
      pageTools(),
    );
  }

  #showState(): void {
    const { state, reason } = this.#player;
    setData(this.#state, 'state', state);
    setData(this.#state, 'detour', String(state === 'connected' && reason !== ''));
    setText(this.#stateLabel, STATE_LABELS[state]);
    setText(this.#stateReason, reason);
    this.#stateReason.title = reason;
  }

  #showStats(): void {
    const { stats, view } = this.#player;
    this.#strip.show(stats, view);
    this.#player.wantsDetails = this.#strip.isOpen;
    this.#legend.hidden = !this.#player.overlayShows;
    this.#legend.setAttribute('aria-pressed', String(this.#player.hasAttribute('overlay-legend')));
    this.#plain.hidden = view === null || view.model_id === '';
    this.#record.update(view?.recording);
    const trouble = view === null ? '' : troubleOf(view);
    setText(this.#trouble, trouble);
    this.#trouble.hidden = trouble === '';
    const name = view?.label !== undefined && view.label !== '' ? view.label : this.node;
    setText(this.#title, name);
    const workflow = view?.workflow_name ?? view?.workflow_id ?? '';
    setText(this.#subtitle, [name === this.node ? '' : this.node, workflow].filter((part) => part !== '').join(' · '));
    if (!document.title.startsWith(name)) document.title = `${name} · Overwatch X-RAY`;
  }

  #choose(choice: TransportChoice): void {
    this.#player.transport = choice;
    chooseTransport(this.node, choice);
    const url = new URL(location.href);
    if (choice === 'auto') url.searchParams.delete('transport');
    else url.searchParams.set('transport', choice);
    history.replaceState(null, '', url);
    this.#showChoice();
  }

  #showChoice(): void {
    for (const [value, button] of this.#choices) button.setAttribute('aria-pressed', String(value === this.#player.transport));
  }

  #toggleLegend(): void {
    if (this.#legend.hidden) return;
    this.#legend.setAttribute('aria-pressed', String(this.#player.toggleAttribute('overlay-legend')));
  }

  async #snapshot(overlay: boolean): Promise<void> {
    this.#say((await this.#player.downloadSnapshot({ overlay })) ? 'Snapshot saved.' : 'There is no picture to save yet.');
  }

  #say(text: string, link?: { href: string; text: string }): void {
    this.#toast.replaceChildren(text, ...(link === undefined ? [] : [' ', h('a', { href: link.href, download: true }, link.text)]));
    this.#toast.hidden = false;
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => (this.#toast.hidden = true), link === undefined ? TOAST_MS : LINK_TOAST_MS);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    switch (event.key.toLowerCase()) {
      case 'f':
        void this.#player.toggleFullscreen();
        break;
      case 'r':
        void this.#record.toggle();
        break;
      case 's':
        void this.#snapshot(!event.shiftKey);
        break;
      case 'l':
        this.#toggleLegend();
        break;
      case 't': {
        const at = CHOICES.findIndex(({ value }) => value === this.#player.transport);
        const next = CHOICES[(at + 1) % CHOICES.length] ?? CHOICES[0];
        if (next !== undefined) {
          this.#choose(next.value);
          this.#say(`Transport: ${next.label}`);
        }
        break;
      }
      case 'i':
        this.#strip.toggle();
        break;
      case 'escape':
        this.#strip.toggle(false);
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}
