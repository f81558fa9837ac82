// Rewrites the store on a clock, at load and every minute, and never because somebody did something.

import { type KeptBoard } from '../board.js';
import { equal } from '../bytes.js';
import { Refused } from '../refused.js';
import type { Session } from '../session.js';
import { decodeImage, encodeImage, type Image, SLOTS } from './image.js';
import type { Shelf } from './shelf.js';
import { merged } from './slots.js';

export const EVERY_MS = 60_000;

export function readImage(shelf: Shelf): Image | null {
  const bytes = shelf.read();
  try {
    return bytes && decodeImage(bytes);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

export class Keeper {
  #last: Uint8Array | null = null;
  /** Whether the last turn was kept by the browser. */
  works = false;
  #waiting: ((kept: boolean) => void)[] = [];

  constructor(
    readonly session: Session,
    readonly shelf: Shelf,
  ) {}

  /** Whether what is in the session now was kept, at the next turn of the clock. */
  kept(): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** One turn. Without a record there is nothing that could be kept, for anybody. */
  turn(): void {
    const { session } = this;
    const { record } = session;
    const waiting = this.#waiting;
    this.#waiting = [];
    let kept = false;
    if (record && session.slots.length === SLOTS) {
      this.#takeOver();
      const { seen, slots, board } = session;
      const image = encodeImage({ seen, record: record.bytes, slots, board: bytesOf(board) });
      kept = this.shelf.write(image);
      this.#last = image;
    }
    this.works = kept;
    for (const resolve of waiting) resolve(kept);
  }

  /** A second tab may have written since: its letters are not overwritten. */
  #takeOver(): void {
    const { session } = this;
    const { record } = session;
    const bytes = this.shelf.read();
    const image = bytes && (!this.#last || !equal(bytes, this.#last)) ? readImage(this.shelf) : null;
    // Another organisation's, or of another run of the demo: not carried on.
    if (!record || !image || !session.believed(image.record)) return;
    session.slots = merged(session.slots, image.slots, record);
    session.seen = Math.max(session.seen, image.seen);
  }
}

const bytesOf = (board: Session['board']): KeptBoard | null =>
  board && {
    head: board.head.bytes,
    segments: board.segments.map((segment) => segment.bytes),
  };
