/* How far the upload for a node is ('' = for none), with what ends it. */
import { useApp } from '../hooks/context';
import { useUploads } from '../hooks/live';
import { Icon } from './Icon';

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

export function UploadProgress({ nodeId }: { nodeId: string }) {
  const { uploads } = useApp();
  const list = useUploads().filter((one) => one.nodeId === nodeId && one.state !== 'done');
  return list.map(({ id, name, bytes, sent, state, error }) => (
    <div key={id} className="upload" data-testid="upload-progress" data-state={state}>
      {state === 'sending' ? (
        <>
          <progress max={Math.max(1, bytes)} value={sent} aria-label={`Upload of ${name}`} />
          <span className="count">{sent < bytes ? `${megabytes(sent)} of ${megabytes(bytes)}` : 'Looking at it…'}</span>
        </>
      ) : <p className="trouble" role="alert">{name}: {error}</p>}
      <button type="button" className="tool small" aria-label={state === 'sending' ? `Cancel the upload of ${name}` : 'Dismiss'} title={state === 'sending' ? 'Cancel' : 'Dismiss'} data-testid="upload-cancel" onClick={() => uploads.dismiss(id)}><Icon name="close" /></button>
    </div>
  ));
}
