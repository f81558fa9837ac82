// The board in memory: a verified head and the segments behind it, newest first.
//
// It grows while segments come in. Behind the fetched part stands what this browser kept from earlier
// visits; between the two segments may be missing that did not come.

import { equal, toHex } from './bytes.js';
import { Refused } from './refused.js';
import {
  type Head,
  keptHead,
  type Segment,
  verifyForward,
  verifyHead,
  verifyKept,
  verifySame,
  verifySegment,
} from './trust/board.js';
import type { EpochRecord } from './trust/record.js';

export interface KeptBoard {
  readonly head: Uint8Array;
  readonly segments: readonly Uint8Array[];
}

export interface Board {
  readonly head: Head;
  readonly segments: readonly Segment[];
}

export const isComplete = (board: Board): boolean =>
  board.segments.length === board.head.number - board.head.first + 1;

const nextNumber = ({ head, segments }: Board): number =>
  (segments.at(-1)?.header.number ?? head.number + 1) - 1;

/** The hash that the next older segment has to have. */
export const nextHash = (board: Board): Uint8Array =>
  board.segments.at(-1)?.header.previous ?? board.head.segmentHash;

/** Believe the heads that ways showed; the newest leads, so that no way can hold back what another
 * shows, and of equal ones the first. Refused when two disagree. */
export function leadingHead(
  shown: readonly (Uint8Array | null)[],
  record: EpochRecord,
  seen: number,
): Head {
  const heads: Head[] = [];
  let fault = new Refused('segment 3.1', 'No way shows a head of the board');
  for (const bytes of shown) {
    // Two ways mostly show the same.
    if (!bytes || heads.some((head) => equal(head.bytes, bytes))) continue;
    try {
      heads.push(verifyHead(bytes, record));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fault = error;
    }
  }
  const [first, ...others] = heads;
  if (!first) throw fault;
  const newest = others.reduce((best, head) => (head.number > best.number ? head : best), first);
  for (const head of heads) verifySame(newest, head);
  verifyForward(newest, seen);
  return newest;
}

/** How new a board is: the number of its head; 0 for one that is higher than what was seen under
 * today's board key, since another key signed it (segment 3.7). */
export const newness = (board: Board | null, seen: number): number =>
  board && board.head.number <= seen ? board.head.number : 0;

/** Add the next older segment, fetched just now, or Refused. One that was kept is not verified again. */
export function extend(
  board: Board,
  bytes: Uint8Array,
  record: EpochRecord,
  kept: Board | null = null,
): Board {
  const follower = board.segments.at(-1)?.header ?? null;
  const wanted = nextHash(board);
  const known = kept?.segments.find(({ hash }) => equal(hash, wanted)) ?? null;
  const segment = verifySegment(bytes, wanted, record, follower, known);
  return { head: board.head, segments: [...board.segments, segment] };
}

/** What was fetched, and behind it what was kept: of the same chain, as far as the hashes tell. */
export function joined(fetched: Board, kept: Board | null): Board {
  const [number, { first }] = [nextNumber(fetched), fetched.head];
  const behind = kept?.segments.filter(({ header }) => header.number <= number && header.number >= first);
  const [next] = behind ?? [];
  if (!behind || !next) return fetched;
  if (next.header.number === number && !equal(next.hash, nextHash(fetched))) return fetched;
  return { head: fetched.head, segments: [...fetched.segments, ...behind] };
}

/** Believe a board out of the store, where every segment is in its place behind the head; else null. */
export function openKept(kept: KeptBoard | null): Board | null {
  if (!kept) return null;
  try {
    let board: Board = { head: keptHead(kept.head), segments: [] };
    for (const bytes of kept.segments) {
      const segment = verifyKept(bytes, nextNumber(board), nextHash(board));
      board = { ...board, segments: [...board.segments, segment] };
    }
    return board;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

export const receiptsOf = (board: Board | null): Set<string> =>
  new Set(board?.segments.flatMap((segment) => segment.receipts.map(toHex)));
