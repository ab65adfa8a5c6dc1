/* The button that records the view, and shows that it is recorded and for how long. */
import type { Recording } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { icon } from '../../ui/icons';
import { recordLabel, setRecording, videoAddress } from '../../ui/recording';
import { formatDuration } from '../../ui/time';

interface Telling {
  /** A sentence, and where what it speaks of can be had. */
  say(text: string, link?: { href: string; text: string }): void;
}

export class RecordButton {
  readonly element: HTMLButtonElement;
  readonly #time = h('span', { class: 'time', 'data-testid': 'record-time' });
  #recording: Recording | undefined;
  #wanted: boolean | null = null; // asked for, and not seen in what the server says yet

  constructor(readonly node: string, readonly page: Telling) {
    this.element = h('button', { type: 'button', class: 'tool record', 'data-testid': 'record', 'aria-pressed': 'false', click: () => void this.toggle() }, icon('record'), this.#time);
    this.#show();
  }

  async toggle(): Promise<void> {
    const on = !(this.#wanted ?? this.#recording?.by_hand ?? false);
    const name = this.#recording?.state === 'recording' ? this.#recording.name : '';
    this.#wanted = on;
    this.#show();
    const refusal = await setRecording(this.node, on);
    if (refusal !== '') {
      this.#wanted = null;
      this.#show();
      this.page.say(refusal);
    } else if (!on && name !== '') {
      this.page.say(`Recorded ${formatDuration(this.#recording?.seconds ?? 0)}.`, { href: videoAddress(name), text: 'Save the video' });
    }
  }

  /** What the server says now. */
  update(recording: Recording | undefined): void {
    this.#recording = recording;
    if (recording?.by_hand === this.#wanted) this.#wanted = null;
    this.#show();
  }

  #show(): void {
    const recording = this.#recording, runs = recording?.state === 'recording';
    const pressed = this.#wanted ?? recording?.by_hand ?? false;
    const label = recordLabel(recording === undefined ? undefined : { ...recording, by_hand: pressed });
    setData(this.element, 'state', recording?.state ?? 'off');
    this.element.setAttribute('aria-pressed', String(pressed));
    this.element.setAttribute('aria-label', `${label} (R)`);
    this.element.title = recording?.error !== undefined && recording.error !== '' ? recording.error : `${label} (R)`;
    setText(this.#time, runs ? formatDuration(recording.seconds) : '');
  }
}
