// Where an image lies, for tests: a browser's one place for it, and a shelf for each of its tabs.

import type { Shelf } from '../src/store/shelf.js';

export class Memory {
  bytes: Uint8Array | null = null;
  writes = 0;
  /** Whether it takes no image, as a full disk, or a file that another tab holds too long. */
  refuses = false;
  #held = Promise.resolve();

  /** Keep every turn from ending, once it is composed, until what this gives is called. */
  hold(): () => void {
    let letGo = (): void => undefined;
    this.#held = new Promise((resolve) => (letGo = resolve));
    return () => letGo();
  }

  /** The shelf of one more tab. */
  tab(): Shelf {
    let known: Uint8Array | null = null;
    return {
      turn: async (act) => {
        const lies = this.bytes === known ? null : this.bytes;
        known = this.bytes;
        const image = act(lies);
        await this.#held;
        if (!image || this.refuses) return false;
        this.bytes = known = image;
        this.writes += 1;
        return true;
      },
    };
  }
}
