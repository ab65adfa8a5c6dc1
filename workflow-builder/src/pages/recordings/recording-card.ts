/* A recording in the list: a picture, what it is of, and what can be done with it. */
import { h, setData, setText } from '../../ui/dom';
import { icon } from '../../ui/icons';
import { videoAddress } from '../../ui/recording';
import { dayLabel, formatDuration } from '../../ui/time';
import { dayOf, factsOf, timeOf, titleOf, type RecordingInfo } from './recording-list';

export interface CardActions {
  open(name: string): void;
  remove(name: string): void;
}

export class RecordingCard {
  readonly element: HTMLLIElement;
  readonly canvas = h('canvas', { width: '16', height: '9', 'aria-hidden': 'true' });
  readonly #open: HTMLButtonElement;
  readonly #said = h('span', { class: 'said' });
  readonly #length = h('span', { class: 'length' });
  readonly #title = h('p', { class: 'title' });
  readonly #facts = h('p', { class: 'facts' });
  readonly #trouble = h('p', { class: 'trouble' });
  readonly #save: HTMLAnchorElement;
  readonly #remove: HTMLButtonElement;

  constructor(recording: RecordingInfo, actions: CardActions) {
    const { name } = recording;
    this.#open = h('button', { type: 'button', class: 'open', click: () => actions.open(name) },
      this.#said, this.canvas, h('span', { class: 'live' }, h('i', {}), 'Recording'), h('span', { class: 'play' }, icon('play')), this.#length);
    this.#save = h('a', { class: 'tool', href: videoAddress(name), download: true, title: 'Save the video' }, icon('download'));
    this.#remove = h('button', { type: 'button', class: 'tool', title: 'Delete', 'data-testid': 'delete', click: () => actions.remove(name) }, icon('trash'));
    this.element = h('li', { class: 'card', 'data-testid': 'recording', 'data-name': name },
      this.#open,
      h('div', { class: 'caption' }, h('div', { class: 'words' }, this.#title, this.#facts), h('div', { class: 'card-tools' }, this.#save, this.#remove)),
      this.#trouble);
    this.show(recording);
  }

  show(recording: RecordingInfo): void {
    const title = titleOf(recording), time = timeOf(recording), length = formatDuration(recording.seconds);
    setData(this.element, 'live', String(recording.recording));
    setText(this.#title, title);
    setText(this.#facts, factsOf(recording));
    this.#facts.title = recording.workflow_name;
    setText(this.#length, length);
    setText(this.#trouble, recording.reason);
    setText(this.#said, `Play ${title}, ${dayLabel(dayOf(recording), new Date())} ${time}`);
    this.#save.setAttribute('aria-label', `Save the video of ${title}, ${time}`);
    this.#remove.setAttribute('aria-label', `Delete ${title}, ${time}`);
    this.#remove.hidden = recording.recording;
  }

  focus(): void {
    this.#open.focus();
  }
}
