// The receipt: sixteen bytes that say the desk opened a letter. Spec: receipt.md.

import { ascii, concat, toHex, uint } from '../bytes.js';
import { mac16, macs16 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import { MARKS, RECEIPT } from './sizes.js';

/** The receipt of the letter with this mark under e_w (receipt 1). */
export const receipt = (e: Uint8Array, mark: number): Uint8Array =>
  mac16(e, message(mark));

const message = (mark: number): Uint8Array => concat(ascii('receipt'), uint(mark, 1));

/** Cut a segment's receipt array, or Refused (receipt 4). */
export function parseReceipts(data: Uint8Array): Uint8Array[] {
  if (data.length % RECEIPT) {
    throw new Refused('receipt 4', 'A list of receipts has the wrong length');
  }
  return Array.from({ length: data.length / RECEIPT }, (_, i) =>
    data.slice(i * RECEIPT, (i + 1) * RECEIPT),
  );
}

/** The marks of one week whose receipt is among `seen` (hex): receipt 2. */
export function findMarks(e: Uint8Array, seen: ReadonlySet<string>): number[] {
  const mac = macs16(e);
  return Array.from({ length: MARKS }, (_, mark) => mark).filter((mark) =>
    seen.has(toHex(mac(message(mark)))),
  );
}
