/* What a workflow can be made of. Entries are dragged to the canvas, or added by Enter. */
import { MiniMap, useReactFlow } from '@xyflow/react';
import { useState, type DragEvent } from 'react';
import { useApp, useAppState } from '../hooks/context';
import { freePlace } from '../model/layout';
import { describeModel } from '../model/models';
import type { Settings, WorkflowNode } from '../model/types';
import { isModel } from '../uploads';
import { CamerasDialog } from './CamerasDialog';
import { Icon } from './Icon';
import { VideosDialog } from './VideosDialog';

export const DRAG_TYPE = 'application/x-overwatch-node';

interface Entry {
  readonly key: string;
  readonly label: string;
  readonly help: string;
  readonly type: string;
  readonly data: Settings;
}

interface Section {
  readonly name: string;
  readonly entries: readonly Entry[];
}

/* About as large as a node is before it has been drawn. */
const NEW_SIZE = { width: 240, height: 190 };
const ORDER = ['Sources', 'Cameras', 'AI Models', 'Filters & Zones', 'Debug & Output'];

function useSections(): readonly Section[] {
  const { types, models, videos, uploaded, cameras } = useAppState();
  const entries = new Map<string, Entry[]>(ORDER.map((name) => [name, []]));
  for (const type of types) {
    const list = entries.get(type.category) ?? [];
    entries.set(type.category, list);
    const label = type.icon === null ? type.label : `${type.label} ${type.icon}`;
    list.push({ key: type.type, label, help: type.help, type: type.type, data: {} });
  }
  const paths = new Set(uploaded.map(({ path }) => path));
  for (const { path, filename } of uploaded.filter(({ path }) => !isModel(path))) {
    entries.get('Sources')?.push({ key: `video ${path}`, label: filename, help: 'An uploaded video', type: 'videoInput', data: { videoPath: path, label: filename } });
  }
  for (const video of videos.filter((name) => !paths.has(name))) {
    entries.get('Sources')?.push({ key: `video ${video}`, label: video, help: 'A video of the media folder', type: 'videoInput', data: { videoPath: video, label: video } });
  }
  for (const camera of cameras) {
    entries.get('Cameras')?.push({ key: `camera ${camera.id}`, label: camera.name, help: camera.url, type: 'camera', data: { cameraId: camera.id, label: camera.name } });
  }
  for (const model of models) {
    entries.get('AI Models')?.push({
      key: `model ${model.id}`, label: model.name, help: describeModel(model), type: 'model',
      data: { modelId: model.id, label: model.name, confidence: 0.4 },
    });
  }
  return [...entries].map(([name, list]) => ({ name, entries: list }));
}

function Item({ entry, onAdd }: { entry: Entry; onAdd: () => void }) {
  const drag = (event: DragEvent) => {
    event.dataTransfer.setData(DRAG_TYPE, JSON.stringify({ type: entry.type, data: entry.data }));
    event.dataTransfer.effectAllowed = 'copy';
  };
  return (
    <li>
      <button
        type="button" className="entry" draggable data-testid={`entry-${entry.key}`} title={`${entry.help}. Drag it to the canvas, or press Enter.`}
        onDragStart={drag} onDoubleClick={onAdd} onKeyDown={(event) => event.key === 'Enter' && !event.ctrlKey && !event.metaKey && onAdd()}
      >
        <span className="grip" aria-hidden="true" />
        {entry.label}
      </button>
    </li>
  );
}

export function Sidebar() {
  const app = useApp();
  const flow = useReactFlow();
  const [search, setSearch] = useState('');
  const [managed, setManaged] = useState<'' | 'cameras' | 'videos'>('');
  const { maxUpload } = useAppState();
  const wanted = search.trim().toLowerCase();
  const sections = useSections()
    .map((section) => ({ ...section, entries: section.entries.filter((entry) => `${entry.label} ${entry.help} ${section.name}`.toLowerCase().includes(wanted)) }))
    .filter((section) => section.entries.length > 0);
  /* Beside the one that is selected, else in the middle; never on another one. */
  const add = (entry: Entry) => {
    const { workflow, selected } = app.editor.state;
    const boxOf = ({ id, position }: WorkflowNode) => {
      const size = flow.getInternalNode(id)?.measured;
      return { ...position, width: size?.width ?? NEW_SIZE.width, height: size?.height ?? NEW_SIZE.height };
    };
    const before = workflow.nodes.find((node) => selected.has(node.id));
    const canvas = document.querySelector('.canvas')?.getBoundingClientRect();
    const middle = flow.screenToFlowPosition({ x: (canvas?.left ?? 0) + (canvas?.width ?? 0) / 2, y: (canvas?.top ?? 0) + (canvas?.height ?? 0) / 2 });
    const wanted = before === undefined ? { x: middle.x - 110, y: middle.y - 50 } : { x: before.position.x + boxOf(before).width + 50, y: before.position.y };
    const place = freePlace({ ...NEW_SIZE, ...wanted }, workflow.nodes.map(boxOf));
    app.editor.add(entry.type, { x: Math.round(place.x / 10) * 10, y: Math.round(place.y / 10) * 10 }, entry.data);
  };
  return (
    <div className="side">
      <nav className="sidebar" aria-label="Nodes">
        <label className="search">
          <Icon name="search" />
          <input type="search" placeholder="Search nodes" aria-label="Search nodes" data-testid="search-nodes" value={search} onChange={(event) => setSearch(event.target.value)} />
        </label>
        {sections.map((section) => (
          <section key={section.name}>
            <h2>
              {section.name}
              {section.name === 'Sources' && maxUpload > 0 && <button type="button" className="link" data-testid="videos" onClick={() => setManaged('videos')}>Upload…</button>}
              {section.name === 'Cameras' && <button type="button" className="link" data-testid="cameras" onClick={() => setManaged('cameras')}>Manage…</button>}
            </h2>
            <ul>
              {section.entries.map((entry) => <Item key={entry.key} entry={entry} onAdd={() => add(entry)} />)}
            </ul>
          </section>
        ))}
        {sections.length === 0 && <p className="none">Nothing of this name.</p>}
      </nav>
      {/* Here it covers no picture. */}
      <MiniMap pannable zoomable ariaLabel="Overview of the canvas" />
      {managed === 'cameras' && <CamerasDialog onClose={() => setManaged('')} />}
      {managed === 'videos' && <VideosDialog onClose={() => setManaged('')} />}
    </div>
  );
}
