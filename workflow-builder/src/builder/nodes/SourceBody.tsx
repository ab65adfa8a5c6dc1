import { useEffect, useRef, useState } from 'react';
import { useEditor } from '../hooks/context';
import { settingsOf } from '../model/types';
import { joined, rate, size } from './facts';
import type { BodyProps } from './FlowNode';

const REFRESH_MS = 1_000;

/* A new picture each second while it can be seen. The old one stays until the new one is there. */
function Thumbnail({ id }: { id: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [address, setAddress] = useState('');
  useEffect(() => {
    let visible = false, stale = false, turn = 0;
    const next = () => {
      if (!visible || document.hidden) return;
      const image = new Image();
      const url = `/api/video/${encodeURIComponent(id)}/snapshot?width=200&turn=${turn++}`;
      image.onload = () => { if (!stale) setAddress(url); };
      image.src = url;
    };
    const observer = new IntersectionObserver(([entry]) => {
      visible = entry?.isIntersecting ?? false;
      if (turn === 0) next();
    });
    if (place.current !== null) observer.observe(place.current);
    const timer = setInterval(next, REFRESH_MS);
    return () => { stale = true; clearInterval(timer); observer.disconnect(); };
  }, [id]);
  return <div ref={place} className="thumbnail">{address !== '' && <img src={address} alt="" data-testid="thumbnail" />}</div>;
}

export function SourceBody({ node, state }: BodyProps) {
  useEditor();
  const settings = settingsOf(node);
  const what = String(settings['url'] ?? settings['videoPath'] ?? settings['cameraId'] ?? '');
  return (
    <div className="body">
      {state !== null && <Thumbnail id={node.id} />}
      <p className="facts">{state === null ? what || 'not running' : joined(size(state), rate(state), state.codec ?? '')}</p>
    </div>
  );
}
