/* Which transport somebody has chosen for a view, kept in this browser for the next time. What a player
 * falls back to by itself is no choice. */
import type { TransportChoice } from '../player/session-machine';
import { store, stored } from './storage';

const KEY = 'overwatch-transport';
const KEPT = 100; // views, the ones chosen for last

function isChoice(value: unknown): value is TransportChoice {
  return value === 'auto' || value === 'webrtc' || value === 'websocket';
}

/* By node id, the one chosen for last at the end. */
function choices(): readonly (readonly [string, TransportChoice])[] {
  try {
    const list: unknown = JSON.parse(stored(KEY) ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.filter((item): item is [string, TransportChoice] => Array.isArray(item) && typeof item[0] === 'string' && isChoice(item[1]));
  } catch {
    return [];
  }
}

/** null: none was chosen. */
export function chosenTransport(node: string): TransportChoice | null {
  return choices().find(([id]) => id === node)?.[1] ?? null;
}

export function chooseTransport(node: string, choice: TransportChoice): void {
  const others = choices().filter(([id]) => id !== node);
  store(KEY, JSON.stringify([...others, [node, choice]].slice(-KEPT)));
}

/** The one that an address names (`?transport=`); null: it names none. */
export function transportOfAddress(search: string): TransportChoice | null {
  const named = new URLSearchParams(search).get('transport');
  return isChoice(named) ? named : null;
}
