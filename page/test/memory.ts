// Where an image lies, for tests: a browser's one place for it, and a shelf for each of its tabs.

import type { Shelf } from '../src/store/shelf.js';

export class Memory {
  bytes: Uint8Array | null = null;
  writes = 0;

  /** The shelf of one more tab. */
  tab(): Shelf {
    let known: Uint8Array | null = null;
    return {
      turn: async (act) => {
        const lies = this.bytes === known ? null : this.bytes;
        known = this.bytes;
        const image = act(lies);
        if (!image) return false;
        this.bytes = known = image;
        this.writes += 1;
        return true;
      },
    };
  }
}
