// What this browser keeps, as one image of constant size: four letters, the newest record, the
// board. Slots without a letter hold real fillers, so a sealed letter looks like its neighbours.
//
// The state of a slot stands in the clear, since the page has to choose a letter before anybody
// types words: who reads this image learns that a letter waits, not what it says nor to whose words
// it belongs. Hiding the state too is the store discipline's task, behind the same functions.

import { concat, padded, uint } from '../bytes.js';
import type { KeptBoard } from '../board.js';
import { Refused } from '../refused.js';
import { Reader } from '../wire/reading.js';
import { BOARD_SEGMENTS, HASH, HEAD, LETTER, RECORD_MAX, SEGMENT } from '../wire/sizes.js';

export const SLOTS = 4;
export const SLOT_TAG = 16;
const MAGIC = Uint8Array.of(0x57, 0x46, 0x53, 1);
const BOARD_AREA = BOARD_SEGMENTS * SEGMENT;
const RULE = 'store 1';

export const SlotState = { FILLER: 0, WAITING: 1, LEFT: 2 } as const;
export type SlotState = (typeof SlotState)[keyof typeof SlotState];

/** One place for a letter. `tag` is known again by who has the words, and noise to others. */
export interface Slot {
  readonly state: SlotState;
  readonly day: number;
  readonly recordHash: Uint8Array;
  readonly tag: Uint8Array;
  readonly letter: Uint8Array;
}

export interface Image {
  readonly seen: number;
  readonly record: Uint8Array;
  readonly slots: readonly Slot[];
  readonly board: KeptBoard | null;
}

const SLOT = 1 + 4 + HASH + SLOT_TAG + LETTER;
export const IMAGE = MAGIC.length + 4 + 2 + RECORD_MAX + SLOTS * SLOT + HEAD + 4 + 2 + BOARD_AREA;

const encodeSlot = (slot: Slot): Uint8Array =>
  concat(Uint8Array.of(slot.state), uint(slot.day, 4), slot.recordHash, slot.tag, slot.letter);

/** Always IMAGE bytes. A board that is larger than its area is kept as far as it fits. */
export function encodeImage(image: Image): Uint8Array {
  const size = image.board?.segments[0]?.length ?? 0;
  const fits = size ? Math.floor(BOARD_AREA / size) : 0;
  const segments = image.board?.segments.slice(0, fits) ?? [];
  return concat(
    MAGIC,
    uint(image.seen, 4),
    uint(image.record.length, 2),
    padded(image.record, RECORD_MAX),
    ...image.slots.map(encodeSlot),
    image.board?.head ?? new Uint8Array(HEAD),
    uint(size, 4),
    uint(segments.length, 2),
    padded(concat(...segments), BOARD_AREA),
  );
}

function readSlot(reader: Reader): Slot {
  const state = reader.number(1);
  if (state > SlotState.LEFT) throw new Refused(RULE, 'The store holds an unknown state');
  const day = reader.number(4);
  const [recordHash, tag] = [reader.take(HASH), reader.take(SLOT_TAG)];
  return { state: state as SlotState, day, recordHash, tag, letter: reader.take(LETTER) };
}

/** Read an image, or Refused: then the page begins with an empty store. */
export function decodeImage(data: Uint8Array): Image {
  if (data.length !== IMAGE) throw new Refused(RULE, 'The store has the wrong length');
  const reader = new Reader(data, RULE);
  if (reader.take(MAGIC.length).some((byte, i) => byte !== MAGIC[i])) {
    throw new Refused(RULE, 'The store is of another version');
  }
  const seen = reader.number(4);
  const recordLength = reader.number(2);
  const record = reader.take(RECORD_MAX).slice(0, recordLength);
  const slots = Array.from({ length: SLOTS }, () => readSlot(reader));
  const head = reader.take(HEAD);
  const [size, count] = [reader.number(4), reader.number(2)];
  if (size * count > BOARD_AREA) throw new Refused(RULE, 'The store holds too large a board');
  const area = reader.take(BOARD_AREA);
  const segments = Array.from({ length: count }, (_, i) => area.slice(i * size, (i + 1) * size));
  return { seen, record, slots, board: count ? { head, segments } : null };
}
