// A reader of fixed fields: takes bytes in order, refuses when they run out or are left over.

import { toNumber } from '../bytes.js';
import { Refused } from '../refused.js';

export class Reader {
  #at = 0;

  constructor(
    readonly data: Uint8Array,
    readonly rule: string,
  ) {}

  take(size: number): Uint8Array {
    const end = this.#at + size;
    if (end > this.data.length) throw new Refused(this.rule, 'The bytes end too early');
    const piece = this.data.slice(this.#at, end);
    this.#at = end;
    return piece;
  }

  number(size: number): number {
    return toNumber(this.take(size));
  }

  end(): void {
    if (this.#at !== this.data.length) throw new Refused(this.rule, 'Bytes are left over');
  }
}
