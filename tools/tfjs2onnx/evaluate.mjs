// Computes an OnnxGraph, slowly and plainly, after the ONNX operator definitions: for the tests, so
// that they judge the numbers of a conversion and not its text. Knows what the converter writes.

import { around, attribute, combine, integers, map, tensor } from './evaluate-basics.mjs';
import { PLACE_OPERATORS } from './evaluate-places.mjs';
import { sizeOf, transposeData } from './value.mjs';

/** Calls visit(channel, output index, input index, kernel index) for each cell a window covers. */
function eachWindowCell(x, node, outHeight, outWidth, visit) {
  const [, channels, height, width] = x.shape;
  const [kernelHeight, kernelWidth] = attribute(node, 'kernel_shape');
  const [strideY, strideX] = attribute(node, 'strides', [1, 1]);
  const [dilationY, dilationX] = attribute(node, 'dilations', [1, 1]);
  const [top, left] = attribute(node, 'pads', [0, 0, 0, 0]);
  for (let c = 0; c < channels; c += 1) {
    for (let ky = 0; ky < kernelHeight; ky += 1) {
      for (let kx = 0; kx < kernelWidth; kx += 1) {
        for (let y = 0; y < outHeight; y += 1) {
          const fromY = y * strideY - top + ky * dilationY;
          if (fromY < 0 || fromY >= height) continue;
          for (let col = 0; col < outWidth; col += 1) {
            const fromX = col * strideX - left + kx * dilationX;
            if (fromX < 0 || fromX >= width) continue;
            visit(c, y * outWidth + col, (c * height + fromY) * width + fromX, ky * kernelWidth + kx);
          }
        }
      }
    }
  }
}

function windowSize(x, node) {
  const pads = attribute(node, 'pads', [0, 0, 0, 0]);
  const strides = attribute(node, 'strides', [1, 1]);
  const dilations = attribute(node, 'dilations', [1, 1]);
  return attribute(node, 'kernel_shape').map((kernel, k) =>
    Math.floor((x.shape[k + 2] + pads[k] + pads[k + 2] - (kernel - 1) * dilations[k] - 1) / strides[k]) + 1);
}

function conv([x, weights, bias], node) {
  const [outHeight, outWidth] = windowSize(x, node);
  const [count, depth] = weights.shape;
  const perGroup = count / attribute(node, 'group', 1);
  const cells = outHeight * outWidth;
  const window = sizeOf(weights.shape.slice(2));
  const out = tensor([1, count, outHeight, outWidth]);
  if (bias) bias.data.forEach((value, o) => out.data.fill(value, o * cells, (o + 1) * cells));
  eachWindowCell(x, node, outHeight, outWidth, (c, to, from, kernel) => {
    const first = Math.floor(c / depth) * perGroup;
    for (let o = first; o < first + perGroup; o += 1) {
      out.data[o * cells + to] += x.data[from] * weights.data[(o * depth + (c % depth)) * window + kernel];
    }
  });
  return out;
}

function maxPool([x], node) {
  const [outHeight, outWidth] = windowSize(x, node);
  const out = tensor([1, x.shape[1], outHeight, outWidth]);
  out.data.fill(-Infinity);
  eachWindowCell(x, node, outHeight, outWidth, (c, to, from) => {
    const at = c * outHeight * outWidth + to;
    out.data[at] = Math.max(out.data[at], x.data[from]);
  });
  return out;
}

/** Padded cells are not counted. */
function averagePool([x], node) {
  const [outHeight, outWidth] = windowSize(x, node);
  const out = tensor([1, x.shape[1], outHeight, outWidth]);
  const counts = new Float32Array(out.data.length);
  eachWindowCell(x, node, outHeight, outWidth, (c, to, from) => {
    out.data[c * outHeight * outWidth + to] += x.data[from];
    counts[c * outHeight * outWidth + to] += 1;
  });
  out.data.forEach((sum, k) => { out.data[k] = sum / counts[k]; });
  return out;
}

/** Each input cell adds its window to the output. Weights: in, out, height, width. */
function convTranspose([x, weights], node) {
  const [, channels, height, width] = x.shape;
  const [, count, kernelHeight, kernelWidth] = weights.shape;
  const [strideY, strideX] = attribute(node, 'strides', [1, 1]);
  const [top, left, bottom, right] = attribute(node, 'pads', [0, 0, 0, 0]);
  const outHeight = (height - 1) * strideY + kernelHeight - top - bottom;
  const outWidth = (width - 1) * strideX + kernelWidth - left - right;
  const out = tensor([1, count, outHeight, outWidth]);
  for (let k = 0; k < x.data.length * count * kernelHeight * kernelWidth; k += 1) {
    const kx = k % kernelWidth;
    const ky = Math.floor(k / kernelWidth) % kernelHeight;
    const o = Math.floor(k / (kernelWidth * kernelHeight)) % count;
    const from = Math.floor(k / (kernelWidth * kernelHeight * count));
    const toX = (from % width) * strideX + kx - left;
    const toY = (Math.floor(from / width) % height) * strideY + ky - top;
    const c = Math.floor(from / (width * height)) % channels;
    if (toX < 0 || toX >= outWidth || toY < 0 || toY >= outHeight) continue;
    out.data[(o * outHeight + toY) * outWidth + toX] +=
      x.data[from] * weights.data[((c * count + o) * kernelHeight + ky) * kernelWidth + kx];
  }
  return out;
}

function pad([x, pads, fill]) {
  const rank = x.shape.length;
  const sides = integers(pads);
  const shape = x.shape.map((side, k) => side + sides[k] + sides[k + rank]);
  const out = tensor(shape);
  out.data.fill(fill.data[0]);
  for (let k = 0; k < x.data.length; k += 1) {
    let to = 0;
    for (let axis = rank - 1, rest = k, stride = 1; axis >= 0; axis -= 1) {
      to += ((rest % x.shape[axis]) + sides[axis]) * stride;
      stride *= shape[axis];
      rest = Math.floor(rest / x.shape[axis]);
    }
    out.data[to] = x.data[k];
  }
  return out;
}

function concat(inputs, node) {
  const axis = attribute(node, 'axis');
  const shape = [...inputs[0].shape];
  shape[axis] = inputs.reduce((sum, x) => sum + x.shape[axis], 0);
  const [outer, , inner] = around(shape, axis);
  const out = tensor(shape, new inputs[0].data.constructor(sizeOf(shape)));
  let to = 0;
  for (let o = 0; o < outer; o += 1) {
    for (const x of inputs) {
      const run = x.shape[axis] * inner;
      out.data.set(x.data.subarray(o * run, (o + 1) * run), to);
      to += run;
    }
  }
  return out;
}

function split([x, sizes], node) {
  const axis = attribute(node, 'axis');
  const [outer, side, inner] = around(x.shape, axis);
  let start = 0;
  return integers(sizes).map((size) => {
    const shape = [...x.shape];
    shape[axis] = size;
    const out = tensor(shape, new x.data.constructor(sizeOf(shape)));
    for (let o = 0; o < outer; o += 1) {
      const from = (o * side + start) * inner;
      out.data.set(x.data.subarray(from, from + size * inner), o * size * inner);
    }
    start += size;
    return out;
  });
}

function softmax([x], node) {
  const [outer, side, inner] = around(x.shape, attribute(node, 'axis'));
  const out = tensor(x.shape);
  for (let o = 0; o < outer; o += 1) {
    for (let k = 0; k < inner; k += 1) {
      const at = (s) => (o * side + s) * inner + k;
      const powers = Array.from({ length: side }, (_, s) => Math.exp(x.data[at(s)]));
      const total = powers.reduce((sum, power) => sum + power, 0);
      powers.forEach((power, s) => { out.data[at(s)] = power / total; });
    }
  }
  return out;
}

/** A matrix times a matrix, or times a batch of one. */
function matMul([a, b]) {
  const [rows, depth] = a.shape;
  const columns = b.shape.at(-1);
  const out = tensor(b.shape.length === 3 ? [1, rows, columns] : [rows, columns]);
  for (let r = 0; r < rows; r += 1) {
    for (let d = 0; d < depth; d += 1) {
      for (let c = 0; c < columns; c += 1) out.data[r * columns + c] += a.data[r * depth + d] * b.data[d * columns + c];
    }
  }
  return out;
}

const SOURCE_POSITION = {
  half_pixel: (to, from, size) => ((to + 0.5) * from) / size - 0.5,
  asymmetric: (to, from, size) => (to * from) / size,
  align_corners: (to, from, size) => (size === 1 ? 0 : (to * (from - 1)) / (size - 1)),
};

function resize([x, , , sizes], node) {
  const [, channels, height, width] = x.shape;
  const [outHeight, outWidth] = integers(sizes).slice(2);
  const position = SOURCE_POSITION[attribute(node, 'coordinate_transformation_mode')];
  const tap = (to, from, size) => {
    const at = Math.min(Math.max(position(to, from, size), 0), from - 1);
    const low = Math.floor(at);
    return [low, Math.min(low + 1, from - 1), at - low];
  };
  const out = tensor([1, channels, outHeight, outWidth]);
  for (let c = 0; c < channels; c += 1) {
    for (let y = 0; y < outHeight; y += 1) {
      const [y0, y1, fy] = tap(y, height, outHeight);
      for (let col = 0; col < outWidth; col += 1) {
        const [x0, x1, fx] = tap(col, width, outWidth);
        const at = (row, column) => x.data[(c * height + row) * width + column];
        const upper = at(y0, x0) * (1 - fx) + at(y0, x1) * fx;
        const lower = at(y1, x0) * (1 - fx) + at(y1, x1) * fx;
        out.data[(c * outHeight + y) * outWidth + col] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return out;
}

function transpose([x], node) {
  const { data, shape } = transposeData(x.data, x.shape, attribute(node, 'perm'));
  return tensor(shape, data);
}

const OPERATORS = {
  ...PLACE_OPERATORS,
  Add: combine((a, b) => a + b),
  AveragePool: averagePool,
  Clip: ([x, low, high]) => tensor(x.shape, x.data.map((value) => Math.min(Math.max(value, low.data[0]), high.data[0]))),
  Concat: concat,
  Conv: conv,
  ConvTranspose: convTranspose,
  Identity: ([x]) => x,
  LeakyRelu: map((value, node) => (value < 0 ? attribute(node, 'alpha', 0.01) * value : value)),
  MatMul: matMul,
  MaxPool: maxPool,
  Mul: combine((a, b) => a * b),
  Pad: pad,
  Relu: map((value) => Math.max(0, value)),
  Reshape: ([x, shape]) => tensor(integers(shape), x.data),
  Resize: resize,
  Sigmoid: map((value) => 1 / (1 + Math.exp(-value))),
  Softmax: softmax,
  Split: split,
  Sub: combine((a, b) => a - b),
  Transpose: transpose,
};

/** All tensors of the graph by name, from { inputName: { shape, data } }. */
export function evaluate(graph, inputs) {
  const values = new Map([...graph.initializers, ...Object.entries(inputs)]);
  for (const [name, { shape, data }] of graph.initializers) {
    // Whole numbers as such: their division has no remainder.
    if (data instanceof BigInt64Array) values.set(name, tensor(shape, Int32Array.from(data, Number)));
  }
  for (const node of graph.nodes) {
    const operator = OPERATORS[node.opType];
    if (!operator) throw new Error(`${node.opType} is not known to the evaluation`);
    const result = operator(node.inputs.map((name) => values.get(name)), node);
    const list = Array.isArray(result) ? result : [result];
    node.outputs.forEach((name, k) => values.set(name, list[k]));
  }
  return values;
}
