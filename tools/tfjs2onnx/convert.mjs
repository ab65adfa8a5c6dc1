#!/usr/bin/env node
// Converts a TensorFlow.js graph model to ONNX (opset 18, IR 9): see README.md.

import { renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { detectors } from './detectors.mjs';
import { convertGraph } from './graph.mjs';
import { nanodet } from './nanodet.mjs';
import { OnnxGraph } from './onnx.mjs';
import { openBatch } from './open-batch.mjs';
import { people } from './people.mjs';
import { readGraphModel } from './tfjs.mjs';

/** What is put before and after a network: { placeholders(graph), finish(graph, outputs) }. */
export const PRESETS = { nanodet, ...detectors, ...people };

/** The ONNX graph of the model at `path`. */
export function convert(path, presetName) {
  const preset = PRESETS[presetName];
  const graph = new OnnxGraph(presetName);
  preset.finish(graph, convertGraph(readGraphModel(path), graph, preset.placeholders(graph)));
  return graph;
}

function main() {
  const options = { preset: { type: 'string' }, 'open-batch': { type: 'boolean' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 2 || !Object.hasOwn(PRESETS, values.preset ?? '')) {
    console.error(`usage: convert.mjs --preset ${Object.keys(PRESETS).join('|')} [--open-batch] IN.json OUT.onnx`);
    process.exit(2);
  }
  const [from, to] = positionals;
  const graph = convert(from, values.preset);
  if (values['open-batch']) openBatch(graph);
  const bytes = graph.serialize();
  writeFileSync(`${to}.part`, bytes);
  renameSync(`${to}.part`, to);
  console.log(`${to}: ${graph.nodes.length} nodes, ${(bytes.length / 1e6).toFixed(1)} MB`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    main();
  } catch (error) {
    console.error(`conversion failed: ${error.message}`);
    process.exit(1);
  }
}
