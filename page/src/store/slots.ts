// The four places for letters: what may leave, where a new one goes, how two tabs agree.
// Places stand in order of age. Pure: sealing is done by the caller. Spec: store.md 2-3.

import { ascii, concat, equal, toNumber, uint } from '../bytes.js';
import { mac16, macs16 } from '../crypto/derive.js';
import type { EpochRecord } from '../trust/record.js';
import { isAncestor } from '../trust/record.js';
import type { Draw } from '../entropy.js';
import { MARKS, TOKEN, TOKEN_WEEKS } from '../wire/sizes.js';
import { type Slot, SLOT_NOTE, SLOT_TOKENS, Waits } from './image.js';

/** The tag by which who has the words finds a letter of theirs again (store 2.2). */
export const slotTag = (e: Uint8Array, mark: number): Uint8Array =>
  mac16(e, tagMessage(mark));

const tagMessage = (mark: number): Uint8Array => concat(ascii('store'), uint(mark, 1));

/** The day of sealing, readable to who has the words (store 2.2); its own inverse. */
function masked(e: Uint8Array, mark: number, note: Uint8Array): Uint8Array {
  const mask = mac16(e, concat(ascii('note'), uint(mark, 1)));
  return note.map((byte, i) => byte ^ (mask[i] as number));
}

export const slotNote = (e: Uint8Array, mark: number, day: number): Uint8Array =>
  masked(e, mark, uint(day, SLOT_NOTE));

/** A letter of these words that this browser remembers. */
export interface Remembered {
  readonly slot: Slot;
  readonly sealedOn: number;
}

/** The marks of one week that places of these words use; two tabs may have given one to two letters. */
export function marksIn(slots: readonly Slot[], e: Uint8Array): Map<number, readonly Remembered[]> {
  const found = new Map<number, readonly Remembered[]>();
  const mac = macs16(e);
  for (let mark = 0; mark < MARKS; mark++) {
    const tag = mac(tagMessage(mark));
    const own = slots.filter((one) => equal(one.tag, tag));
    const dated = own.map((slot) => ({ slot, sealedOn: toNumber(masked(e, mark, slot.note)) }));
    if (dated.length) found.set(mark, dated);
  }
  return found;
}

/** Whether a place's record is so old that its letter can never leave (store 3.2). */
export const isStale = (slot: Slot, record: EpochRecord): boolean =>
  slot.waits !== Waits.NOT && !isAncestor(record, slot.recordHash);

/** The oldest waiting letter that may leave under today's record, or null (store 3.2). */
export function leaving(slots: readonly Slot[], record: EpochRecord): Slot | null {
  const may = (slot: Slot): boolean =>
    (slot.waits === Waits.NEXT || (slot.waits === Waits.LATER && record.body.day > slot.day)) &&
    isAncestor(record, slot.recordHash);
  return slots.find(may) ?? null;
}

/** The places with a new letter as the youngest; null when four letters wait already. */
export function withLetter(
  slots: readonly Slot[],
  letter: Slot,
  record: EpochRecord,
): readonly Slot[] | null {
  const free =
    slots.find((slot) => slot.waits === Waits.NOT) ?? slots.find((slot) => isStale(slot, record));
  return free ? [...slots.filter((slot) => slot !== free), letter] : null;
}

/** The place of a letter, or the one that remembers that it left. A letter that waits is known by its own
 * bytes: two tabs may have drawn one mark, and so one tag, for two letters of one conversation. */
export const placeOf = (slots: readonly Slot[], { tag, letter }: Slot): Slot | undefined =>
  slots.find((slot) => equal(slot.letter, letter)) ??
  slots.find((slot) => slot.waits === Waits.NOT && equal(slot.tag, tag));

/** The places after this letter left: its own holds a filler, and is like one that never held any. */
export const afterLeaving = (
  slots: readonly Slot[],
  letter: Uint8Array,
  filler: Slot,
): readonly Slot[] =>
  slots.map((slot) =>
    slot.waits !== Waits.NOT && equal(slot.letter, letter)
      ? { ...filler, tag: slot.tag, note: slot.note }
      : slot,
  );

/** The places with no token in two of them: two tabs may have drawn the same for two letters of one
 * conversation, and equal bytes would show it. The younger goes without one (store 2.6). */
export const apart = (slots: readonly Slot[], draw: Draw): readonly Slot[] =>
  slots.map((slot, i) =>
    slots.slice(0, i).some((older) => sharesToken(older, slot))
      ? { ...slot, tokens: draw(SLOT_TOKENS) }
      : slot,
  );

function sharesToken(one: Slot, other: Slot): boolean {
  const tokensOf = ({ tokens }: Slot): Uint8Array[] =>
    Array.from({ length: TOKEN_WEEKS }, (_, n) => tokens.slice(n * TOKEN, (n + 1) * TOKEN));
  return tokensOf(one).some((a) => tokensOf(other).some((b) => equal(a, b)));
}

/** The places with this letter allowed to leave at the next visit (store 3.3). */
export const hurried = (slots: readonly Slot[], letter: Uint8Array): readonly Slot[] =>
  slots.map((slot) =>
    slot.waits === Waits.LATER && equal(slot.letter, letter) ? { ...slot, waits: Waits.NEXT } : slot,
  );

/** What another tab wrote since, taken over: its letters, and its news that one left. */
export function merged(
  ours: readonly Slot[],
  theirs: readonly Slot[],
  record: EpochRecord,
): readonly Slot[] {
  let slots = ours;
  for (const slot of theirs) {
    if (slot.waits === Waits.NOT) slots = withNewsOf(slots, slot, theirs);
    else if (!placeOf(slots, slot)) slots = withLetter(slots, slot, record) ?? slots;
    else if (slot.waits === Waits.NEXT) slots = hurried(slots, slot.letter);
  }
  return slots;
}

/** A place of the other tab that does not wait: its letter left there, if it waits here alone. */
function withNewsOf(ours: readonly Slot[], slot: Slot, theirs: readonly Slot[]): readonly Slot[] {
  const known = ours.filter((one) => equal(one.tag, slot.tag));
  if (!known.length) return inPlaceOfUnknown(ours, slot, theirs);
  const waitsThere = ({ letter }: Slot): boolean => theirs.some((one) => equal(one.letter, letter));
  const left = known.find((one) => one.waits !== Waits.NOT && !waitsThere(one));
  return left ? afterLeaving(ours, left.letter, slot) : ours;
}

/** A letter that came and went in the other tab is remembered in a place that means nothing there. */
function inPlaceOfUnknown(ours: readonly Slot[], slot: Slot, theirs: readonly Slot[]): readonly Slot[] {
  const at = ours.findIndex(
    (one) => one.waits === Waits.NOT && !theirs.some((other) => equal(other.tag, one.tag)),
  );
  return at < 0 ? ours : ours.map((one, i) => (i === at ? slot : one));
}
