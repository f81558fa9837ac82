// What this browser keeps, as one image of constant size. Spec: store.md 1.
//
// A place says only whether its letter waits. One that left and one that never held a letter are the
// same to everybody who does not have the words: both hold a real filler of today.

import { concat, padded, uint } from '../bytes.js';
import type { KeptBoard } from '../board.js';
import { Refused } from '../refused.js';
import { Reader } from '../wire/reading.js';
import { segmentLength } from '../wire/segment.js';
import {
  BOARD_SEGMENTS,
  HASH,
  HEAD,
  LETTER,
  RECORD_MAX,
  SEGMENT,
  TOKEN,
  TOKEN_WEEKS,
} from '../wire/sizes.js';

export const SLOTS = 4;
export const SLOT_TAG = 16;
export const SLOT_NOTE = 4;
export const SLOT_TOKENS = TOKEN_WEEKS * TOKEN;
export const LINEAGE = 16;
const BOARD_AREA = BOARD_SEGMENTS * SEGMENT;
const RULE = 'store 4.1';

/** Whether a place's letter waits: not at all, for a later day, or for the next visit (store 3.3). */
export const Waits = { NOT: 0, LATER: 1, NEXT: 2 } as const;
export type Waits = (typeof Waits)[keyof typeof Waits];

/** One place for a letter. `tag` and `note` mean something to who has the words, and are noise to
 * others (store 2.2); so are `tokens`, which B takes for those of some conversation (store 2.6). */
export interface Slot {
  readonly waits: Waits;
  readonly day: number;
  readonly recordHash: Uint8Array;
  readonly tag: Uint8Array;
  readonly note: Uint8Array;
  readonly tokens: Uint8Array;
  readonly letter: Uint8Array;
}

export interface Image {
  /** Renewed by "forget", so that a second tab does not bring back what was forgotten. */
  readonly lineage: Uint8Array;
  /** Whether visits send padding. */
  readonly hums: boolean;
  readonly seen: number;
  readonly record: Uint8Array;
  readonly slots: readonly Slot[];
  readonly board: KeptBoard | null;
}

const SLOT = 1 + 4 + HASH + SLOT_TAG + SLOT_NOTE + SLOT_TOKENS + LETTER;
/** Bytes of an image before it is packed (packing.ts). */
export const PLAIN = LINEAGE + 1 + 4 + 2 + RECORD_MAX + SLOTS * SLOT + HEAD + 4 + 2 + BOARD_AREA;

const encodeSlot = (slot: Slot): Uint8Array =>
  concat(
    Uint8Array.of(slot.waits), uint(slot.day, 4), slot.recordHash, slot.tag, slot.note, slot.tokens,
    slot.letter,
  );

/** Always PLAIN bytes. A board that is larger than its area is kept as far as it fits. */
export function encodeImage(image: Image): Uint8Array {
  const segments = fitting(image.board?.segments ?? []);
  const whole = concat(
    image.lineage,
    Uint8Array.of(Number(image.hums)),
    uint(image.seen, 4),
    uint(image.record.length, 2),
    padded(image.record, RECORD_MAX),
    ...image.slots.map(encodeSlot),
    image.board?.head ?? new Uint8Array(HEAD),
    uint(segments.reduce((size, segment) => size + segment.length, 0), 4),
    uint(segments.length, 2),
    ...segments,
  );
  return padded(whole, PLAIN);
}

/** The newest segments that fit the board's area; across a step of the board (segment 4) their
 * sizes differ. */
function fitting(segments: readonly Uint8Array[]): readonly Uint8Array[] {
  let left = BOARD_AREA;
  const tooMuch = segments.findIndex(({ length }) => (left -= length) < 0);
  return tooMuch < 0 ? segments : segments.slice(0, tooMuch);
}

/** The segments that lie one after another, or null when they do not fill these bytes. */
function cut(bytes: Uint8Array, count: number): Uint8Array[] | null {
  const segments: Uint8Array[] = [];
  let rest = bytes;
  try {
    while (segments.length < count) {
      const size = segmentLength(rest);
      segments.push(rest.slice(0, size));
      rest = rest.subarray(size);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
  return rest.length ? null : segments;
}

function readSlot(reader: Reader): Slot {
  const waits = reader.number(1);
  if (waits > Waits.NEXT) throw new Refused(RULE, 'The store holds an unknown state');
  const day = reader.number(4);
  const [recordHash, tag, note] = [reader.take(HASH), reader.take(SLOT_TAG), reader.take(SLOT_NOTE)];
  const tokens = reader.take(SLOT_TOKENS);
  return { waits: waits as Waits, day, recordHash, tag, note, tokens, letter: reader.take(LETTER) };
}

/** Read an image, or Refused: then the page begins with an empty store (store 4.1). */
export function decodeImage(data: Uint8Array): Image {
  if (data.length !== PLAIN) throw new Refused(RULE, 'The store has the wrong length');
  const reader = new Reader(data, RULE);
  const lineage = reader.take(LINEAGE);
  const hums = reader.number(1) !== 0;
  const seen = reader.number(4);
  const recordLength = reader.number(2);
  const record = reader.take(RECORD_MAX).slice(0, recordLength);
  const slots = Array.from({ length: SLOTS }, () => readSlot(reader));
  const head = reader.take(HEAD);
  const [length, count] = [reader.number(4), reader.number(2)];
  if (length > BOARD_AREA) throw new Refused(RULE, 'The store holds too large a board');
  const segments = count ? cut(reader.take(length), count) : null;
  return { lineage, hums, seen, record, slots, board: segments && { head, segments } };
}
