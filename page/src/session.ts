// What one open page knows, and the acts on it: choose what leaves, keep a new letter, look for
// answers. No request is made here.

import { type Board, receiptsOf } from './board.js';
import { conversationId, epochSecret } from './crypto/derive.js';
import { type Draw, whole } from './entropy.js';
import { Refused } from './refused.js';
import type { Sealer } from './sealing.js';
import {
  LINEAGE,
  type Slot,
  SLOT_NOTE,
  SLOT_TAG,
  SLOT_TOKENS,
  SLOTS,
  Waits,
} from './store/image.js';
import {
  afterLeaving,
  hurried,
  isStale,
  leaving,
  marksIn,
  placeOf,
  slotNote,
  slotTag,
  withLetter,
} from './store/slots.js';
import type { Pins } from './trust/pins.js';
import {
  deskOf,
  type EpochRecord,
  type RecordInForce,
  verifyRecord,
  verifyWrites,
} from './trust/record.js';
import { reportOf } from './wire/census.js';
import { chainValue } from './wire/chain.js';
import { weekOfDay } from './wire/days.js';
import { Kind } from './wire/hello.js';
import type { Carried } from './wire/hum.js';
import { encodeLetter, FILLER, LetterKind } from './wire/letter.js';
import { findMarks } from './wire/receipt.js';
import { deskEntryHash } from './wire/record.js';
import { ANCESTORS, LETTER, MARKS, TOKEN, TOKEN_WEEKS } from './wire/sizes.js';
import { indexOf, tokenFor, tokensOfLetter } from './wire/token.js';

const RENEWS_ONE_IN = 8;

export class Session {
  record: EpochRecord | null = null;
  board: Board | null = null;
  slots: readonly Slot[] = [];
  seen = 0;
  /** Whether this person's visits send padding: from the next visit on. */
  hums = true;
  /** Whether that was chosen here since the store was last written: another tab's choice is older. */
  chosen = false;
  /** How many times another tab forgot what this one had in the store. */
  forgotten = 0;
  lineage: Uint8Array;

  constructor(
    readonly pins: Pins,
    readonly draw: Draw,
    readonly sealer: Sealer,
    /** The language that the page was shown in when it was loaded, for the census. */
    readonly language = 0,
  ) {
    this.lineage = draw(LINEAGE);
  }

  /** A record under this bundle's pins, or null: then it is as good as absent. `by` may name it. */
  believed(bytes: Uint8Array, by: EpochRecord | null = null): EpochRecord | null {
    try {
      return verifyRecord(bytes, this.pins, by);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return null;
    }
  }

  /** An empty letter, sealed like any other to the real desk key (letter 4). */
  async filler(record: EpochRecord): Promise<Uint8Array> {
    const desk = deskOf(record, this.pins.desk);
    return this.sealer.letter(desk.key, deskEntryHash(record.body.root, desk), FILLER);
  }

  /** A place like one that never held a letter. */
  async #emptySlot(record: EpochRecord, letter = this.filler(record)): Promise<Slot> {
    return {
      waits: Waits.NOT, day: record.body.day, recordHash: record.hash,
      tag: this.draw(SLOT_TAG), note: this.draw(SLOT_NOTE), tokens: this.draw(SLOT_TOKENS),
      letter: await letter,
    };
  }

  /** All of them like that. Where nothing can be sealed noise stands for the fillers, for everyone
   * alike: it never leaves, and letters that could not be forgotten would be worse. */
  async #emptySlots(record: EpochRecord): Promise<Slot[]> {
    const filler = (): Promise<Uint8Array> => this.filler(record).catch(() => this.draw(LETTER));
    const fresh: Slot[] = [];
    while (fresh.length < SLOTS) fresh.push(await this.#emptySlot(record, filler()));
    return fresh;
  }

  /**
   * Make every place that holds no waiting letter one of today, for everyone alike. One visit in
   * eight the oldest of them gets a new tag too, so that a changed tag is no news (store 2.4).
   *
   * As many seals for everyone, however many letters wait: when the board is asked for hangs on
   * how long this takes. All of them first, so that nothing that a person does meanwhile is undone.
   */
  async fillSlots(record: EpochRecord): Promise<void> {
    let renews = whole(RENEWS_ONE_IN, this.draw) === 0;
    const fresh = await this.#emptySlots(record);
    const filled = this.slots.map((slot, i) => {
      if (slot.waits !== Waits.NOT) return slot;
      const empty = fresh[i] as Slot;
      const { tag, note } = renews ? empty : slot;
      renews = false;
      return { ...empty, tag, note };
    });
    this.slots = [...fresh.slice(filled.length), ...filled];
  }

  /** As if this browser had never been used for writing (store 3.4). All at once, when the fillers
   * are there: a turn of the store that comes meanwhile has a whole session to write. */
  async forget(): Promise<void> {
    const { record } = this;
    if (!record) throw new Refused('record 2.10', 'There is no record to make fillers under');
    this.slots = await this.#emptySlots(record);
    this.hums = true;
    this.lineage = this.draw(LINEAGE);
  }

  /** Whether it is like that of a browser that was never used for writing. */
  get unused(): boolean {
    return this.hums && this.slots.every((slot) => slot.waits === Waits.NOT);
  }

  /** What this page load's hum carries. A fresh filler is sealed in any case: the same work. */
  async chooseForHum(record: RecordInForce): Promise<HumChoice> {
    const filler = await this.#emptySlot(record);
    const slot = leaving(this.slots, record);
    const { letter, tokens, day } = slot ?? filler;
    const none = this.draw(TOKEN);
    const token = tokenFor(tokens, weekOfDay(day), record.body.week) ?? none;
    const kind = slot ? Kind.LETTER : Kind.COVER;
    const report = reportOf(kind, this.pins.channel, this.language, this.draw);
    return { kind, letter, token, report, filler };
  }

  /** What was chosen went out: the place of a letter holds a filler from now on; a cover has none. */
  letterLeft(choice: HumChoice): void {
    this.slots = afterLeaving(this.slots, choice.letter, choice.filler);
  }

  /** Seal a letter and keep it. It may leave from the day after its own (UTC), which is its record's
   * or `today`, the day by this device's clock, whichever is later. */
  async keepLetter(
    secret: Uint8Array,
    text: string,
    language: number,
    today: number,
  ): Promise<Slot> {
    const record = this.#writable();
    const { forgotten } = this;
    verifyWrites(record, today);
    const desk = deskOf(record, this.pins.desk);
    const e = epochSecret(secret, desk.week);
    const mark = this.#freeMark(secret, desk.week);
    const conversation = conversationId(secret);
    const plain = encodeLetter({
      kind: LetterKind.LETTER, language, conversation, e,
      x: chainValue(secret, desk.week), week: desk.week, mark, text, part: 1, of: 1,
    });
    const letter = await this.sealer.letter(desk.key, deskEntryHash(record.body.root, desk), plain);
    // One that was finished before another tab forgot is one of those that were forgotten.
    if (forgotten !== this.forgotten) throw new Refused('store 4.5', 'Another tab forgot it meanwhile');
    // A record is believed for two days and longer: the day of writing may be a later one.
    const day = Math.max(record.body.day, today);
    const slot: Slot = {
      waits: Waits.LATER, day, recordHash: record.hash,
      tag: slotTag(e, mark), note: slotNote(e, mark, day),
      tokens: tokensOfLetter(conversation, weekOfDay(day), mark), letter,
    };
    this.#keep(slot);
    return slot;
  }

  /** Keep a letter that was taken along from another copy of this page (store 6). */
  bringLetter(slot: Slot): void {
    const record = this.#writable();
    const [stale, ahead] = [isStale(slot, record), slot.day - record.body.day];
    if (stale && ahead > 0 && ahead < ANCESTORS) {
      throw new Refused('record 2.10', 'The keys of the letter are not here yet');
    }
    if (stale || ahead >= ANCESTORS) {
      throw new Refused('store 6.3', 'The letter is of another chain or day, or too old');
    }
    const known = placeOf(this.slots, slot);
    if (known?.waits === Waits.NOT) throw new Refused('store 6.4', 'The letter left from here already');
    if (!known) this.#keep(slot);
  }

  /** The record, once a letter can be kept under it: the places are there when they are filled. */
  #writable(): EpochRecord {
    const { record, slots } = this;
    if (!record || slots.length < SLOTS) {
      throw new Refused('record 2.10', 'There is no record to keep a letter under yet');
    }
    return record;
  }

  /** By the record of this moment: while a letter was sealed another tab may have brought a newer one, and
   * letters under it. */
  #keep(slot: Slot): void {
    const slots = withLetter(this.slots, slot, this.#writable());
    if (!slots) throw new Refused('store 2.3', 'Four letters wait already');
    this.slots = slots;
  }

  /** Whether a letter still waits here. */
  holds(slot: Slot): boolean {
    return (placeOf(this.slots, slot)?.waits ?? Waits.NOT) !== Waits.NOT;
  }

  /** Whether a letter that waited here has left. */
  hasLeft(slot: Slot): boolean {
    return placeOf(this.slots, slot)?.waits === Waits.NOT;
  }

  /** Let one waiting letter leave with the next visit, whatever its day (store 3.3). */
  hurry(letter: Uint8Array): void {
    if (!this.pins.hurry) throw new Refused('store 3.3', 'This copy of the page does not offer it');
    this.slots = hurried(this.slots, letter);
  }

  /** A mark that this conversation has not used in this week, at random (letter 1.3); one with a
   * token of its own while there is one (token 1.4). */
  #freeMark(secret: Uint8Array, week: number): number {
    const receipts = receiptsOf(this.board);
    const usedIn = (each: number): number[] => {
      const e = epochSecret(secret, each);
      return [...marksIn(this.slots, e).keys(), ...findMarks(e, receipts)];
    };
    const used = new Set(usedIn(week));
    const free = Array.from({ length: MARKS }, (_, mark) => mark).filter((mark) => !used.has(mark));
    if (!free.length) throw new Refused('store 2.5', 'No mark of this week is left');
    const before = Array.from({ length: Math.min(TOKEN_WEEKS - 1, week) }, (_, n) => week - 1 - n);
    const taken = new Set([...used, ...before.flatMap(usedIn)].map(indexOf));
    const fresh = free.filter((mark) => !taken.has(indexOf(mark)));
    const among = fresh.length ? fresh : free;
    return among[whole(among.length, this.draw)] as number;
  }
}

/** What a hum carries, and what comes into the place of its letter when that left. */
export interface HumChoice extends Carried {
  readonly filler: Slot;
}

