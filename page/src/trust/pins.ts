// The pins: the keys that a bundle carries and that everything else is measured against, and what
// the bundle says of its film and of its operator's choices.

import { fromHex } from '../bytes.js';
import { CHANNELS } from '../wire/census.js';
import { VERIFY_KEY } from '../wire/sizes.js';

export interface Pins {
  readonly root: Uint8Array;
  readonly organisation: Uint8Array;
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly desk: string;
  /** Whether a person may let a letter leave on the day that it was written (store 3.3). */
  readonly hurry: boolean;
  /** Which of the campaign's channels this copy was made for, for the census (census 1). */
  readonly channel: number;
  /** Board ways that a carried copy begins from; a served one begins from its own address. */
  readonly boards: readonly string[];
  readonly film: { readonly pieces: number; readonly bytes: number };
}

/** Read what the build wrote into the page; null when the page was never built for anybody. */
export function parsePins(text: string): Pins | null {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(fields) || typeof fields['desk'] !== 'string') return null;
  const [root, organisation] = [key(fields['root']), key(fields['organisation'])];
  const [a, b] = [key(fields['a']), key(fields['b'])];
  if (!root || !organisation || !a || !b) return null;
  const film = isObject(fields['film']) ? fields['film'] : {};
  return {
    root, organisation, a, b, desk: fields['desk'],
    hurry: fields['hurry'] !== false,
    channel: Math.min(count(fields['channel']), CHANNELS - 1),
    boards: Array.isArray(fields['boards']) ? fields['boards'].filter(isText) : [],
    film: { pieces: count(film['pieces']), bytes: count(film['bytes']) },
  };
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null;
}

const isText = (value: unknown): value is string => typeof value === 'string';

function key(value: unknown): Uint8Array | null {
  const bytes = typeof value === 'string' ? fromHex(value) : null;
  return bytes?.length === VERIFY_KEY ? bytes : null;
}

const count = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
