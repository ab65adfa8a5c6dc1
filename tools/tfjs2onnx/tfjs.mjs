// Reads a TensorFlow.js graph model: the .json with the topology and the weight files it names.

import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const BYTES_PER_ELEMENT = { float32: 4, int32: 4, float16: 2 };

/** IEEE 754 half precision to a number. */
export function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** { nodes, inputs: [name], outputs: [name], weights: Map name -> { shape, dtype, data } } */
export function readGraphModel(path) {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  if (!json.modelTopology?.node || !json.weightsManifest) {
    throw new Error(`${path} is not a TensorFlow.js graph model: it lacks modelTopology.node or weightsManifest`);
  }
  const weights = new Map();
  for (const group of json.weightsManifest) {
    // Only names inside the model's own folder are followed.
    const files = group.paths.map((file) => readFileSync(join(dirname(path), basename(file))));
    readWeights(group.weights, Buffer.concat(files), weights);
  }
  const nodes = json.modelTopology.node;
  const names = (of) => Object.entries(of ?? {}).map(([key, { name }]) => (name ?? key).replace(/:0$/, ''));
  return {
    nodes,
    inputs: nodes.filter((node) => node.op === 'Placeholder').map((node) => node.name),
    outputs: names((json.signature ?? json.userDefinedMetadata?.signature)?.outputs),
    weights,
  };
}

function readWeights(entries, bytes, weights) {
  let offset = 0;
  for (const { name, shape, dtype, quantization } of entries) {
    const stored = quantization?.dtype ?? dtype;
    const size = BYTES_PER_ELEMENT[stored];
    if (!size || (quantization && stored !== 'float16')) {
      throw new Error(`weight ${name}: ${stored} is not supported; supported are float32, int32 and float16`);
    }
    const count = shape.reduce((product, side) => product * side, 1);
    if (offset + count * size > bytes.length) throw new Error(`weight ${name} reaches past the end of the weight files`);
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, count * size);
    weights.set(name, { shape, dtype, data: decode(view, stored, count) });
    offset += count * size;
  }
}

function decode(view, stored, count) {
  const data = stored === 'int32' ? new Int32Array(count) : new Float32Array(count);
  for (let k = 0; k < count; k += 1) {
    if (stored === 'int32') data[k] = view.getInt32(k * 4, true);
    else if (stored === 'float32') data[k] = view.getFloat32(k * 4, true);
    else data[k] = halfToNumber(view.getUint16(k * 2, true));
  }
  return data;
}

/** A node's attribute, or `fallback` when it has none. Strings come base64-coded in the file. */
export function attribute(node, name, fallback) {
  const value = node.attr?.[name];
  if (value === undefined) return fallback;
  if (value.s !== undefined) return Buffer.from(value.s, 'base64').toString('utf8');
  if (value.f !== undefined) return value.f;
  if (value.i !== undefined) return Number(value.i);
  if (value.b !== undefined) return value.b;
  if (value.list?.s !== undefined) return value.list.s.map((text) => Buffer.from(text, 'base64').toString('utf8'));
  if (value.list !== undefined) return (value.list.i ?? []).map(Number);
  if (value.type !== undefined) return value.type;
  return fallback;
}
