// Rewrites the store on a clock, at load and every minute, and never because somebody did something.
// Spec: store.md 3.

import { type KeptBoard } from '../board.js';
import { equal } from '../bytes.js';
import { Refused } from '../refused.js';
import type { Session } from '../session.js';
import { decodeImage, encodeImage, type Image, SLOTS } from './image.js';
import { pack, unpack } from './packing.js';
import type { Shelf } from './shelf.js';
import { apart, merged } from './slots.js';

export const EVERY_MS = 60_000;

export function readImage(bytes: Uint8Array | null): Image | null {
  try {
    return bytes && decodeImage(unpack(bytes));
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
  #last: Uint8Array | null = null;
  #waiting: ((kept: boolean) => void)[] = [];
  #forgetting = false;
  #turning: Promise<void> = Promise.resolve();

  constructor(
    readonly session: Session,
    readonly shelf: Shelf,
  ) {}

  /** What was kept on an earlier visit. */
  async load(): Promise<Image | null> {
    let image: Image | null = null;
    await this.shelf.turn((lies) => {
      this.#last = lies;
      image = readImage(lies);
      return null;
    });
    return image;
  }

  /** Whether what is in the session now was kept, at the next turn of the clock. */
  kept(): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Leave nothing of these letters, from the next turn on (store 3.4). */
  async forget(): Promise<boolean> {
    await this.session.forget();
    this.#forgetting = true;
    return this.kept();
  }

  /** One turn, after the one before. Without a record there is nothing that could be kept. */
  turn(): Promise<void> {
    this.#turning = this.#turning.then(() => this.#turn());
    return this.#turning;
  }

  async #turn(): Promise<void> {
    let waiting: ((kept: boolean) => void)[] = [];
    const kept = await this.shelf.turn((lies) => {
      waiting = this.#waiting;
      this.#waiting = [];
      return this.#compose(lies);
    });
    this.works = kept;
    for (const resolve of waiting) resolve(kept);
  }

  #compose(lies: Uint8Array | null): Uint8Array | null {
    const { session } = this;
    const { record } = session;
    if (!record || session.slots.length !== SLOTS) return null;
    const news = lies && !(this.#last && equal(lies, this.#last));
    if (news && !this.#forgetting) this.#takeOver(lies);
    this.#forgetting = false;
    session.slots = apart(session.slots, session.draw);
    const { seen, slots, board, lineage, hums } = session;
    const image = { lineage, hums, seen, record: record.bytes, slots, board: bytesOf(board) };
    this.#last = pack(encodeImage(image), session.draw);
    return this.#last;
  }

  /** A second tab wrote since: its letters are not overwritten, and what it forgot stays forgotten. */
  #takeOver(lies: Uint8Array): void {
    const { session } = this;
    const { record } = session;
    const image = readImage(lies);
    // Another organisation's, or of another run of the demo: not carried on.
    if (!record || !image || !session.believed(image.record)) return;
    this.shared = true;
    session.slots = equal(image.lineage, session.lineage)
      ? merged(session.slots, image.slots, record)
      : image.slots;
    session.lineage = image.lineage;
    session.seen = Math.max(session.seen, image.seen);
  }
}

const bytesOf = (board: Session['board']): KeptBoard | null =>
  board && {
    head: board.head.bytes,
    segments: board.segments.map((segment) => segment.bytes),
  };
