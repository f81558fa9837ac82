// The hash chain: continuity of a conversation without a signature. Spec: chain.md.

import { equal } from '../bytes.js';
import { chainSeed, sha256 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import { CHAIN_WEEKS } from './sizes.js';

/** x_w of a week, or Refused (chain 1, 3). */
export function chainValue(secret: Uint8Array, week: number): Uint8Array {
  if (week < 0 || week >= CHAIN_WEEKS) {
    throw new Refused('chain 3', 'The week lies outside of the chain');
  }
  let value = chainSeed(secret);
  for (let i = 0; i < CHAIN_WEEKS - week; i++) value = sha256(value);
  return value;
}

/** What a letter shows of its chain: week, e_w and x_w. */
export interface Link {
  readonly week: number;
  readonly e: Uint8Array;
  readonly x: Uint8Array;
}

/** What `seen` is to the newest confirmed link (chain 2). The desk's question: vectors ask it. */
export function judge(kept: Link | null, seen: Link): 'first' | 'confirmed' | 'unconfirmed' {
  if (seen.week >= CHAIN_WEEKS) {
    throw new Refused('chain 3', "A letter's week lies outside of the chain");
  }
  if (!kept) return 'first';
  if (seen.week < kept.week) return 'unconfirmed';
  let reached = seen.x;
  for (let i = kept.week; i < seen.week; i++) reached = sha256(reached);
  const sameKeys = seen.week > kept.week || equal(seen.e, kept.e);
  return equal(reached, kept.x) && sameKeys ? 'confirmed' : 'unconfirmed';
}
