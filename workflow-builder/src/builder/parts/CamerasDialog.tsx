/* Cameras that are kept: add, change, try, delete. A password goes in and never comes back. */
import { useState, type FormEvent } from 'react';
import { useApp, useAppState } from '../hooks/context';
import { server, type Camera, type CameraTrial } from '../server';
import { Dialog } from './Dialog';

const NEW = { id: '', name: '', url: '', username: '', has_password: false, enabled: true } satisfies Camera;

function outcomeOf({ ok, width, height, fps, codec, reason }: CameraTrial): string {
  return ok ? `It works: ${width}×${height}${fps > 0 ? `, ${fps.toFixed(0)} fps` : ''}, ${codec}` : reason;
}

function CameraForm({ camera, onDone }: { camera: Camera; onDone: (id: string) => void }) {
  const app = useApp();
  const [draft, setDraft] = useState({ name: camera.name, url: camera.url, username: camera.username, password: '' });
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<{ ok: boolean; text: string } | null>(null);
  const field = (name: keyof typeof draft) => ({
    value: draft[name], onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
  });
  /* Without a new password the old one stays. */
  const save = async (): Promise<string> => {
    const { password, ...rest } = draft;
    const sent = password === '' ? rest : { ...rest, password };
    const { id } = camera.id === '' ? await server.addCamera(sent) : await server.changeCamera(camera.id, sent);
    await app.refreshCameras();
    return id;
  };
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setOutcome(null);
    try {
      await work();
    } catch (error) {
      setOutcome({ ok: false, text: error instanceof Error ? error.message : String(error) });
    }
    setBusy(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => onDone(await save()));
  };
  const attempt = () => void run(async () => {
    const id = await save();
    const trial = await server.tryCamera(id);
    setOutcome({ ok: trial.ok, text: outcomeOf(trial) });
    if (camera.id === '') onDone(id);
  });
  const remove = () => {
    if (!confirm(`Delete the camera "${camera.name}"? Workflows that use it will not find it.`)) return;
    void run(async () => {
      await server.removeCamera(camera.id);
      await app.refreshCameras();
      onDone('');
    });
  };
  return (
    <form onSubmit={submit}>
      <label>Name<input required maxLength={100} data-testid="camera-name" {...field('name')} /></label>
      <label>Address<input required placeholder="rtsp://192.168.1.20/stream1" spellCheck={false} data-testid="camera-url" {...field('url')} /></label>
      <label>User<input autoComplete="off" spellCheck={false} {...field('username')} /></label>
      <label>Password<input type="password" autoComplete="new-password" placeholder={camera.has_password ? 'kept as it is' : ''} {...field('password')} /></label>
      <div className="actions">
        <button type="submit" className="button primary" disabled={busy} data-testid="camera-save">Save</button>
        <button type="button" className="button" disabled={busy || draft.name === '' || draft.url === ''} data-testid="camera-try" onClick={attempt}>{busy ? 'Trying…' : 'Save and try'}</button>
        {camera.id !== '' && <button type="button" className="button" disabled={busy} onClick={remove}>Delete</button>}
      </div>
      {outcome !== null && <p className="outcome" role="status" data-ok={outcome.ok} data-testid="camera-outcome">{outcome.text}</p>}
    </form>
  );
}

export function CamerasDialog({ onClose }: { onClose: () => void }) {
  const { cameras } = useAppState();
  const [open, setOpen] = useState(cameras[0]?.id ?? '');
  const camera = cameras.find(({ id }) => id === open) ?? NEW;
  return (
    <Dialog title="Cameras" onClose={onClose} testId="cameras-dialog" wide={false}>
      <div className="cameras">
        <ul>
          {cameras.map(({ id, name }) => (
            <li key={id}><button type="button" className="row" aria-current={id === camera.id} onClick={() => setOpen(id)}>{name}</button></li>
          ))}
          <li><button type="button" className="row" aria-current={camera.id === ''} data-testid="camera-new" onClick={() => setOpen('')}>New camera…</button></li>
        </ul>
        <CameraForm key={camera.id} camera={camera} onDone={setOpen} />
      </div>
    </Dialog>
  );
}
