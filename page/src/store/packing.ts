// All or nothing: an image is packed so that no part of it says anything without all of it.
// Spec: store.md 1.2.
//
// The key lies in the image, masked with the hash of the rest; who has the whole opens it, as the
// page does. What this buys: every rewrite changes every byte, whatever happened; nothing in it can
// be compressed, so a database that compresses shows no difference either; and an older copy of
// which one block is gone is noise.

import { concat, equal } from '../bytes.js';
import { openSealed, seal, Unopened } from '../crypto/aead.js';
import { sha256 } from '../crypto/derive.js';
import type { Draw } from '../entropy.js';
import { Refused } from '../refused.js';
import { TAG } from '../wire/sizes.js';
import { PLAIN } from './image.js';

const MAGIC = Uint8Array.of(0x57, 0x46, 0x53, 3);
const KEY = 32;
const RULE = 'store 4.1';

/** The bytes that lie in the browser: always as many. */
export const IMAGE = MAGIC.length + KEY + PLAIN + TAG;

const masked = (key: Uint8Array, rest: Uint8Array): Uint8Array => {
  const mask = sha256(rest);
  return key.map((byte, i) => byte ^ (mask[i] as number));
};

export function pack(plain: Uint8Array, draw: Draw): Uint8Array {
  const key = draw(KEY);
  const sealed = seal(key, 0, MAGIC, plain);
  return concat(MAGIC, masked(key, sealed), sealed);
}

/** What was packed, or Refused. */
export function unpack(image: Uint8Array): Uint8Array {
  const magic = image.subarray(0, MAGIC.length);
  if (image.length !== IMAGE || !equal(magic, MAGIC)) {
    throw new Refused(RULE, 'The store has another length or version');
  }
  const at = MAGIC.length + KEY;
  const sealed = image.subarray(at);
  try {
    return openSealed(masked(image.slice(MAGIC.length, at), sealed), 0, MAGIC, sealed);
  } catch (error) {
    if (!(error instanceof Unopened)) throw error;
    throw new Refused(RULE, 'The store was damaged');
  }
}
