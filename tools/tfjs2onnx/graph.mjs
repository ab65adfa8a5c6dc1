// Walks a TensorFlow.js graph in order of its dependencies and hands each node to its handler.

import { OPS } from './ops.mjs';
import { attribute } from './tfjs.mjs';
import { Constant } from './value.mjs';

/** "name:1" -> ["name", 1]; control inputs ("^name") carry no value. */
function parseReference(reference) {
  const [, name, output] = /^([^:]+)(?::(\d+))?$/.exec(reference) ?? [];
  if (!name) throw new Error(`"${reference}" is not a node reference`);
  return [name, Number(output ?? 0)];
}

const dataInputs = (node) => (node.input ?? []).filter((name) => !name.startsWith('^'));

/** Nodes that `outputs` depend on, inputs before users, without recursion on deep graphs. */
function inOrder(nodes, outputs) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const state = new Map();
  const order = [];
  const stack = [...outputs].reverse();
  while (stack.length > 0) {
    const name = stack.at(-1);
    const node = byName.get(name);
    if (!node) throw new Error(`the graph refers to "${name}", which it does not have`);
    if (state.get(name) === 'done') {
      stack.pop();
      continue;
    }
    const waiting = dataInputs(node).map((ref) => parseReference(ref)[0]).filter((ref) => state.get(ref) !== 'done');
    if (waiting.length === 0) {
      state.set(name, 'done');
      order.push(node);
      stack.pop();
    } else if (state.get(name) === 'open') {
      throw new Error(`the graph has a loop through "${name}"`);
    } else {
      state.set(name, 'open');
      stack.push(...waiting.reverse());
    }
  }
  return order;
}

/**
 * Writes the nodes of `model` into `graph`. `placeholders` maps input names to values; the result
 * maps output names to values.
 */
export function convertGraph(model, graph, placeholders) {
  const order = inOrder(model.nodes, model.outputs);
  const uses = new Map();
  for (const node of order) {
    for (const reference of dataInputs(node)) uses.set(reference, (uses.get(reference) ?? 0) + 1);
  }
  const values = new Map();
  const valueOf = (reference) => {
    const [name, output] = parseReference(reference);
    return values.get(name)[output];
  };
  for (const node of order) {
    const references = dataInputs(node);
    const result = convertNode(node, {
      model, placeholders, graph, node,
      inputs: references.map(valueOf),
      attr: (name, fallback) => attribute(node, name, fallback),
      soleUse: (index) => uses.get(references[index]) === 1,
    });
    values.set(node.name, Array.isArray(result) ? result : [result]);
  }
  return new Map(model.outputs.map((name) => [name, valueOf(name)]));
}

function convertNode(node, context) {
  if (node.op === 'Const') {
    const weight = context.model.weights.get(node.name);
    if (!weight) throw new Error(`constant "${node.name}" has no entry among the weights`);
    return new Constant(weight.shape, weight.data);
  }
  if (node.op === 'Placeholder') {
    const value = context.placeholders.get(node.name);
    if (!value) throw new Error(`input "${node.name}" is not known to the preset`);
    return value;
  }
  const handler = OPS[node.op];
  if (!handler) {
    throw new Error(`operation ${node.op} ("${node.name}") is not supported; supported are ${Object.keys(OPS).join(', ')}`);
  }
  try {
    return handler(context);
  } catch (error) {
    throw new Error(`${node.op} "${node.name}": ${error.message}`, { cause: error });
  }
}
