// Hashes and derivations: SHA-256, HKDF, HMAC, and the conversation's secrets. Spec: crypto.md 5-6.

import { hkdf as nobleHkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

import { ascii, concat, uint } from '../bytes.js';

const SALT = ascii('wallflower/1');

export function sha256(data: Uint8Array): Uint8Array {
  return nobleSha256(data);
}

/** The same for many messages that begin alike; each answer lies where the one before lay. */
export function sha256After(beginning: Uint8Array): (rest: Uint8Array) => Uint8Array {
  const begun = nobleSha256.create().update(beginning);
  const [hashing, hash] = [nobleSha256.create(), new Uint8Array(nobleSha256.outputLen)];
  return (rest) => {
    begun._cloneInto(hashing).update(rest).digestInto(hash);
    return hash;
  };
}

export function hkdf(
  ikm: Uint8Array,
  salt: Uint8Array,
  label: Uint8Array,
  length: number,
): Uint8Array {
  return nobleHkdf(nobleSha256, ikm, salt, label, length);
}

/** derive(secret, label, length) of crypto 5. */
export function derive(secret: Uint8Array, label: Uint8Array, length: number): Uint8Array {
  return hkdf(secret, SALT, label, length);
}

/** The first 16 bytes of HMAC-SHA256. */
export const mac16 = (key: Uint8Array, message: Uint8Array): Uint8Array => macs16(key)(message);

/** The same for many messages under one key: reading looks up thousands of tags, and the key's own
 * two blocks are hashed once. */
export function macs16(key: Uint8Array): (message: Uint8Array) => Uint8Array {
  const keyed = hmac.create(nobleSha256, key);
  return (message) => keyed.clone().update(message).digest().slice(0, 16);
}

/** The 16 bytes that name a conversation to the desk (crypto 6). */
export function conversationId(secret: Uint8Array): Uint8Array {
  return derive(secret, ascii('conversation'), 16);
}

/** e_w: the 32 bytes that open the replies of one week (crypto 6). */
export function epochSecret(secret: Uint8Array, week: number): Uint8Array {
  return derive(secret, concat(ascii('epoch'), uint(week, 2)), 32);
}

/** The 32 bytes that the hash chain begins from (crypto 6). */
export function chainSeed(secret: Uint8Array): Uint8Array {
  return derive(secret, ascii('chain'), 32);
}
