/* What is said where there is nothing to list: how a view is recorded, or why nothing is kept. */
import { h } from '../../ui/dom';
import { icon, logo } from '../../ui/icons';

const link = (href: string, text: string): HTMLElement => h('a', { class: 'link', href }, text);

function how(): HTMLElement {
  return h('ul', {},
    h('li', {}, icon('record'), h('p', {}, 'By hand: open a view on the ', link('/wall', 'wall'), ' and press ', h('kbd', {}, 'R'), ', or its record button.')),
    h('li', {}, icon('builder'), h('p', {}, 'By itself: put a ', h('strong', {}, 'Recorder'), ' behind a model or a zone in the ', link('/', 'workflow builder'), '. It records around events, while something is seen, or always.')));
}

/** `kept`: may recordings be kept on this server? */
export function emptyState(kept: boolean): HTMLElement {
  return h('div', { class: 'empty', 'data-testid': 'empty' },
    logo(),
    h('h2', {}, kept ? 'Nothing has been recorded yet' : 'Nothing is kept on this server'),
    kept
      ? h('p', {}, 'What is recorded appears here, while it is recorded already.')
      : h('p', {}, 'It has no folder for recordings. Start it with ', h('code', {}, '--data-folder'), ' or ', h('code', {}, '--recordings-folder'), ', and with ', h('code', {}, '--max-recordings-mb'), ' above 0.'),
    kept ? how() : null);
}
