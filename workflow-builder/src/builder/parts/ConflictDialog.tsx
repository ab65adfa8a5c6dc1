/* The open workflow has been changed elsewhere since it was read: whose changes stay. */
import type { ConflictChoice } from '../app-state';
import { useApp, useEditor } from '../hooks/context';
import { Dialog } from './Dialog';

const CHOICES: readonly { readonly choice: ConflictChoice; readonly label: string; readonly what: string }[] = [
  { choice: 'copy', label: 'Save as a copy', what: 'keeps both: yours becomes a workflow of its own' },
  { choice: 'theirs', label: 'Load theirs', what: 'shows what is kept now; undo brings yours again' },
  { choice: 'mine', label: 'Keep mine', what: 'replaces what they saved, which is gone then' },
];

export function ConflictDialog() {
  const app = useApp();
  const { workflow } = useEditor();
  return (
    <Dialog title="Changed elsewhere" onClose={() => void app.resolve(null)} testId="conflict">
      <p className="about">“{workflow.name}” has been changed in another browser since it was opened here. Nothing is lost yet: what you have here is not saved, what they saved is kept.</p>
      <ul className="choices">
        {CHOICES.map(({ choice, label, what }) => (
          <li key={choice}>
            <button type="button" className="button" data-testid={`conflict-${choice}`} onClick={() => void app.resolve(choice)}>{label}</button>
            <span>{what}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
