// What one open page knows, and the acts on it: choose what leaves, keep a new letter, look for
// answers. No request is made here.

import { type Board, receiptsOf } from './board.js';
import { conversationId, epochSecret } from './crypto/derive.js';
import { type Draw, whole } from './entropy.js';
import { Refused } from './refused.js';
import { type Slot, SlotState, SLOT_TAG, SLOTS } from './store/image.js';
import { afterLeaving, leaving, marksIn, slotTag, withLetter } from './store/slots.js';
import type { Pins } from './trust/pins.js';
import { deskOf, type EpochRecord, type RecordInForce, verifyRecord } from './trust/record.js';
import { chainValue } from './wire/chain.js';
import { Kind } from './wire/hello.js';
import { encodeLetter, FILLER, LetterKind, sealLetter } from './wire/letter.js';
import { findMarks } from './wire/receipt.js';
import { deskEntryHash } from './wire/record.js';
import { HASH, MARKS } from './wire/sizes.js';

export class Session {
  record: EpochRecord | null = null;
  board: Board | null = null;
  slots: readonly Slot[] = [];
  seen = 0;

  constructor(
    readonly pins: Pins,
    readonly draw: Draw,
  ) {}

  /** A record under this bundle's pins, or null: then it is as good as absent. */
  believed(bytes: Uint8Array): EpochRecord | null {
    try {
      return verifyRecord(bytes, this.pins);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return null;
    }
  }

  /** An empty letter, sealed like any other to the real desk key (letter 4). */
  async filler(record: EpochRecord): Promise<Uint8Array> {
    const desk = deskOf(record, this.pins.desk);
    return sealLetter(desk.key, deskEntryHash(record.body.root, desk), FILLER);
  }

  /** Fill every place that holds nothing with a real filler. */
  async fillSlots(record: EpochRecord): Promise<void> {
    while (this.slots.length < SLOTS) {
      const empty = { state: SlotState.FILLER, day: record.body.day, recordHash: new Uint8Array(HASH) };
      const letter = await this.filler(record);
      this.slots = [{ ...empty, tag: this.draw(SLOT_TAG), letter }, ...this.slots];
    }
  }

  /** What this page load's hum carries. A fresh filler is sealed in any case: the same work. */
  async chooseForHum(record: RecordInForce): Promise<HumChoice> {
    const filler = await this.filler(record);
    const slot = leaving(this.slots, record);
    return slot
      ? { kind: Kind.LETTER, letter: slot.letter, tag: slot.tag, filler }
      : { kind: Kind.COVER, letter: filler, tag: null, filler };
  }

  /** The chosen letter went out: its place remembers that and holds a filler from now on. */
  letterLeft(choice: HumChoice): void {
    if (choice.tag) this.slots = afterLeaving(this.slots, choice.tag, choice.filler);
  }

  /** Seal a letter and keep it. Returns the day (UTC) from which it may leave. */
  async keepLetter(secret: Uint8Array, text: string, language: number): Promise<number> {
    const record = this.record;
    if (!record || this.slots.length < SLOTS) {
      throw new Refused('record 2.10', 'There is no record to write under yet');
    }
    const desk = deskOf(record, this.pins.desk);
    const e = epochSecret(secret, desk.week);
    const mark = this.#freeMark(e);
    const plain = encodeLetter({
      kind: LetterKind.LETTER, language, conversation: conversationId(secret), e,
      x: chainValue(secret, desk.week), week: desk.week, mark, text, part: 1, of: 1,
    });
    const letter = await sealLetter(desk.key, deskEntryHash(record.body.root, desk), plain);
    const slot: Slot = {
      state: SlotState.WAITING, day: record.body.day, recordHash: record.hash,
      tag: slotTag(e, mark), letter,
    };
    const slots = withLetter(this.slots, slot, record);
    if (!slots) throw new Refused('store 2', 'Four letters wait already');
    this.slots = slots;
    return record.body.day + 1;
  }

  /** A mark that this conversation has not used in this week, at random (letter 1.3). */
  #freeMark(e: Uint8Array): number {
    const used = new Set([...marksIn(this.slots, e).keys(), ...findMarks(e, receiptsOf(this.board))]);
    const free = Array.from({ length: MARKS }, (_, mark) => mark).filter((mark) => !used.has(mark));
    if (!free.length) throw new Refused('store 3', 'No mark of this week is left');
    return free[whole(free.length, this.draw)] as number;
  }
}

/** What a hum carries. `tag` names the slot of a letter; a cover has none. */
export interface HumChoice {
  readonly kind: Kind;
  readonly letter: Uint8Array;
  readonly tag: Uint8Array | null;
  readonly filler: Uint8Array;
}

