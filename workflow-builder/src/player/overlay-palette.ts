/* Colours of objects: those that the server draws with (src/xray/palette.c, src/xray/scheme.c), so that
 * both look alike. Pure. */
import type { SeenObject } from './metadata';

const CLASSES = [
  '#18b7f2', '#ff7a1a', '#8bd42a', '#f03e6b', '#9b6bff', '#ffc61a', '#12c99b', '#ff5fd0', '#3d7bff', '#e4572e', '#5fe0e6', '#c8e03a',
  '#b5179e', '#2fae4e', '#ff9e80', '#5a3cd8', '#a8752b', '#7fc4ff', '#ff2b24', '#00857a', '#d9a6ff', '#7a9a01', '#c2185b', '#b0bec5',
] as const;
const NEON = ['#00f0ff', '#ff2bd6', '#39ff14', '#fff01f', '#ff6b1a', '#b14bff', '#00ff9d', '#ff3355'] as const;
const CONFIDENCE = ['#f0393b', '#ffc61a', '#2fc25b'] as const;
const THERMAL = ['#5b2be0', '#c4258f', '#ff5a1f', '#ffc42e', '#fff6d6'] as const;
const ZONES = ['#ffd166', '#7de2d1', '#d8b4fe', '#ffa8a8', '#a5d8ff', '#d0f47a', '#ffc99b', '#f3b3e6'] as const;
const WHITE = '#f4f6f8';

const KNOWN: Readonly<Record<string, string>> = {
  person: '#ff5a5f', face: '#ff8a8d', head: '#ff8a8d', bicycle: '#22d3ee', motorcycle: '#a78bfa', motorbike: '#a78bfa',
  car: '#3b9cff', van: '#7cb8ff', truck: '#fb923c', bus: '#facc15', train: '#94a3b8', boat: '#2dd4bf', airplane: '#c4b5fd',
  aeroplane: '#c4b5fd', 'traffic light': '#f43f9e', 'stop sign': '#ef4444', 'license plate': '#ffffff', bird: '#bef264',
  cat: '#a3e635', dog: '#4ade80', horse: '#22c55e', sheep: '#86efac', cow: '#65a30d', bear: '#159a4a', backpack: '#d98a2b',
  handbag: '#e879f9', suitcase: '#c084fc', umbrella: '#818cf8', knife: '#ff1744', fire: '#ff3d00', smoke: '#b0bec5', helmet: '#ffd60a',
};

const channels = (colour: string): readonly number[] => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

function mix(from: string, to: string, share: number): string {
  const goal = channels(to);
  const mixed = channels(from).map((channel, i) => Math.round(channel + share * ((goal[i] ?? 0) - channel)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/* Evenly spaced stops from 0 to 1. */
function ramp(stops: readonly string[], value: number): string {
  const at = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
  const stop = Math.min(Math.floor(at), stops.length - 2);
  return mix(stops[stop] ?? WHITE, stops[stop + 1] ?? WHITE, at - stop);
}

/** The stops of a scheme that shows the confidence, from 0 to 1; null: it shows the class. */
export function scaleOf(scheme: string): readonly string[] | null {
  return scheme === 'confidence' ? CONFIDENCE : scheme === 'thermal' ? THERMAL : null;
}

/** The colour of an object by a `colorScheme`; unknown ones are as the default. */
export function colourOf({ classId, className, ownColour, confidence }: Pick<SeenObject, 'classId' | 'className' | 'ownColour' | 'confidence'>, scheme: string): string {
  const scale = scaleOf(scheme);
  if (scale !== null) return ramp(scale, confidence);
  if (scheme === 'monochrome') return WHITE;
  if (scheme === 'neon') return NEON[classId % NEON.length] ?? WHITE;
  return ownColour ?? (scheme === 'class_specific' ? KNOWN[className] : undefined) ?? CLASSES[classId % CLASSES.length] ?? WHITE;
}

/** The colour of a zone by its number, off those of the objects. */
export function zoneColour(index: number, scheme: string): string {
  if (scheme === 'monochrome') return WHITE;
  return (scheme === 'neon' ? NEON[(index + 3) % NEON.length] : ZONES[index % ZONES.length]) ?? WHITE;
}

/** Of the middle of a body, its left and its right, which are told apart. */
export type BodyColours = readonly [string, string, string];

export function bodyColours(object: string, scheme: string): BodyColours {
  if (scaleOf(scheme) !== null || scheme === 'monochrome') return [mix(object, '#000000', 0.15), mix(object, '#ffffff', 0.5), mix(object, '#000000', 0.4)];
  return scheme === 'neon' ? [object, '#39ff14', '#ff2bd6'] : [object, '#ffa726', '#c06bff'];
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = channels(colour).map((channel) => {
    const v = channel / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever has more contrast on this ground. */
export function textOn(ground: string): string {
  const light = luminance(ground) + 0.05;
  return light / 0.05 >= 1.05 / light ? '#000' : '#fff';
}
