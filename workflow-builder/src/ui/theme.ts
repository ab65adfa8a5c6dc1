/* Light, dark, or as the system has it. The choice is kept in this browser and is the same on all
 * pages that are open; theme-first.js sets it before the first paint. */
import { h } from './dom';
import { icon } from './icons';
import { store } from './storage';

type Theme = 'system' | 'light' | 'dark';

const KEY = 'overwatch-theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];
const LABELS: Readonly<Record<Theme, string>> = { system: 'as the system has it', light: 'light', dark: 'dark' };
const listeners = new Set<() => void>(); // called after each change

function chosenTheme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  document.querySelector('meta[name=color-scheme]')?.setAttribute('content', theme === 'system' ? 'dark light' : theme);
  for (const listener of listeners) listener();
}

function chooseTheme(theme: Theme): void {
  store(KEY, theme === 'system' ? null : theme);
  apply(theme);
}

function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? 'system';
}

/* What it is now and what pressing does. */
function themeLabel(theme: Theme): string {
  return `Theme: ${LABELS[theme]}. Change to ${LABELS[nextTheme(theme)]}`;
}

window.addEventListener('storage', ({ key, newValue }) => {
  if (key === KEY || key === null) apply(newValue === 'light' || newValue === 'dark' ? newValue : 'system');
});

/** A button that goes through the three. */
export function themeSwitch(): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'tool', 'data-testid': 'theme', click: () => chooseTheme(nextTheme(chosenTheme())) });
  const show = () => {
    const theme = chosenTheme();
    button.replaceChildren(icon(theme));
    button.title = themeLabel(theme);
    button.setAttribute('aria-label', button.title);
  };
  listeners.add(show);
  show();
  return button;
}
