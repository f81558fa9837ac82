// ChaCha20-Poly1305 under a key that never meets one counter twice. Spec: crypto.md 3.

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';

/** A sealed message does not open under this key; it says no more, on purpose. */
export class Unopened extends Error {}

const TAG = 16;

function nonce(counter: number): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[11] = counter;
  return bytes;
}

export function seal(
  key: Uint8Array,
  counter: number,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  return chacha20poly1305(key, nonce(counter), aad).encrypt(plaintext);
}

export function openSealed(
  key: Uint8Array,
  counter: number,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  if (sealed.length < TAG) throw new Unopened();
  try {
    return chacha20poly1305(key, nonce(counter), aad).decrypt(sealed);
  } catch {
    throw new Unopened();
  }
}
