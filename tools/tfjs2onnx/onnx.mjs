// An ONNX graph in memory and its file. Field numbers are those of onnx.proto3 (IR version 9).

import { Message } from './protobuf.mjs';

const IR_VERSION = 9;
const OPSET = 18;

export const DATA_TYPE = { float32: 1, int32: 6, int64: 7 };
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, floats: 6, ints: 7 };

/** Attributes say their type, because 1 may be an int or a float: f(0.1), i(2), s('linear'). */
export const f = (value) => ({ type: 'float', value });
export const i = (value) => ({ type: 'int', value });
export const s = (value) => ({ type: 'string', value });
export const ints = (value) => ({ type: 'ints', value });

export class OnnxGraph {
  constructor(name) {
    this.name = name;
    this.nodes = [];
    this.initializers = new Map(); // name -> { shape, dtype, data: typed array }
    this.inputs = []; // { name, shape, dtype }
    this.outputs = [];
    this.metadata = {};
    this.#count = 0;
  }

  #count;

  #unique(stem) {
    this.#count += 1;
    return `${stem}_${this.#count}`;
  }

  input(name, shape, dtype = 'float32') {
    this.inputs.push({ name, shape, dtype });
    return name;
  }

  output(name, shape, dtype = 'float32') {
    this.outputs.push({ name, shape, dtype });
  }

  /** A float32 constant; returns its name. */
  floats(stem, shape, values) {
    return this.#initializer(stem, { shape, dtype: 'float32', data: Float32Array.from(values) });
  }

  /** An int64 constant, of one dimension unless said otherwise; returns its name. */
  int64s(stem, values, shape = [values.length]) {
    return this.#initializer(stem, { shape, dtype: 'int64', data: BigInt64Array.from(values, BigInt) });
  }

  #initializer(stem, tensor) {
    const name = this.#unique(stem);
    this.initializers.set(name, tensor);
    return name;
  }

  /** Adds a node with outputs named by it, or as given; returns the node. */
  node(opType, inputs, attributes = {}, outputs = 1) {
    const name = this.#unique(opType);
    const names = Array.isArray(outputs)
      ? outputs
      : Array.from({ length: outputs }, (_, k) => (outputs === 1 ? name : `${name}_${k}`));
    const node = { name, opType, inputs, outputs: names, attributes };
    this.nodes.push(node);
    return node;
  }

  /** The bytes of the .onnx file. */
  serialize() {
    const model = new Message().int(1, IR_VERSION).string(2, 'tfjs2onnx').message(7, graphProto(this));
    model.message(8, new Message().string(1, '').int(2, OPSET));
    for (const [key, value] of Object.entries(this.metadata)) {
      model.message(14, new Message().string(1, key).string(2, value));
    }
    return model.finish();
  }
}

function graphProto(graph) {
  const proto = new Message();
  for (const node of graph.nodes) proto.message(1, nodeProto(node));
  proto.string(2, graph.name);
  for (const [name, tensor] of graph.initializers) proto.message(5, tensorProto(name, tensor));
  for (const value of graph.inputs) proto.message(11, valueInfo(value));
  for (const value of graph.outputs) proto.message(12, valueInfo(value));
  return proto;
}

function nodeProto(node) {
  const proto = new Message();
  for (const name of node.inputs) proto.string(1, name);
  for (const name of node.outputs) proto.string(2, name);
  proto.string(3, node.name).string(4, node.opType);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    proto.message(5, attributeProto(name, attribute));
  }
  return proto;
}

function attributeProto(name, { type, value }) {
  const proto = new Message().string(1, name);
  if (type === 'float') proto.float(2, value);
  else if (type === 'int') proto.int(3, value);
  else if (type === 'string') proto.string(4, value);
  else if (type === 'floats') proto.floats(7, value);
  else if (type === 'ints') proto.ints(8, value);
  else throw new Error(`attribute ${name}: no type "${type}"`);
  return proto.int(20, ATTRIBUTE_TYPE[type]);
}

function tensorProto(name, { shape, dtype, data }) {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return new Message().ints(1, shape).int(2, DATA_TYPE[dtype]).string(8, name).bytes(9, raw);
}

function valueInfo({ name, shape, dtype }) {
  const dims = new Message();
  for (const size of shape) {
    dims.message(1, typeof size === 'string' ? new Message().string(2, size) : new Message().int(1, size));
  }
  const tensor = new Message().int(1, DATA_TYPE[dtype]).message(2, dims);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}
