import { useEffect, useRef, useState, type DragEvent } from 'react';
import { useApp, useAppState } from '../hooks/context';
import { settingsOf } from '../model/types';
import { UploadProgress } from '../parts/UploadProgress';
import { followSource } from '../snapshots';
import { joined, rate, size } from './facts';
import type { BodyProps } from './FlowNode';

const WIDTH = 320, REFRESH_MS = 1_000;

/* Its place is there from the beginning, so that nothing moves when the picture comes. */
function Thumbnail({ id, running }: { id: string; running: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!running || canvas.current === null) return;
    return followSource(canvas.current, { id, width: WIDTH, periodMs: REFRESH_MS, onPicture: () => setShown(true) });
  }, [id, running]);
  return (
    <div className="thumbnail">
      {running && <canvas key={id} ref={canvas} data-testid={shown ? 'thumbnail' : undefined} />}
      {!(running && shown) && <p>{running ? 'waiting for a picture' : 'not running'}</p>}
    </div>
  );
}

export function SourceBody({ node, state }: BodyProps) {
  const app = useApp();
  const settings = settingsOf(node);
  const { cameras } = useAppState();
  const camera = cameras.find(({ id }) => id === settings['cameraId'])?.name ?? settings['cameraId'];
  const what = String(settings['url'] || settings['videoPath'] || camera || '');
  const takesFiles = node.type === 'videoInput';
  const drop = (event: DragEvent) => {
    const file = event.dataTransfer.files[0];
    if (!takesFiles || file === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    void app.upload(file, node.id);
  };
  return (
    <div className="body" onDrop={drop}>
      <Thumbnail id={node.id} running={state !== null} />
      <p className="facts" title={what}>{(state === null ? what : joined(size(state), rate(state), state.codec ?? '')) || '\u00a0'}</p>
      {takesFiles && <UploadProgress nodeId={node.id} />}
    </div>
  );
}
