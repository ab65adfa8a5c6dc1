import { Dialog } from './Dialog';

const SHORTCUTS: readonly (readonly [string, string])[] = [
  ['Ctrl S', 'Save'],
  ['Ctrl Enter', 'Save and execute'],
  ['Ctrl Z', 'Undo'],
  ['Ctrl Shift Z, Ctrl Y', 'Redo'],
  ['Ctrl C, Ctrl V', 'Copy, paste'],
  ['Ctrl D', 'Duplicate'],
  ['Ctrl A', 'Select all'],
  ['Delete', 'Delete what is selected'],
  ['Arrows', 'Move what is selected'],
  ['Shift drag', 'Select an area'],
  ['Tab, Enter', 'Go to a node, select it'],
  ['?', 'This list'],
];

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="shortcuts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt><kbd>{keys}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
