import { useEffect, useRef, type ReactNode } from 'react';
import { Icon } from './Icon';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly testId?: string;
  readonly wide?: boolean;
}

/** The browser's own modal dialog: focus stays within, Escape closes. */
export function Dialog({ title, onClose, children, testId, wide = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className={wide ? 'dialog wide' : 'dialog'} data-testid={testId} aria-label={title} onClose={onClose}>
      <header>
        <h2>{title}</h2>
        <button type="button" className="tool" aria-label="Close" onClick={() => dialog.current?.close()}><Icon name="close" /></button>
      </header>
      {children}
    </dialog>
  );
}
