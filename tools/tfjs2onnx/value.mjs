// What a TensorFlow tensor has become in the ONNX graph.
//
// TensorFlow computes convolutions on NHWC, ONNX on NCHW. Instead of a Transpose around every
// operation, a value remembers how its ONNX tensor's axes are to be read: axis k of the TensorFlow
// tensor is axis perm[k] of the ONNX tensor. A Transpose in the source then only changes `perm`,
// and one is written only where an operation wants another order than the tensor has.

export const identity = (rank) => Array.from({ length: rank }, (_, k) => k);

/** Reading axes by `first`, then the result's by `second`. */
export const compose = (first, second) => second.map((axis) => first[axis]);

export const inverse = (perm) => {
  const result = new Array(perm.length);
  perm.forEach((axis, k) => { result[axis] = k; });
  return result;
};

const isIdentity = (perm) => perm.every((axis, k) => axis === k);

export const sizeOf = (shape) => shape.reduce((product, side) => product * side, 1);

/** The axes of a tensor of `shape` in the order of `perm`. */
export function transposeData(data, shape, perm) {
  const strides = new Array(shape.length).fill(1);
  for (let k = shape.length - 2; k >= 0; k -= 1) strides[k] = strides[k + 1] * shape[k + 1];
  const outShape = compose(shape, perm);
  const outStrides = compose(strides, perm);
  const out = new data.constructor(data.length);
  const index = new Array(shape.length).fill(0);
  let from = 0;
  for (let k = 0; k < out.length; k += 1) {
    out[k] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] += 1;
      from += outStrides[axis];
      if (index[axis] < outShape[axis]) break;
      from -= outStrides[axis] * outShape[axis];
      index[axis] = 0;
    }
  }
  return { data: out, shape: outShape };
}

/**
 * A tensor computed by the ONNX graph. `shape` is TensorFlow's; `name` the ONNX tensor; `dtype`
 * float32, int64 (whatever whole numbers TensorFlow has) or bool.
 */
export class Tensor {
  constructor(name, shape, perm = identity(shape.length), dtype = 'float32') {
    Object.assign(this, { name, shape, perm, dtype });
  }

  /** The shape of the ONNX tensor. */
  get stored() {
    return compose(this.shape, inverse(this.perm));
  }

  transposed(perm) {
    return new Tensor(this.name, compose(this.shape, perm), compose(this.perm, perm), this.dtype);
  }

  /** The name of an ONNX tensor whose axes are the TensorFlow tensor's in the order `axes`. */
  inOrder(graph, axes = identity(this.shape.length)) {
    const perm = compose(this.perm, axes);
    if (isIdentity(perm)) return this.name;
    return graph.node('Transpose', [this.name], { perm: { type: 'ints', value: perm } }).outputs[0];
  }
}

/** A tensor known at conversion time: `data` in TensorFlow's order. */
export class Constant {
  constructor(shape, data) {
    Object.assign(this, { shape, data });
  }

  transposed(perm) {
    const { data, shape } = transposeData(this.data, this.shape, perm);
    return new Constant(shape, data);
  }

  inOrder(graph, axes = identity(this.shape.length), dtype = 'float32') {
    const { data, shape } = transposeData(this.data, this.shape, axes);
    return dtype === 'int64' ? graph.int64s('const', Array.from(data), shape) : graph.floats('const', shape, data);
  }
}

/** A Pad that has not been written: a convolution or pooling may take it in. */
export class Padded {
  constructor(inner, before, after, fill) {
    const shape = inner.shape.map((side, k) => side + before[k] + after[k]);
    Object.assign(this, { inner, before, after, fill, shape });
  }

  transposed(perm) {
    const axes = (list) => compose(list, perm);
    return new Padded(this.inner.transposed(perm), axes(this.before), axes(this.after), this.fill);
  }

  /** The padding as a node of its own. */
  written(graph) {
    const { inner } = this;
    const toStored = (list) => compose(list, inverse(inner.perm));
    const pads = graph.int64s('pads', [...toStored(this.before), ...toStored(this.after)]);
    const node = graph.node('Pad', [inner.name, pads, graph.floats('fill', [], [this.fill])]);
    return new Tensor(node.outputs[0], this.shape, inner.perm);
  }

  inOrder(graph, axes = identity(this.shape.length)) {
    return this.written(graph).inOrder(graph, axes);
  }
}
