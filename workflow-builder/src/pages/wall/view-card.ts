/* One running view: a small live picture and its figures. */
import type { BinaryFrame } from '../../player/binary-frame';
import { JpegSurface } from '../../player/jpeg-surface';
import type { ViewInfo } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { formatCount, formatFps, formatSize, NONE } from '../../ui/format';
import { LIVENESS_LABELS, livenessOf, troubleOf } from '../../ui/view-health';

export class ViewCard {
  readonly element: HTMLAnchorElement;
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #surface = new JpegSurface<null>(this.#canvas, () => setData(this.element, 'picture', 'true'));
  readonly #name = h('h3', {});
  readonly #origin = h('p', { class: 'origin' });
  readonly #liveness = h('span', { class: 'liveness' });
  readonly #trouble = h('p', { class: 'trouble', hidden: true });
  readonly #figures = { fps: h('dd', {}), size: h('dd', {}), detections: h('dd', {}), model: h('dd', {}) };

  constructor(nodeId: string) {
    const figure = (label: string, value: HTMLElement) => h('div', {}, h('dt', {}, label), value);
    this.element = h(
      'a',
      { class: 'card', href: `/view/${encodeURIComponent(nodeId)}`, 'data-testid': `card-${nodeId}`, 'data-picture': 'false' },
      h('div', { class: 'thumbnail' }, this.#canvas, this.#liveness),
      h(
        'div',
        { class: 'about' },
        this.#name,
        this.#origin,
        this.#trouble,
        h(
          'dl',
          {},
          figure('FPS', this.#figures.fps),
          figure('Size', this.#figures.size),
          figure('Objects', this.#figures.detections),
          figure('Model', this.#figures.model),
        ),
      ),
    );
    setText(this.#name, nodeId);
  }

  picture(frame: BinaryFrame): void {
    this.#surface.show(frame.jpeg, null);
  }

  show(view: ViewInfo): void {
    const liveness = livenessOf(view);
    setData(this.element, 'liveness', liveness);
    setText(this.#liveness, LIVENESS_LABELS[liveness]);
    setText(this.#name, view.label || view.node_id);
    setText(this.#origin, [view.source_id, view.model_id].filter(Boolean).join(' → ') || view.workflow_id || '');
    const trouble = troubleOf(view);
    setText(this.#trouble, trouble);
    this.#trouble.hidden = trouble === '';
    this.#trouble.title = trouble;
    setText(this.#figures.fps, formatFps(view.fps));
    setText(this.#figures.size, formatSize(view.width, view.height));
    setText(this.#figures.detections, view.model_id === '' ? NONE : formatCount(view.detections));
    const modelFps = formatFps(view.model_fps);
    setText(this.#figures.model, view.model_id === '' || modelFps === NONE ? NONE : `${modelFps} fps`);
  }
}
