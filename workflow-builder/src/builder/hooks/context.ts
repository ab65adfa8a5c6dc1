import { createContext, useContext, useSyncExternalStore } from 'react';
import type { App, AppState } from '../app-state';
import type { EditorState } from '../model/editor';

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error('outside of the builder');
  return app;
}

export function useAppState(): AppState {
  const app = useApp();
  return useSyncExternalStore(app.subscribe, () => app.state);
}

export function useEditor(): EditorState {
  const { editor } = useApp();
  return useSyncExternalStore(editor.subscribe, () => editor.state);
}
