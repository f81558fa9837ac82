// Rewrites the store on a clock, at load, every minute, when the hum has left and when it has ended, and
// never because somebody did something.
// Spec: store.md 3.

import { type Board, type KeptBoard, newness, openKept } from '../board.js';
import { equal } from '../bytes.js';
import { Refused } from '../refused.js';
import type { Session } from '../session.js';
import { seenUnder } from '../trust/board.js';
import { type EpochRecord, newerOf } from '../trust/record.js';
import { decodeImage, encodeImage, type Image, SLOTS, Waits } from './image.js';
import type { Shelf } from './shelf.js';
import { apart, merged, placeOf } from './slots.js';

export const EVERY_MS = 60_000;

export function readImage(plain: Uint8Array | null): Image | null {
  try {
    return plain && decodeImage(plain);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

export class Keeper {
  /** Whether the last turn was kept by the browser. */
  works = false;
  /** Whether another tab of this browser wrote since. */
  shared = false;
  #waiting: ((kept: boolean) => void)[] = [];
  /** How many times whoever waited was told to hear nothing more. */
  #hushed = 0;
  /** Whether what "forget" left was not kept yet: what lies there is not taken over. */
  #forgetting = false;
  /** How many times "forget" was pressed whose fillers are not sealed yet. */
  #emptying = 0;
  /** Whether the turn took over a store in which a letter of this tab has no place. */
  #lost = false;
  /** The lineage that lay in the store when this tab read or wrote it last. */
  #lay: Uint8Array | null = null;
  /** That of the image that was composed last. */
  #composed: Uint8Array | null = null;
  #turning: Promise<void> = Promise.resolve();

  constructor(
    readonly session: Session,
    readonly shelf: Shelf,
  ) {}

  /** What was kept on an earlier visit. */
  async load(): Promise<Image | null> {
    let image: Image | null = null;
    await this.shelf.turn((lies) => {
      image = readImage(lies);
      this.#lay = image?.lineage ?? null;
      return null;
    });
    return image;
  }

  /** Whether what is in the session now was kept, at the next turn of the clock; not heard by who was hushed
   * since the question, or since what it is about began. */
  kept(hushed = this.#hushed): Promise<boolean> {
    return new Promise((resolve) => {
      const tell = (kept: boolean): void => {
        if (hushed === this.#hushed) resolve(kept);
      };
      if (this.#emptying === 0) this.#waiting.push(tell);
    });
  }

  /** Tell whether what is in the session now was kept, as `kept` does; where it was not, once more when a later
   * turn keeps it after all, for as long as it `stays` in the session. */
  async told(
    tell: (kept: boolean) => void,
    stays = (): boolean => true,
    first = this.kept(),
  ): Promise<void> {
    if (await first) return tell(true);
    tell(false);
    while (stays()) if (await this.kept()) return tell(true);
  }

  /** Who waits to hear whether something was kept hears nothing any more, of a turn that runs neither:
   * the page may be somebody else's by then. */
  hush(): void {
    this.#hushed += 1;
  }

  /** Leave nothing of these letters, from the next turn on (store 3.4). */
  async forget(): Promise<boolean> {
    this.hush();
    const hushed = this.#hushed;
    this.#emptying += 1; // a letter that is finished meanwhile is forgotten with the others
    try {
      await this.session.forget();
    } finally {
      this.#emptying -= 1;
    }
    this.#forgetting = true;
    return this.kept(hushed);
  }

  /** One turn, after the one before. Without a record there is nothing that could be kept. */
  turn(): Promise<void> {
    const turn = (): Promise<void> => this.#turn();
    this.#turning = this.#turning.then(turn, turn);
    return this.#turning;
  }

  async #turn(): Promise<void> {
    let waiting: ((kept: boolean) => void)[] = [];
    this.#lost = false;
    let { lineage } = this.session;
    let chosen = false;
    const kept = await this.shelf.turn((lies) => {
      waiting = this.#waiting;
      this.#waiting = [];
      ({ lineage, chosen } = this.session);
      return this.#compose(lies);
    });
    this.works = kept;
    if (kept) this.#lay = this.#composed;
    this.session.chosen ||= chosen && !kept; // what was not written is for no other tab to follow
    // Not before, since another tab may write after a turn that failed; and not where "forget" was pressed again.
    if (kept && lineage === this.session.lineage) this.#forgetting = false;
    for (const tell of waiting) tell(kept && !this.#lost);
  }

  #compose(lies: Uint8Array | null): Uint8Array | null {
    const { session } = this;
    if (!session.record || session.slots.length !== SLOTS) return null;
    if (lies && !this.#forgetting) this.#takeOver(lies);
    session.chosen = false; // what is written now is for other tabs to follow
    session.slots = apart(session.slots, session.draw);
    const { record, seen, slots, board, lineage, hums } = session;
    this.#composed = lineage;
    return encodeImage({
      lineage, hums, seen, record: record.bytes, slots, board: bytesOf(board),
    });
  }

  /** A second tab wrote since: its letters are not overwritten, what it forgot stays forgotten, and
   * a tab that was opened earlier does not bring back an older record or board, or the choice of
   * before (store 3.4). */
  #takeOver(lies: Uint8Array): void {
    const { session } = this;
    const image = readImage(lies);
    const theirs = image && session.believed(image.record);
    // Another organisation's, or of another run of the demo: not carried on.
    if (!session.record || !image || !theirs) return;
    const record = newerOr(session.record, theirs);
    const board = openKept(image.board);
    session.seen = Math.max(
      seenUnder(record, session.seen, session.record), seenUnder(record, image.seen, theirs),
    );
    if (board && isMore(board, session.board, session.seen)) session.board = board;
    session.record = record;
    const letters = session.slots.filter((slot) => slot.waits !== Waits.NOT);
    const same = equal(image.lineage, session.lineage);
    if (!same || !session.chosen) session.hums = image.hums;
    this.shared = true;
    session.slots = same
      ? merged(session.slots, image.slots, record)
      : image.slots;
    this.#lost = letters.some((letter) => !placeOf(session.slots, letter));
    // A tab that is new has a lineage that never lay there: nothing of it was forgotten.
    if (!same && this.#lay && equal(this.#lay, session.lineage)) session.forgotten += 1;
    session.lineage = this.#lay = image.lineage;
  }
}

const bytesOf = (board: Session['board']): KeptBoard | null =>
  board && {
    head: board.head.bytes,
    segments: board.segments.map((segment) => segment.bytes),
  };

/** Whether a board is newer, or as new and more of it came. */
function isMore(board: Board, own: Board | null, seen: number): boolean {
  const ahead = newness(board, seen) - newness(own, seen);
  return !own || ahead > 0 || (ahead === 0 && board.segments.length > own.segments.length);
}

/** The newer record; this tab's own where the two belong to no one chain. */
function newerOr(own: EpochRecord, theirs: EpochRecord): EpochRecord {
  try {
    return newerOf(own, theirs) ?? own;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return own;
  }
}
