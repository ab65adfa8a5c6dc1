// The contenders of the latency bench: how each is started, and which page shows it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NODE = 'bench';

// A workflow that shows the pipe, with or without the model between.
function workflow(pipe, { view, model, recorded, settings = {} }) {
  const nodes = [
    { id: 'source', type: 'camera', position: { x: 0, y: 0 }, data: { url: `pipe:${pipe}` } },
    { id: NODE, type: view, position: { x: 600, y: 0 }, data: { maxFps: 60, ...settings } },
  ];
  const edges = [];
  const connect = (source, target) => edges.push({ id: `${source}-${target}`, source, target });
  if (model) {
    const data = { modelId: 'nanodet', confidence: 0.4, iou: 0.5, agnostic: true, fps: 30 };
    nodes.splice(1, 0, { id: 'model', type: 'model', position: { x: 300, y: 0 }, data });
    connect('source', 'model');
    connect('model', NODE);
  } else {
    connect('source', NODE);
  }
  if (recorded) {
    nodes.push({ id: 'recorder', type: 'recorder', position: { x: 600, y: 300 }, data: { trigger: 'always' } });
    connect(model ? 'model' : 'source', 'recorder');
  }
  return { id: 'bench', name: 'Latency bench', version: '1.0', nodes, edges };
}

function overwatch(what, transport) {
  return {
    start({ root, folder, pipe, port, mediaPort }) {
      const file = join(folder, 'workflow.json');
      writeFileSync(file, JSON.stringify(workflow(pipe, what)));
      return {
        command: process.env.OVERWATCH_BINARY ?? join(root, 'build/src/app/overwatch'),
        args: [
          'run', file,
          '--port', String(port), '--media-port', String(mediaPort),
          '--web-folder', join(root, 'workflow-builder/dist'),
          '--model-folder', join(root, '.cache/models'),
          '--pid-file', join(folder, 'overwatch.pid'), '--log-file', join(folder, 'overwatch.log'), '--data-folder', 'none',
          '--recordings-folder', join(folder, 'recordings'),
        ],
      };
    },
    page: `/view/${NODE}?transport=${transport}`,
  };
}

function oldStack(transport, jpegFps) {
  return {
    start: ({ here, pipe, port, width, height }) => ({
      command: '/usr/bin/python3',
      args: [join(here, 'old_stack.py'), pipe, port, width, height, jpegFps].map(String),
    }),
    page: `/?transport=${transport}`,
  };
}

const view = 'videoPreviewWebRTC';

export const contenders = {
  'overwatch webrtc': { ...overwatch({ view }, 'webrtc'), against: 'old webrtc' },
  'overwatch webrtc high': {
    ...overwatch({ view, settings: { bitratePreset: 'high' } }, 'webrtc'),
    against: 'old webrtc',
  },
  'overwatch webrtc predict': {
    ...overwatch({ view, model: true, settings: { boxTiming: 'predict' } }, 'webrtc'),
    against: 'old webrtc',
  },
  'overwatch webrtc sync': {
    ...overwatch({ view, model: true, settings: { boxTiming: 'sync' } }, 'webrtc'),
    against: 'old webrtc',
  },
  'overwatch webrtc recorded': { ...overwatch({ view, recorded: true }, 'webrtc'), against: 'old webrtc' },
  'overwatch websocket': { ...overwatch({ view: 'videoPreview' }, 'websocket'), against: 'old websocket' },
  'old webrtc': oldStack('webrtc', 0),
  'old websocket 15': oldStack('websocket', 15),
  'old websocket': oldStack('websocket', 0),
  libwebrtc: {
    start: ({ here, pipe, port, width, height }) => ({
      command: process.execPath,
      args: [join(here, 'wrtc_sender.mjs'), pipe, port, width, height].map(String),
    }),
    page: '/?transport=webrtc',
    against: 'old webrtc',
  },
};
