// The hum: the twelve cells of one page load, made whole before the first is sent. Spec: hum.md.
// The page only makes hums; gathering and opening is A's.

import type { Draw } from '../entropy.js';
import { encodeCell, position, sealBody } from './cell.js';
import { helloCell, HUM_KEY, humId, type Kind, type Report, sealForA, sealForB } from './hello.js';
import { pieces, sealParcelBody } from './parcel.js';
import { HUM_CELLS } from './sizes.js';
import { makeStamp, START } from './stamp.js';

/** What a hum needs of a verified record; plain bytes, since it is handed to a Worker. */
export interface HumKeys {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly hopA: Uint8Array;
  readonly hopB: Uint8Array;
}

/** What a hum carries. `token` is the letter's of the record's week, else random (token 1.6). */
export interface Carried {
  readonly kind: Kind;
  readonly letter: Uint8Array;
  readonly token: Uint8Array;
  readonly report: Report;
}

/** The twelve cells around one sealed letter or filler, in order of counter (hum 1.1-1.4). */
export async function makeHum(
  keys: HumKeys,
  { kind, letter, token, report }: Carried,
  draw: Draw,
): Promise<Uint8Array[]> {
  const [keyA, keyB] = [draw(HUM_KEY), draw(HUM_KEY)];
  const stamp = makeStamp(keys.hash, letter, draw(START));
  const sealB = await sealForB(keys.hopB, keys.hash, keyB, { kind, token, stamp, report });
  const sealA = await sealForA(keys.hopA, keys.hash, keyA);
  const three = pieces(sealParcelBody(keyB, letter));
  const id = humId(sealA);
  return Array.from({ length: HUM_CELLS }, (_, counter) => {
    const piece = three[position(counter) - 1];
    return encodeCell(
      piece
        ? sealBody(keyA, counter, keys.number, id, piece)
        : helloCell(sealA, keyA, counter, keys.number, sealB),
    );
  });
}
