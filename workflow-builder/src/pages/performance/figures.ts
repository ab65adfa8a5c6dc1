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

/** A sentence on what takes longest and, where something can be done, what. */
export function bottleneckOf(performance: Performance): string {
  const worst = performance.bottlenecks[0];
  if (worst === undefined) return 'Nothing has been measured yet: execute a workflow and look at one of its views.';
  const label = STAGES.find(([name]) => name === worst.operation)?.[1] ?? worst.operation;
  const advice: Readonly<Record<string, string>> = {
    model_inference: 'A smaller model, a lower rate of inferences, or box timing “predict” keeps it off the picture’s way.',
    decode: 'A smaller stream quality or resolution of the source takes less.',
    h264_encoding: 'A smaller width of the view takes less.',
    jpeg_encoding: 'WebRTC in place of the WebSocket view takes less.',
    xray_visualization: 'A smaller width of the view takes less.',
  };
  return `${label} takes longest: ${worst.avg_ms.toFixed(1)} ms on average. ${advice[worst.operation] ?? ''}`.trim();
}
