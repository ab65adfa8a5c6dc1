/* The live picture in its node. */
import { useEffect, useRef, useState } from 'react';
import type { OverwatchView } from '../../player/overwatch-view';
import type { Recording } from '../../player/server-types';
import type { TransportChoice } from '../../player/session-machine';
import { useApp } from '../hooks/context';
import { valueOf, type WorkflowNode } from '../model/types';
import { recordLabel, setRecording } from '../../ui/recording';
import { formatDuration } from '../../ui/time';
import { chooseTransport, chosenTransport } from '../../ui/transport-choice';
import { Icon, type IconName } from '../parts/Icon';
import type { BodyProps } from './FlowNode';

const STATES = { connected: 'Connected', connecting: 'Connecting…', disconnected: 'Disconnected', error: 'Connection Error' } as const;
const TRANSPORTS: readonly { value: TransportChoice; label: string }[] = [
  { value: 'auto', label: 'Auto' }, { value: 'webrtc', label: 'WebRTC' }, { value: 'websocket', label: 'WebSocket' },
];
const LAYOUTS: Readonly<Record<string, string>> = { xray: 'X-RAY', original: 'Original', clean: 'Overlay', 'side-by-side': 'Both' };
const LAYOUT_HELP: Readonly<Record<string, string>> = { xray: 'What the model sees', original: 'The plain picture', clean: 'The plain picture; this page draws what the model sees', 'side-by-side': 'X-RAY and original side by side' };

const OUT_OF_SIGHT_MS = 2_000;

interface Shown {
  readonly state: OverwatchView['state'];
  readonly reason: string;
  readonly text: string;
}

function read(player: OverwatchView): Shown {
  const { state, reason, stats } = player;
  const latency = stats.latency.p50;
  const parts = state !== 'connected' ? [] : [
    stats.transport === 'webrtc' ? 'WebRTC' : stats.transport === 'websocket' ? 'WebSocket' : '',
    `${stats.fps.toFixed(0)} fps`, latency === null ? '' : `${latency.toFixed(0)} ms`,
    `${(stats.bitsPerSecond / 1000).toFixed(0)} kbit/s`, stats.detections === null ? '' : `${stats.detections} seen`,
  ];
  return { state, reason, text: parts.filter((part) => part !== '').join(' · ') };
}

/* Whether it is in sight, or was a moment ago: what is scrolled by need not connect anew. */
function useInSight(place: React.RefObject<HTMLElement | null>): boolean {
  const [inSight, setInSight] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver((entries) => {
      const seen = entries.at(-1)?.isIntersecting ?? false;
      clearTimeout(timer);
      if (seen) setInSight(true);
      else timer = setTimeout(() => setInSight(false), OUT_OF_SIGHT_MS);
    });
    if (place.current !== null) observer.observe(place.current);
    return () => { clearTimeout(timer); observer.disconnect(); };
  }, [place]);
  return inSight;
}

interface PlayerProps {
  readonly id: string;
  readonly choice: TransportChoice;
  readonly paused: boolean;
  readonly onShown: (shown: Shown) => void;
  readonly reach: React.RefObject<OverwatchView | null>;
}

/* Nothing is received, decoded and, with no other viewer, encoded for a view that is out of sight. */
function Player({ id, choice, paused, onShown, reach }: PlayerProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const player = document.createElement('overwatch-view') as OverwatchView;
    player.setAttribute('node', id);
    player.setAttribute('muted-ui', '');
    const tell = () => onShown(read(player));
    player.addEventListener('statechange', tell);
    player.addEventListener('stats', tell);
    place.current?.append(player);
    reach.current = player;
    return () => { reach.current = null; player.remove(); };
  }, [id, onShown, reach]);
  useEffect(() => {
    if (reach.current !== null) reach.current.transport = choice;
  }, [id, choice, reach]);
  const inSight = useInSight(place);
  useEffect(() => {
    if (paused || !inSight) reach.current?.pause();
    else reach.current?.play();
  }, [id, paused, inSight, reach]);
  return <div ref={place} className="surface" data-testid="player" />;
}

/* Shown only where the server has the setting. */
function LayoutSwitch({ node }: { node: WorkflowNode }) {
  const app = useApp();
  const setting = app.editor.types.get(node.type)?.settings.find(({ name }) => name === 'layout');
  if (setting === undefined) return null;
  const value = valueOf(node, setting);
  return (
    <div className="segments" role="group" aria-label="Layout" data-testid="layout">
      {(setting.choices ?? []).map((choice) => (
        <button key={choice} type="button" aria-pressed={choice === value} title={LAYOUT_HELP[choice]} data-testid={`layout-${choice}`} onClick={() => app.set(node.id, 'layout', choice)}>{LAYOUTS[choice] ?? choice}</button>
      ))}
    </div>
  );
}

function Tool({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return <button type="button" className="tool small" aria-label={label} title={label} onClick={onClick}><Icon name={icon} /></button>;
}

/* As small as a tool: which transport it is stands above it. Its colour tells that one is forced. */
function TransportPick({ choice, choose }: { choice: TransportChoice; choose: (choice: TransportChoice) => void }) {
  const label = TRANSPORTS.find(({ value }) => value === choice)?.label ?? choice;
  return (
    <span className="tool small transport" data-forced={choice !== 'auto'} title={`Transport: ${label}`}>
      <Icon name="transport" />
      <select aria-label="Transport" value={choice} data-testid="transport" onChange={(event) => choose(event.target.value as TransportChoice)}>
        {TRANSPORTS.map(({ value, label: text }) => <option key={value} value={value}>{text}</option>)}
      </select>
    </span>
  );
}

/* Shows by its colour that the view is being recorded, whoever wanted it. Where nothing can be recorded its place stays free. */
function RecordTool({ id, recording }: { id: string; recording: Recording | undefined }) {
  const app = useApp();
  const toggle = async () => {
    const refusal = await setRecording(id, recording?.by_hand !== true);
    if (refusal !== '') app.tell(refusal, 'error');
  };
  const label = recordLabel(recording);
  return (
    <button type="button" className="tool small record" data-state={recording?.state ?? 'none'} aria-pressed={recording?.by_hand === true} aria-label={label} title={label} data-testid="record" onClick={() => void toggle()}>
      <Icon name="record" />
    </button>
  );
}

export function ViewBody({ node, state }: BodyProps) {
  const app = useApp();
  const player = useRef<OverwatchView>(null);
  const [shown, setShown] = useState<Shown>({ state: 'disconnected', reason: '', text: '' });
  const [choice, setChoice] = useState<TransportChoice>(() => chosenTransport(node.id) ?? (node.type === 'videoPreview' || node.type === 'recorder' ? 'websocket' : 'auto'));
  const [paused, setPaused] = useState(false);
  const running = state !== null;
  useEffect(() => setPaused(false), [running]);
  const choose = (chosen: TransportChoice) => {
    chooseTransport(node.id, chosen);
    setChoice(chosen);
  };
  const snapshot = async () => {
    if (await player.current?.downloadSnapshot() !== true) app.tell('There is no picture yet.', 'error');
  };
  const stateText = !running ? 'Not running' : paused ? 'Paused' : STATES[shown.state];
  const reason = paused ? '' : shown.reason;
  return (
    <div className="body view-body nodrag">
      <div className="player">
        {running ? <Player id={node.id} choice={choice} paused={paused} onShown={setShown} reach={player} /> : <p>Execute the workflow to see the picture.</p>}
        {state?.recording?.state === 'recording' && <p className="recorded" data-testid="record-time">{formatDuration(state.recording.seconds)}</p>}
        {running && reason !== '' && <p className="reason" role="status" data-testid="view-reason">{reason}</p>}
      </div>
      <p className="facts" data-state={running && !paused ? shown.state : 'disconnected'} title="Transport, pictures a second, age of the picture when it is shown, bit rate, detections">
        <span className="dot" /> <span data-testid="view-state">{stateText}</span> <span className="figures" data-testid="view-figures">{running && !paused ? shown.text : ''}</span>
      </p>
      <div className="view-tools">
        <span className="picture-tools" data-on={running}>
          <Tool icon={paused ? 'play' : 'pause'} label={paused ? 'Play' : 'Pause'} onClick={() => setPaused(!paused)} />
          <RecordTool id={node.id} recording={state?.recording} />
          <Tool icon="camera" label="Save a snapshot" onClick={() => void snapshot()} />
          <Tool icon="full" label="Full screen" onClick={() => void player.current?.toggleFullscreen()} />
          <a className="tool small" href={`/view/${encodeURIComponent(node.id)}`} target="_blank" rel="noreferrer" aria-label="Open in a page of its own" title="Open in a page of its own"><Icon name="open" /></a>
        </span>
        <LayoutSwitch node={node} />
        <TransportPick choice={choice} choose={choose} />
      </div>
    </div>
  );
}
