// All or nothing: an image is packed so that no part of it says anything without all of it.
// Spec: store.md 1.2.
//
// The key lies in the image, masked with the hash of the rest; who has the whole opens it, as the
// page does. What this buys: every rewrite changes every byte, whatever happened; nothing in it can
// be compressed, so a database that compresses shows no difference either; and an older copy of
// which one block is gone is noise.
//
// Where the browser has ciphers of its own they pack (`packInFile`): a megabyte is a long time for a
// script on a cheap phone. It has them wherever it has the file (store 5.1), and nowhere without.

import { concat, equal } from '../bytes.js';
import { openSealed, seal, Unopened } from '../crypto/aead.js';
import { sha256 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import { TAG } from '../wire/sizes.js';
import { PLAIN } from './image.js';

const MAGIC = Uint8Array.of(0x57, 0x46, 0x53, 3);
const MAGIC_IN_FILE = Uint8Array.of(0x57, 0x46, 0x53, 4);
/** Bytes of the key that is drawn for each rewrite. */
export const IMAGE_KEY = 32;
const RULE = 'store 4.1';
/** Bytes before what is sealed: no two rewrites have the same, since a key is drawn for each. */
export const SEALED_AT = MAGIC.length + IMAGE_KEY;

/** The bytes that lie in the browser: always as many. */
export const IMAGE = SEALED_AT + PLAIN + TAG;

const masked = (key: Uint8Array, hash: Uint8Array): Uint8Array =>
  key.map((byte, i) => byte ^ (hash[i] as number));

/** What is sealed in an image that begins with these bytes, or Refused. */
function sealedIn(image: Uint8Array, magic: Uint8Array): Uint8Array {
  if (image.length !== IMAGE || !equal(image.subarray(0, magic.length), magic)) {
    throw new Refused(RULE, 'The store has another length or version');
  }
  return image.subarray(SEALED_AT);
}

const maskedKey = (image: Uint8Array): Uint8Array => image.slice(MAGIC.length, SEALED_AT);
const damaged = (): Refused => new Refused(RULE, 'The store was damaged');

/** An image for localStorage. */
export function pack(plain: Uint8Array, key: Uint8Array): Uint8Array {
  const sealed = seal(key, 0, MAGIC, plain);
  return concat(MAGIC, masked(key, sha256(sealed)), sealed);
}

/** What was packed for localStorage, or Refused. */
export function unpack(image: Uint8Array): Uint8Array {
  const sealed = sealedIn(image, MAGIC);
  try {
    return openSealed(masked(maskedKey(image), sha256(sealed)), 0, MAGIC, sealed);
  } catch (error) {
    if (!(error instanceof Unopened)) throw error;
    throw damaged();
  }
}

// The library's types want to know that no other thread shares these bytes; here none ever does.
type Own = Uint8Array<ArrayBuffer>;
const own = (bytes: Uint8Array): Own => bytes as Own;

// A key seals once, so its nonce may be zero.
const GCM = {
  name: 'AES-GCM', iv: new Uint8Array(12), additionalData: MAGIC_IN_FILE, tagLength: 8 * TAG,
} as const;

const digest = async (bytes: Own): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

const imported = (key: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', own(key), 'AES-GCM', false, [use]);

/** An image for the file, by the browser's own ciphers. */
export async function packInFile(plain: Uint8Array, key: Uint8Array): Promise<Uint8Array> {
  const by = await imported(key, 'encrypt');
  const sealed = new Uint8Array(await crypto.subtle.encrypt(GCM, by, own(plain)));
  return concat(MAGIC_IN_FILE, masked(key, await digest(sealed)), sealed);
}

/** What was packed for the file, or Refused. */
export async function unpackInFile(image: Uint8Array): Promise<Uint8Array> {
  const sealed = own(sealedIn(image, MAGIC_IN_FILE));
  const by = await imported(masked(maskedKey(image), await digest(sealed)), 'decrypt');
  try {
    return new Uint8Array(await crypto.subtle.decrypt(GCM, by, sealed));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw damaged();
  }
}
