import { formatTime } from '../../ui/time';
import { useDetections, useMessages } from '../hooks/live';
import { settingsOf } from '../model/types';
import type { BodyProps } from './FlowNode';

function Detections({ id, rows }: { id: string; rows: number }) {
  const data = useDetections(id);
  if (data === null) return <p className="facts">nothing has passed yet</p>;
  return (
    <table className="data" data-testid="data-table">
      <tbody>
        {data.detections.slice(0, rows).map((one, i) => (
          <tr key={i}>
            <td>{one.class_name}</td>
            <td>{one.confidence.toFixed(2)}</td>
            <td>{one.track_id === undefined ? '' : `#${one.track_id}`}</td>
            <td>{one.bbox.map((value) => Math.round(value)).join(' ')}</td>
          </tr>
        ))}
      </tbody>
      <caption>{data.count} {data.count === 1 ? 'detection' : 'detections'}</caption>
    </table>
  );
}

function Messages({ id }: { id: string }) {
  const messages = useMessages(id);
  if (messages.length === 0) return <p className="facts">no message yet</p>;
  return (
    <ol className="messages" data-testid="messages">
      {messages.slice(0, 12).map((one) => (
        <li key={`${one.timestamp}`} data-level={one.level}>
          <time>{formatTime(new Date(one.timestamp * 1000))}</time> {one.message}
        </li>
      ))}
    </ol>
  );
}

function Published({ topic }: { topic: string }) {
  return <p className="facts" data-testid="mqtt-topic">{topic === '' ? 'to a topic of this workflow and node' : `to ${topic}`}</p>;
}

function content({ id, type, settings }: { id: string; type: string; settings: Readonly<Record<string, unknown>> }) {
  if (type === 'debug') return <Messages id={id} />;
  if (type === 'mqtt') return <Published topic={String(settings['topic'] ?? '')} />;
  return <Detections id={id} rows={Number(settings['maxItems'] ?? 20)} />;
}

export function SinkBody({ node }: BodyProps) {
  return <div className="body nowheel">{content({ id: node.id, type: node.type, settings: settingsOf(node) })}</div>;
}
