/* Videos that have been sent to the server: add, delete. */
import { useEffect, useRef, type DragEvent } from 'react';
import { useApp, useAppState } from '../hooks/context';
import { MODEL_FILES, VIDEO_FILES } from '../uploads';
import { Dialog } from './Dialog';
import { Icon } from './Icon';
import { megabytes, UploadProgress } from './UploadProgress';

export function VideosDialog({ onClose }: { onClose: () => void }) {
  const app = useApp();
  const { uploaded, maxUpload } = useAppState();
  const file = useRef<HTMLInputElement>(null);
  useEffect(() => void app.refreshVideos(), [app]);
  const send = (files: FileList | null) => {
    for (const one of files ?? []) void app.upload(one);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    send(event.dataTransfer.files);
  };
  return (
    <Dialog title="Uploads" onClose={onClose} testId="videos-dialog">
      <div className="videos" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        <ul className="rows">
          {uploaded.map(({ id, filename, size_bytes: bytes, in_use: used }) => (
            <li key={id}>
              <span className="title" title={filename}>{filename}</span>
              <span className="count">{used ? 'in use · ' : ''}{megabytes(bytes)}</span>
              <button type="button" className="tool small" aria-label={`Delete ${filename}`} title="Delete" data-testid="upload-delete" onClick={() => confirm(`Delete "${filename}"?`) && void app.removeUpload(id)}><Icon name="trash" /></button>
            </li>
          ))}
          {uploaded.length === 0 && <li className="none">None yet: choose a file, or drop one here.</li>}
        </ul>
        <UploadProgress nodeId="" />
      </div>
      <footer>
        <p className="hint">Up to {megabytes(maxUpload)} each.</p>
        <button type="button" className="button" onClick={() => file.current?.click()}>Choose a file…</button>
        <input ref={file} type="file" accept={`${VIDEO_FILES},${MODEL_FILES}`} multiple hidden aria-label="Files to upload" data-testid="videos-file" onChange={(event) => { send(event.target.files); event.target.value = ''; }} />
      </footer>
    </Dialog>
  );
}
