// The stamp: a small, fixed amount of hashing made for every hum alike. Spec: stamp.md.

import { ascii, concat } from '../bytes.js';
import { sha256, sha256After } from '../crypto/derive.js';
import { STAMP, STAMP_BITS_ONE, STAMP_BITS_TWO, STAMP_TRIES } from './sizes.js';

export const START = 4;
const DOMAIN = ascii('wallflower/1 stamp\0');
const WORD_BITS = 32;

export interface Stamp {
  readonly stampClass: number;
  readonly value: Uint8Array;
}

/** What a stamp is for: this letter, under this record (stamp 1.1). */
export const bound = (recordHash: Uint8Array, letter: Uint8Array): Uint8Array =>
  sha256(concat(DOMAIN, recordHash, sha256(letter)));

/** The first 32 bits: enough for the class, and to pass over all but a few tries. */
const firstWord = (hash: Uint8Array): number => new DataView(hash.buffer, hash.byteOffset).getUint32(0);

/** The class of a stamp's hash, by its leading zero bits (stamp 1.4). */
export function classOf(hash: Uint8Array): number {
  const word = firstWord(hash);
  return [STAMP_BITS_ONE, STAMP_BITS_TWO].filter((bits) => word < 2 ** (WORD_BITS - bits)).length;
}

function isSmaller(one: Uint8Array, other: Uint8Array): boolean {
  const at = one.findIndex((byte, i) => byte !== other[i]);
  return at >= 0 && (one[at] as number) < (other[at] as number);
}

/** The best of STAMP_TRIES stamps that begin with `start`, START random bytes (stamp 1). */
export function makeStamp(
  recordHash: Uint8Array,
  letter: Uint8Array,
  start: Uint8Array,
): Stamp {
  const hashOf = sha256After(concat(bound(recordHash, letter), start));
  const count = new Uint8Array(STAMP - START);
  const counting = new DataView(count.buffer);
  let hash = hashOf(count).slice();
  let best = 0;
  for (let n = 1; n < STAMP_TRIES; n++) {
    counting.setUint32(0, n);
    const next = hashOf(count);
    if (firstWord(next) <= firstWord(hash) && isSmaller(next, hash)) [hash, best] = [next.slice(), n];
  }
  counting.setUint32(0, best);
  return { stampClass: classOf(hash), value: concat(start, count) };
}

/** The class that counts (stamp 2). The page never needs it; vectors and tests do. */
export function earnedClass(recordHash: Uint8Array, letter: Uint8Array, stamp: Stamp): number {
  const reached = classOf(sha256(concat(bound(recordHash, letter), stamp.value)));
  return stamp.stampClass <= reached ? stamp.stampClass : 0;
}
