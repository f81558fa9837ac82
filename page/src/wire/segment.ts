// A board segment and the board's signed head. Segments never change. Spec: segment.md.

import { toNumber } from '../bytes.js';
import { sha256 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import { parseReceipts } from './receipt.js';
import { HASH, HEAD, RECEIPT, REPLY_SLOT, SEGMENT_HEADER, SIGNATURE } from './sizes.js';

const VERSION = 1;

/** The fields before the slots (segment 1.2). */
export interface SegmentHeader {
  readonly record: number;
  readonly number: number;
  readonly period: number;
  readonly replies: number;
  readonly receipts: number;
  readonly previous: Uint8Array;
  readonly dropHead: Uint8Array;
  readonly recordHash: Uint8Array;
}

/** A parsed segment; signature and chain are checked by `trust/board.ts`. */
export interface SignedSegment {
  readonly header: SegmentHeader;
  readonly replies: readonly Uint8Array[];
  readonly receipts: readonly Uint8Array[];
  readonly signature: Uint8Array;
  readonly signed: Uint8Array;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

/** A parsed head: which segments are on the board (segment 2). */
export interface SignedHead {
  readonly record: number;
  readonly number: number;
  readonly period: number;
  readonly first: number;
  readonly segmentHash: Uint8Array;
  readonly dropHead: Uint8Array;
  readonly recordHash: Uint8Array;
  readonly signature: Uint8Array;
  readonly signed: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The bytes of a segment with these counts (segment 1.1). */
export const segmentSize = (replies: number, receipts: number): number =>
  SEGMENT_HEADER + replies * REPLY_SLOT + receipts * RECEIPT + SIGNATURE;

/** The board grows by whole steps, four times as large each (segment 4). */
const STEP = 4;

/** Reply slots and receipts of a segment. */
export interface Counts {
  readonly replies: number;
  readonly receipts: number;
}

/** Whether counts are those of before, or some whole steps more (segment 4). */
export function grew(before: Counts, after: Counts): boolean {
  let { replies, receipts } = before;
  while (replies && replies < after.replies) {
    replies *= STEP;
    receipts *= STEP;
  }
  return replies === after.replies && receipts === after.receipts;
}

/** The length of the segment that begins with these bytes, or Refused (segment 3.1). */
export function segmentLength(bytes: Uint8Array): number {
  if (bytes.length < SEGMENT_HEADER) {
    throw new Refused('segment 3.1', 'A board segment has the wrong length');
  }
  return segmentSize(toNumber(bytes.slice(12, 14)), toNumber(bytes.slice(14, 16)));
}

/** Read a segment, or Refused (segment 3.1, 3.2). */
export function parseSegment(bytes: Uint8Array): SignedSegment {
  if (bytes.length < SEGMENT_HEADER) {
    throw new Refused('segment 3.1', 'A board segment has the wrong length');
  }
  if (bytes[0] !== VERSION || bytes[1]) {
    throw new Refused('segment 3.2', "A board segment's version is unknown");
  }
  const number = (from: number, to: number): number => toNumber(bytes.slice(from, to));
  const [replies, receipts] = [number(12, 14), number(14, 16)];
  if (bytes.length !== segmentSize(replies, receipts)) {
    throw new Refused('segment 3.1', 'A board segment has the wrong length');
  }
  const slots = SEGMENT_HEADER + replies * REPLY_SLOT;
  const end = bytes.length - SIGNATURE;
  return {
    header: {
      record: number(2, 4), number: number(4, 8), period: number(8, 12), replies, receipts,
      previous: bytes.slice(16, 48), dropHead: bytes.slice(48, 80), recordHash: bytes.slice(80, 112),
    },
    replies: Array.from({ length: replies }, (_, i) =>
      bytes.slice(SEGMENT_HEADER + i * REPLY_SLOT, SEGMENT_HEADER + (i + 1) * REPLY_SLOT),
    ),
    receipts: parseReceipts(bytes.slice(slots, end)),
    signature: bytes.slice(end),
    signed: bytes.slice(0, end),
    bytes,
    hash: sha256(bytes),
  };
}

/** Read a head, or Refused (segment 3.1, 3.2). */
export function parseHead(bytes: Uint8Array): SignedHead {
  if (bytes.length !== HEAD) {
    throw new Refused('segment 3.1', "The board's head has the wrong length");
  }
  if (bytes[0] !== VERSION || bytes[1]) {
    throw new Refused('segment 3.2', "The board's head has an unknown version");
  }
  const number = (from: number, to: number): number => toNumber(bytes.slice(from, to));
  const hash = (at: number): Uint8Array => bytes.slice(at, at + HASH);
  const end = HEAD - SIGNATURE;
  return {
    record: number(2, 4), number: number(4, 8), period: number(8, 12), first: number(12, 16),
    segmentHash: hash(16), dropHead: hash(48), recordHash: hash(80),
    signature: bytes.slice(end), signed: bytes.slice(0, end), bytes,
  };
}
