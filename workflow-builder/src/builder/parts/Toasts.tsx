import { useApp, useAppState } from '../hooks/context';
import { Icon } from './Icon';

export function Toasts() {
  const app = useApp();
  const { toasts } = useAppState();
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} className="toast" data-kind={toast.kind} data-testid="toast">
          <span>{toast.text}</span>
          <button type="button" className="tool small" aria-label="Dismiss" onClick={() => app.dismiss(toast.id)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}
