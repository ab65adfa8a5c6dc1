/* What a newcomer sees before anything runs: three ways to start, ready to copy. */
import { h } from '../../ui/dom';
import { icon, logo } from '../../ui/icons';

const WAYS: readonly { readonly what: string; readonly command: string }[] = [
  { what: 'See it work: the example on real footage', command: './run' },
  { what: 'A camera or file of your own', command: 'overwatch run --source rtsp://camera/stream --model model.onnx' },
  { what: 'A workflow file', command: 'overwatch run workflow.json' },
];

function commandRow(what: string, command: string): HTMLElement {
  const copy = h('button', { type: 'button', class: 'tool', 'aria-label': `Copy “${command}”`, title: 'Copy' }, icon('copy'));
  copy.addEventListener('click', () => {
    navigator.clipboard
      ?.writeText(command)
      .then(() => copy.replaceChildren(icon('done')))
      .catch(() => undefined);
  });
  return h('li', {}, h('span', {}, what), h('div', { class: 'command' }, h('code', { tabindex: '0' }, command), copy));
}

export function emptyState(): HTMLElement {
  return h(
    'div',
    { class: 'empty', 'data-testid': 'empty' },
    logo(),
    h('h2', {}, 'No view is running'),
    h('p', {}, 'Start one in the ', h('a', { class: 'link', href: '/' }, 'workflow builder'), ', or from a terminal; it appears here by itself.'),
    h('ul', {}, ...WAYS.map(({ what, command }) => commandRow(what, command))),
  );
}
