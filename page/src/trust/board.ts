// Which board may be believed: its head, and segments by the hash chain. Spec: segment.md 3.

import { equal } from '../bytes.js';
import { verifies } from '../crypto/sign.js';
import { Refused } from '../refused.js';
import {
  type Counts,
  grew,
  parseHead,
  parseSegment,
  type SegmentHeader,
  type SignedHead,
  type SignedSegment,
} from '../wire/segment.js';
import { type EpochRecord, isAncestor } from './record.js';

declare const believed: unique symbol;

export type Head = SignedHead & { readonly [believed]: true };
export type Segment = SignedSegment & { readonly [believed]: true };

/** Parse and verify a head under today's record (segment 3.1-3.3, 3.6). */
export function verifyHead(data: Uint8Array, record: EpochRecord): Head {
  const head = parseHead(data);
  if (!verifies(record.body.boardVerify, 'head', head.signed, head.signature)) {
    throw new Refused('segment 3.3', "The board's signature is not valid");
  }
  if (!isAncestor(record, head.recordHash)) {
    throw new Refused('segment 3.6', "The board's head belongs to another record");
  }
  return head as Head;
}

/**
 * The head out of this browser's own store. Absent on purpose: signature and record, which were checked when
 * it came. A later record may name another key, or no ancestor that old, and what was read stays readable;
 * what is fetched is measured against a head that was fetched.
 */
export const keptHead = (data: Uint8Array): Head => parseHead(data) as Head;

/**
 * What was seen of boards, for this record: nothing where the record `before`, under which it was, names
 * another board key. Whoever had that one could name the highest number there is, and no head of before
 * is believed any more in any case (segment 3.7).
 */
export const seenUnder = (record: EpochRecord, seen: number, before: EpochRecord): number =>
  equal(record.body.boardVerify, before.body.boardVerify) ? seen : 0;

/** Refuse a board that was rolled back behind a number that was seen (segment 3.7). */
export function verifyForward(head: Head, seen: number): void {
  if (head.number < seen) throw new Refused('segment 3.7', 'The board was rolled back');
}

/** Refuse two ways that show different boards under one number (segment 3.7). */
export function verifySame(one: Head, other: Head): void {
  if (one.number === other.number && !equal(one.segmentHash, other.segmentHash)) {
    throw new Refused('segment 3.7', 'Two ways show different boards');
  }
}

/**
 * Parse a fetched segment and check it against the hash that names it (segment 3.1-3.5). `follower`
 * is the header of the segment after it, null for the newest; `kept` is the segment with this hash
 * out of this browser's own store, if it has one. Under another record than today's the board may
 * have had another key: the hash is enough there, since the head is signed.
 */
export function verifySegment(
  data: Uint8Array,
  expected: Uint8Array,
  record: EpochRecord,
  follower: SegmentHeader | null,
  kept: Segment | null = null,
): Segment {
  const known = kept && equal(kept.bytes, data) ? kept : null;
  const segment = known ?? verifyLink(data, expected);
  verifyCounts(segment.header, record.hash, record.body.parameters);
  if (follower) verifyCounts(segment.header, follower.recordHash, follower);
  const { signed, signature, header } = segment;
  const asked = !known && equal(header.recordHash, record.hash);
  if (asked && !verifies(record.body.boardVerify, 'segment', signed, signature)) {
    throw new Refused('segment 3.3', "The board's signature is not valid");
  }
  return segment;
}

/** Refuse counts that no public step explains (segment 3.4). Sizes change with a record only. */
function verifyCounts(header: SegmentHeader, recordHash: Uint8Array, counts: Counts): void {
  const same = equal(header.recordHash, recordHash);
  const equals = header.replies === counts.replies && header.receipts === counts.receipts;
  if (same ? !equals : !grew(header, counts)) {
    throw new Refused('segment 3.4', 'A board segment has counts that no step explains');
  }
}

/** Parse a segment and refuse another one than was named (segment 3.1, 3.2, 3.5). */
export function verifyLink(data: Uint8Array, expected: Uint8Array): Segment {
  const segment = parseSegment(data);
  if (!equal(segment.hash, expected)) {
    throw new Refused('segment 3.5', 'A board segment is not the one that was named');
  }
  return segment as Segment;
}

/**
 * The same for a segment out of this browser's own store, which is this `number` or an older one: those
 * between may not have come (store 4.4). Absent on purpose: signature and counts, which were checked when
 * it came, and behind a gap the hash; a board that is fetched goes on with it by its hash alone.
 */
export function verifyKept(data: Uint8Array, number: number, expected: Uint8Array): Segment {
  const segment = parseSegment(data);
  const behind = segment.header.number < number;
  if (!behind && !equal(segment.hash, expected)) {
    throw new Refused('segment 3.5', 'A kept segment is not in its place');
  }
  return segment as Segment;
}
