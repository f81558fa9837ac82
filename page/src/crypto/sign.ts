// Ed25519 with a purpose in every signature. The page only verifies. Spec: crypto.md 4.

import { ed25519 } from '@noble/curves/ed25519.js';

import { ascii, concat } from '../bytes.js';

export type Purpose = 'record' | 'drop' | 'segment' | 'head' | 'offer';

/** Whether the signature is this key's, for this purpose, over this body. Callers refuse by rule. */
export function verifies(
  key: Uint8Array,
  purpose: Purpose,
  body: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    // Not ZIP-215: RFC 8032's stricter reading is what the other language has.
    const message = concat(ascii(`wallflower/1 ${purpose}`), new Uint8Array(1), body);
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false;
  }
}
