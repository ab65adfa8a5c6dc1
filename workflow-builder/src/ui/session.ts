/* On a protected server: logging out, and the way to the log-in page when a session has ended, on
 * this page or on another one. Elsewhere nothing is asked again and again. */
import { store } from './storage';

const CHECK_MS = 10_000;
const RETRY_MS = 2_000;
const KEY = 'overwatch-logged-out';

/** Is there a log-in on this server? null: it does not answer. A server that has no such call has none. */
async function isProtected(): Promise<boolean | null> {
  try {
    const response = await fetch('/api/config');
    if (response.status === 401) return true;
    if (!response.ok) return response.status === 404 ? false : null;
    const { auth } = (await response.json()) as { auth?: { required?: boolean } };
    return auth?.required === true;
  } catch {
    return null;
  }
}

function goToLogin(): void {
  location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search + location.hash)}`);
}

let leaving = false;

/** Asks whether the session still holds; the log-in page comes when it does not. It comes once: a page
 * with unsaved changes may be held back, and is not to be asked for again and again. */
export async function checkSession(): Promise<void> {
  if (leaving) return;
  try {
    if ((await fetch('/api/workflow-builder/status')).status !== 401) return;
    leaving = true;
    goToLogin();
  } catch {
    /* the server is away, which says nothing of the session */
  }
}

/** Call once a page; `known` is called when the server turns out to be protected. */
export async function guardSession(known: () => void): Promise<void> {
  const answer = await isProtected();
  if (answer === null) {
    setTimeout(() => void guardSession(known), RETRY_MS);
    return;
  }
  if (!answer) return;
  known();
  setInterval(() => void checkSession(), CHECK_MS);
  document.addEventListener('visibilitychange', () => void checkSession());
  window.addEventListener('storage', ({ key }) => key === KEY && void checkSession());
  void checkSession();
}

export async function logOut(): Promise<void> {
  try {
    const { ok } = await fetch('/api/logout', { method: 'POST' });
    if (!ok) return;
    store(KEY, String(Date.now())); // the other pages look
  } catch {
    /* the server is away: what follows tells */
  }
  goToLogin();
}
