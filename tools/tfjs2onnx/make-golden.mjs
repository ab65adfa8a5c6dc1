// Makes golden-nanodet.json: values of the decoded NanoDet output as TensorFlow.js computes them from
// the original graph. Independent of the converter: see README.md for how to run it.
//
//   node make-golden.mjs FOLDER_WITH_TFJS nanodet.json > golden-nanodet.json

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

import { SIDE, testPicture } from './test-picture.mjs';

const CLASSES = 80;
const BINS = 11;
const MEAN_BGR = [103.53, 116.28, 123.675];
const STD_BGR = [57.375, 57.12, 58.395];

const [tfjsFolder, modelPath] = process.argv.slice(2);
const require = createRequire(`${resolve(tfjsFolder)}/`);
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const { loadGraphModel } = require('@tensorflow/tfjs-converter');

function modelFiles() {
  const json = JSON.parse(readFileSync(modelPath, 'utf8'));
  const bytes = readFileSync(modelPath.replace(/json$/, 'bin'));
  return {
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: json.weightsManifest[0].weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  };
}

function normalisedBgr(rgb) {
  const plane = SIDE * SIDE;
  const bgr = new Float32Array(rgb.length);
  for (let c = 0; c < 3; c += 1) {
    for (let k = 0; k < plane; k += 1) {
      bgr[c * plane + k] = (rgb[(2 - c) * plane + k] * 255 - MEAN_BGR[c]) / STD_BGR[c];
    }
  }
  return bgr;
}

/** The expected distance of one side: sum of bin x softmax. */
function distance(logits) {
  const powers = logits.map(Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.reduce((sum, power, bin) => sum + (bin * power) / total, 0);
}

function decodeCell(sides, scores, cell, stride) {
  const across = SIDE / stride;
  const x = ((cell % across) + 0.5) * stride;
  const y = (Math.floor(cell / across) + 0.5) * stride;
  const [left, top, right, bottom] = [0, 1, 2, 3].map((side) =>
    stride * distance(Array.from(sides.slice((cell * 4 + side) * BINS, (cell * 4 + side + 1) * BINS))));
  return [
    x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom,
    ...scores.slice(cell * CLASSES, (cell + 1) * CLASSES),
  ];
}

await tf.setBackend('cpu');
await tf.ready();
const model = await loadGraphModel({ load: async () => modelFiles() });
const input = tf.tensor(normalisedBgr(testPicture()), [1, 3, SIDE, SIDE]);
const outputs = ['Identity', 'Identity_1', 'Identity_2', 'Identity_3', 'Identity_4', 'Identity_5'];
const raw = model.execute({ input_1: input }, outputs).map((tensor) => tensor.dataSync());

const columns = [];
[8, 16, 32].forEach((stride, level) => {
  for (let cell = 0; cell < (SIDE / stride) ** 2; cell += 1) {
    columns.push(decodeCell(raw[level + 3], raw[level], cell, stride));
  }
});

/** Every 89th cell, each with its box and its best class; and what the whole sums up to. */
const best = (column) => column.indexOf(Math.max(...column.slice(4)), 4);
const values = [];
for (let cell = 0; cell < columns.length; cell += 89) {
  for (const row of [0, 1, 2, 3, best(columns[cell])]) values.push([row, cell, columns[cell][row]]);
}
const sum = (of) => columns.reduce((total, column) => total + of(column).reduce((a, b) => a + b, 0), 0);
console.log(JSON.stringify({
  madeBy: `make-golden.mjs, TensorFlow.js ${tf.version_core}, backend ${tf.getBackend()}`,
  columns: columns.length,
  sumOfBoxes: sum((column) => column.slice(0, 4)),
  sumOfScores: sum((column) => column.slice(4)),
  values: values.map(([row, column, value]) => [row, column, Number(value.toPrecision(7))]),
}).replace(/\],\[/g, '],\n['));
