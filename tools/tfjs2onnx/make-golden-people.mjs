// Makes golden-people.json: what TensorFlow.js computes from the models of people.mjs, as published,
// on the test picture. Independent of the converter: see README.md for how to run it.
//
//   node make-golden-people.mjs FOLDER_WITH_TFJS FOLDER_WITH_MODELS > golden-people.json

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

import { scaledPicture } from './test-picture.mjs';

const MODELS = {
  'movenet-multipose': { height: 256, width: 256, bytes: true },
  'movenet-lightning': { height: 192, width: 192, bytes: true },
  selfie: { height: 256, width: 256 },
  meet: { height: 144, width: 256 },
};

const [tfjsFolder, modelFolder] = process.argv.slice(2);
const require = createRequire(`${resolve(tfjsFolder)}/`);
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const { loadGraphModel } = require('@tensorflow/tfjs-converter');

function modelFiles(name) {
  const json = JSON.parse(readFileSync(join(modelFolder, `${name}.json`), 'utf8'));
  const bytes = readFileSync(join(modelFolder, `${name}.bin`));
  return {
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: json.weightsManifest[0].weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  };
}

/** Cell after cell, as these models want it. */
function picture({ height, width, bytes }) {
  const planes = scaledPicture(width, height);
  const cells = width * height;
  const data = Array.from({ length: 3 * cells }, (_, k) => planes[(k % 3) * cells + Math.floor(k / 3)]);
  return tf.tensor(bytes ? data.map((value) => Math.round(value * 255)) : data, [1, height, width, 3], bytes ? 'int32' : 'float32');
}

await tf.setBackend('cpu');
await tf.ready();
/** Values of [1,H,W,C] in the order of [1,C,H,W], which the converted maps have. */
function channelsFirst(data, [, height, width, channels]) {
  const cells = height * width;
  return Float32Array.from(data, (_, k) => data[(k % cells) * channels + Math.floor(k / cells)]);
}

/** All of few; of many every 509th and the largest, which are where something is seen. */
function chosen(data) {
  const all = Array.from(data.keys());
  if (all.length < 1000) return all;
  const largest = [...all].sort((a, b) => data[b] - data[a]).slice(0, 50);
  return [...all.filter((k) => k % 509 === 0), ...largest];
}

const golden = { madeBy: `make-golden-people.mjs, TensorFlow.js ${tf.version_core}, backend ${tf.getBackend()}` };
for (const [name, options] of Object.entries(MODELS)) {
  const model = await loadGraphModel({ load: async () => modelFiles(name) });
  const output = model.execute(picture(options));
  const isMap = !options.bytes;
  const data = isMap ? channelsFirst(output.dataSync(), output.shape) : output.dataSync();
  const [, height, width, channels] = output.shape;
  golden[name] = {
    input: [1, 3, options.height, options.width],
    shape: isMap ? [1, channels, height, width] : output.shape,
    sum: data.reduce((total, value) => total + value, 0),
    tolerance: name === 'meet' ? 1e-3 : 1e-4, // the others give probabilities and shares of the picture
    values: chosen(data).map((k) => [k, Number(data[k].toPrecision(7))]),
  };
}
console.log(JSON.stringify(golden).replace(/("[a-z-]+":\{)/g, '\n$1'));
