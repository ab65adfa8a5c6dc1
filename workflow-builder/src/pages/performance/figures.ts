/* What /api/workflow-builder/performance tells, put into the order in which it is shown. Pure. */

export interface Operation {
  readonly count: number;
  readonly avg_ms: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

export interface TransportFigures {
  readonly viewers: number;
  readonly fps: number;
  readonly kB_per_s: number;
  readonly latency_ms: number;
  readonly latency_max_ms: number;
  readonly frames_dropped: number;
  readonly encoding: Operation;
}

export interface Performance {
  readonly current_fps: number;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly bottlenecks: readonly { readonly operation: string; readonly avg_ms: number }[];
  readonly transports: { readonly webrtc: TransportFigures; readonly websocket: TransportFigures };
}

/** The way of a frame, in its order; what else the server tells comes behind. */
const STAGES: readonly (readonly [string, string])[] = [
  ['decode', 'Decode'],
  ['preprocess', 'Prepare for the model'],
  ['model_inference', 'Model'],
  ['postprocess', 'Read its output'],
  ['xray_visualization', 'Draw'],
  ['h264_encoding', 'Encode video'],
  ['jpeg_encoding', 'Encode JPEG'],
  ['packetize_send', 'Send'],
  ['glass_to_encoder', 'Capture to encoded, in all'],
];

export interface Stage {
  readonly name: string;
  readonly label: string;
  readonly figures: Operation;
  /** Lengths of the bars, 0..1 of the longest p95. */
  readonly p50: number;
  readonly p95: number;
}

export function stagesOf(operations: Performance['operations']): Stage[] {
  const known = new Set(STAGES.map(([name]) => name));
  const others = Object.keys(operations).filter((name) => !known.has(name)).map((name) => [name, name] as const);
  const present = [...STAGES, ...others].flatMap(([name, label]) => {
    const figures = operations[name];
    return figures === undefined || figures.count === 0 ? [] : [{ name, label, figures }];
  });
  const longest = Math.max(0.001, ...present.map(({ figures }) => figures.p95_ms));
  return present.map((stage) => ({ ...stage, p50: stage.figures.p50_ms / longest, p95: stage.figures.p95_ms / longest }));
}

const ADVICE: Readonly<Record<string, string>> = {
  model_inference: 'A smaller model or a lower rate of inferences takes less; box timing “predict” keeps it off the picture’s way.',
  decode: 'A smaller stream quality or resolution of the source takes less.',
  preprocess: 'A smaller resolution of the source takes less.',
  postprocess: 'Fewer detections at most, or a higher confidence, take less.',
  h264_encoding: 'A smaller width of the view, fewer renditions or a hardware encoder take less.',
  jpeg_encoding: 'WebRTC in place of the WebSocket view takes less.',
  xray_visualization: 'A smaller width of the view takes less.',
  packetize_send: 'A lower bitrate or fewer viewers take less.',
};

/* Of the time from one picture to the next. */
const TOO_LONG = 0.9;
const LONG = 0.25;
const USUAL_FPS = 25;

export interface Bottleneck {
  /** well: nothing stands in the way; slow: the one to begin with; full: it cannot keep up. */
  readonly state: 'unknown' | 'well' | 'slow' | 'full';
  readonly text: string;
}

/** A sentence on what takes longest and, where something can be done, what. */
export function bottleneckOf({ bottlenecks, operations, current_fps }: Performance): Bottleneck {
  const worst = bottlenecks[0];
  if (worst === undefined) return { state: 'unknown', text: 'Nothing has been measured yet: execute a workflow and look at one of its views.' };
  const label = STAGES.find(([name]) => name === worst.operation)?.[1] ?? worst.operation;
  const fps = current_fps > 0 ? current_fps : USUAL_FPS;
  const share = (worst.avg_ms * fps) / 1000;
  const p95 = operations[worst.operation]?.p95_ms;
  const times = `${worst.avg_ms.toFixed(1)} ms on average${p95 === undefined ? '' : `, ${p95.toFixed(1)} ms at p95`}`;
  const advice = ADVICE[worst.operation] ?? '';
  if (share < LONG) return { state: 'well', text: `Nothing is slow. What takes longest is “${label}”: ${times}.` };
  if (share < TOO_LONG) return { state: 'slow', text: `“${label}” takes longest: ${times}. ${advice}`.trim() };
  return { state: 'full', text: `“${label}” is the bottleneck: ${times}, with ${(1000 / fps).toFixed(1)} ms from one picture to the next. ${advice}`.trim() };
}
