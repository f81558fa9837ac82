// The four places for letters: what may leave, where a new one goes, how two tabs agree.
// Slots stand in order of age. Pure: sealing is done by the caller.

import { concat, ascii, equal, uint } from '../bytes.js';
import { mac16 } from '../crypto/derive.js';
import type { EpochRecord } from '../trust/record.js';
import { isAncestor } from '../trust/record.js';
import { MARKS } from '../wire/sizes.js';
import { type Slot, SlotState } from './image.js';

/** The tag by which who has the words finds a letter of theirs again. */
export const slotTag = (e: Uint8Array, mark: number): Uint8Array =>
  mac16(e, concat(ascii('store'), uint(mark, 1)));

/** The marks of one week that slots of these words use. */
export function marksIn(slots: readonly Slot[], e: Uint8Array): Map<number, Slot> {
  const found = new Map<number, Slot>();
  for (let mark = 0; mark < MARKS; mark++) {
    const tag = slotTag(e, mark);
    const slot = slots.find((one) => one.state !== SlotState.FILLER && equal(one.tag, tag));
    if (slot) found.set(mark, slot);
  }
  return found;
}

/** Whether a slot's record is so old that its letter can never leave (hum 1.6). */
export const isStale = (slot: Slot, record: EpochRecord): boolean =>
  slot.state === SlotState.WAITING && !isAncestor(record, slot.recordHash);

/** The oldest waiting letter that may leave under today's record, or null (hum 1.6). */
export function leaving(slots: readonly Slot[], record: EpochRecord): Slot | null {
  const may = (slot: Slot): boolean =>
    slot.state === SlotState.WAITING &&
    record.body.day > slot.day &&
    isAncestor(record, slot.recordHash);
  return slots.find(may) ?? null;
}

/** The slots with a new letter as the youngest; null when four letters wait already. */
export function withLetter(
  slots: readonly Slot[],
  letter: Slot,
  record: EpochRecord,
): readonly Slot[] | null {
  const free =
    slots.find((slot) => slot.state === SlotState.FILLER) ??
    slots.find((slot) => slot.state === SlotState.LEFT) ??
    slots.find((slot) => isStale(slot, record));
  return free ? [...slots.filter((slot) => slot !== free), letter] : null;
}

/** The slots after a letter left: its place remembers that, and holds a filler. */
export const afterLeaving = (slots: readonly Slot[], tag: Uint8Array, filler: Uint8Array): Slot[] =>
  slots.map((slot) =>
    slot.state === SlotState.WAITING && equal(slot.tag, tag)
      ? { ...slot, state: SlotState.LEFT, letter: filler }
      : slot,
  );

/** What another tab wrote since, taken over: its letters, and its news that one left. */
export function merged(
  ours: readonly Slot[],
  theirs: readonly Slot[],
  record: EpochRecord,
): readonly Slot[] {
  let slots = ours;
  for (const slot of theirs) {
    if (slot.state === SlotState.FILLER) continue;
    if (!slots.some((one) => equal(one.tag, slot.tag))) {
      slots = withLetter(slots, slot, record) ?? slots;
    } else if (slot.state === SlotState.LEFT) {
      slots = afterLeaving(slots, slot.tag, slot.letter);
    }
  }
  return slots;
}
