/* A text that is mostly one of those that the server knows: a model, a video, a camera. */
import { useId, useRef, useState } from 'react';
import { useApp, useAppState } from '../hooks/context';
import type { WorkflowNode } from '../model/types';
import { isModel, MODEL_FILES, VIDEO_FILES } from '../uploads';
import type { FieldProps } from './SettingsForm';
import { UploadProgress } from './UploadProgress';

interface Known {
  readonly value: string;
  readonly label: string;
}

const OTHER = '\n'; // no name has it

export function useKnown(node: WorkflowNode, setting: string): { known: readonly Known[]; none: string } | null {
  const { models, videos, uploaded, cameras } = useAppState();
  switch (`${node.type}.${setting}`) {
    case 'model.modelId':
      return { known: models.map(({ id, name }) => ({ value: id, label: name })), none: 'The default detector' };
    case 'camera.cameraId':
      return { known: cameras.map(({ id, name }) => ({ value: id, label: name })), none: 'By its address' };
    case 'videoInput.videoPath': {
      const sent = uploaded.filter(({ path }) => !isModel(path)).map(({ path, filename }) => ({ value: path, label: filename }));
      const paths = new Set(sent.map(({ value }) => value));
      return { known: [...videos.filter((name) => !paths.has(name)).map((name) => ({ value: name, label: name })), ...sent], none: 'Choose a video…' };
    }
    default:
      return null;
  }
}

function UploadButton({ node }: { node: WorkflowNode }) {
  const app = useApp();
  const file = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="button small" data-testid="upload" onClick={() => file.current?.click()}>Upload…</button>
      <input
        ref={file} type="file" accept={node.type === 'model' ? MODEL_FILES : VIDEO_FILES} hidden aria-label="File to upload" data-testid="upload-file"
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen !== undefined) void app.upload(chosen, node.id);
          event.target.value = '';
        }}
      />
    </>
  );
}

export function PickField({ node, setting, value, onChange, onEnd, known, none }: FieldProps & { known: readonly Known[]; none: string }) {
  const id = useId();
  const text = String(value ?? '');
  const isKnown = text === '' || known.some((one) => one.value === text);
  const [typing, setTyping] = useState(!isKnown);
  const choose = (chosen: string) => {
    setTyping(chosen === OTHER);
    if (chosen === OTHER) return;
    onChange(chosen);
    onEnd();
  };
  const uploads = useAppState().maxUpload > 0 && (setting.name === 'videoPath' || setting.name === 'modelId');
  const typed = typing || !isKnown;
  return (
    <div className="field stacked">
      <label htmlFor={id} title={setting.help}>{setting.label}</label>
      <div className="pick">
        <select id={id} value={typed ? OTHER : text} data-testid={`pick-${setting.name}`} onChange={(event) => choose(event.target.value)}>
          <option value="">{none}</option>
          {known.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
          <option value={OTHER}>Other…</option>
        </select>
        {uploads && <UploadButton node={node} />}
      </div>
      {typed && (
        <input
          type="text" value={text} spellCheck={false} autoComplete="off" aria-label={setting.label} placeholder={setting.help}
          data-testid={`setting-${setting.name}`} onChange={(event) => onChange(event.target.value)} onBlur={onEnd}
        />
      )}
      {uploads && <UploadProgress nodeId={node.id} />}
    </div>
  );
}
