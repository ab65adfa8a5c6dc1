/* Figures as a node shows them. Pure. */
import type { NodeState } from '../live';

const number = (value: number, digits = 0) => value.toFixed(digits);

export function rate(state: NodeState | null): string {
  return state?.fps === undefined ? '' : `${number(state.fps, state.fps < 10 ? 1 : 0)} fps`;
}

export function size(state: NodeState | null): string {
  return state?.width ? `${state.width}×${state.height}` : '';
}

export function milliseconds(value: number | undefined): string {
  return value === undefined || value === 0 ? '' : `${number(value, value < 10 ? 1 : 0)} ms`;
}

export function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
