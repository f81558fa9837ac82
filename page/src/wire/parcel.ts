// The parcel: one whole hum, as A hands it to B. All or nothing. Spec: parcel.md.

import { ascii, concat } from '../bytes.js';
import { openSealed, seal, Unopened } from '../crypto/aead.js';
import { Refused } from '../refused.js';
import { BODY_PIECE, LETTER, PARCEL, SEAL_B } from './sizes.js';

const LABEL = ascii('wallflower/1 parcel');

/** Seal B and the body under hum key B, both still closed. */
export interface Parcel {
  readonly sealB: Uint8Array;
  readonly body: Uint8Array;
}

export const encodeParcel = (parcel: Parcel): Uint8Array => concat(parcel.sealB, parcel.body);

/** Read a parcel, or Refused (parcel 3.1). */
export function parseParcel(data: Uint8Array): Parcel {
  if (data.length !== PARCEL) throw new Refused('parcel 3.1', 'A parcel has the wrong length');
  return { sealB: data.slice(0, SEAL_B), body: data.slice(SEAL_B) };
}

/** The body: a letter or filler of LETTER bytes under hum key B (parcel 1.2). */
export function sealParcelBody(keyB: Uint8Array, letter: Uint8Array): Uint8Array {
  if (letter.length !== LETTER) throw new RangeError('a parcel carries exactly one letter');
  return seal(keyB, 0, LABEL, letter);
}

/** The three pieces for positions 1, 2 and 3 (hum 1.3). */
export const pieces = (body: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] => [
  body.slice(0, BODY_PIECE),
  body.slice(BODY_PIECE, 2 * BODY_PIECE),
  body.slice(2 * BODY_PIECE),
];

/** The letter inside, or Refused (parcel 3.3). For vectors and tests. */
export function openParcelBody(keyB: Uint8Array, body: Uint8Array): Uint8Array {
  try {
    return openSealed(keyB, 0, LABEL, body);
  } catch (error) {
    if (!(error instanceof Unopened)) throw error;
    throw new Refused('parcel 3.3', "A parcel's body does not open");
  }
}
