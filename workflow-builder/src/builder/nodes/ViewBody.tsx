/* The live picture in its node. */
import { useEffect, useRef, useState } from 'react';
import type { OverwatchView } from '../../player/overwatch-view';
import type { TransportChoice } from '../../player/session-machine';
import { Icon } from '../parts/Icon';
import type { BodyProps } from './FlowNode';

const STATES = { connected: 'Connected', connecting: 'Connecting…', disconnected: 'Disconnected', error: 'Connection Error' } as const;
const TRANSPORTS: readonly { value: TransportChoice; label: string }[] = [
  { value: 'auto', label: 'Auto' }, { value: 'webrtc', label: 'WebRTC' }, { value: 'websocket', label: 'WebSocket' },
];

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

function Player({ id, choice, onShown, reach }: { id: string; choice: TransportChoice; onShown: (shown: Shown) => void; reach: React.RefObject<OverwatchView | null> }) {
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
  }, [choice, reach]);
  return <div ref={place} className="player" data-testid="player" />;
}

export function ViewBody({ node, state }: BodyProps) {
  const player = useRef<OverwatchView>(null);
  const [shown, setShown] = useState<Shown>({ state: 'disconnected', reason: '', text: '' });
  const [choice, setChoice] = useState<TransportChoice>(node.type === 'videoPreview' ? 'websocket' : 'auto');
  const [paused, setPaused] = useState(false);
  const toggle = () => {
    if (paused) player.current?.play();
    else player.current?.pause();
    setPaused(!paused);
  };
  if (state === null) return <div className="body view-body"><div className="player"><p>Execute the workflow to see the picture.</p></div></div>;
  return (
    <div className="body view-body nodrag">
      <Player id={node.id} choice={choice} onShown={setShown} reach={player} />
      <p className="facts" data-state={shown.state} title={shown.reason}>
        <span className="dot" /> <span data-testid="view-state">{STATES[shown.state]}</span> <span className="figures" data-testid="view-figures">{shown.reason === '' ? shown.text : shown.reason}</span>
      </p>
      <div className="view-tools">
        <button type="button" className="tool small" aria-label={paused ? 'Play' : 'Pause'} title={paused ? 'Play' : 'Pause'} onClick={toggle}><Icon name={paused ? 'play' : 'pause'} /></button>
        <button type="button" className="tool small" aria-label="Save a snapshot" title="Save a snapshot" onClick={() => void player.current?.downloadSnapshot()}><Icon name="camera" /></button>
        <button type="button" className="tool small" aria-label="Full screen" title="Full screen" onClick={() => void player.current?.toggleFullscreen()}><Icon name="full" /></button>
        <a className="tool small" href={`/view/${encodeURIComponent(node.id)}`} target="_blank" rel="noreferrer" aria-label="Open in a page of its own" title="Open in a page of its own"><Icon name="open" /></a>
        <select aria-label="Transport" title="Transport" value={choice} data-testid="transport" onChange={(event) => setChoice(event.target.value as TransportChoice)}>
          {TRANSPORTS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
        </select>
      </div>
    </div>
  );
}
