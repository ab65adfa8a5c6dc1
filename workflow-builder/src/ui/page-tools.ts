/* What stands at the right of each page's bar: the other pages, the theme, the log-out. */
import { h } from './dom';
import { icon } from './icons';
import { guardSession, logOut } from './session';
import { themeSwitch } from './theme';

const PAGES = [
  { href: '/', name: 'Workflow builder', icon: 'builder' },
  { href: '/wall', name: 'Wall: all running views', icon: 'wall' },
  { href: '/recordings', name: 'Recordings', icon: 'film' },
  { href: '/performance', name: 'Performance', icon: 'bars' },
] as const;

/** Hidden until the server says that there is something to log out of. */
export function logoutButton(): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'tool', 'aria-label': 'Log out', title: 'Log out', 'data-testid': 'logout', hidden: true, click: () => void logOut() }, icon('logout'));
  void guardSession(() => (button.hidden = false));
  return button;
}

/** Links to the pages but this one; the theme switch; the log-out. */
export function pageTools(): HTMLElement {
  const links = PAGES.filter(({ href }) => href !== location.pathname).map(({ href, name, icon: picture }) =>
    h('a', { class: 'tool', href, 'aria-label': name, title: name }, icon(picture)));
  return h('nav', { class: 'page-tools', 'aria-label': 'Pages' }, ...links, themeSwitch(), logoutButton());
}

/** The same for a page made by React: as the `ref` of an empty element. */
export function mountPageTools(place: HTMLElement | null): void {
  place?.replaceChildren(pageTools());
}
