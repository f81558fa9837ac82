// HPKE with X-Wing, single shot, in plain JavaScript: a mirror on plain http has no crypto.subtle.
// Spec: crypto.md 1-2.

import {
  AEAD_ChaCha20Poly1305,
  KDF_HKDF_SHA256,
  KEM_MLKEM768_X25519,
} from '@panva/hpke-noble';
import { CipherSuite } from 'hpke';

import { ascii, concat, toHex } from '../bytes.js';
import { Unopened } from './aead.js';

export type Role = 'hop-a' | 'hop-b' | 'drop' | 'desk';

const KEM_ENC = 1120;
const MLKEM_PUBLIC = 1184;
const MLKEM_VECTOR = 1152;
const MLKEM_PRIME = 3329;
const ZERO = new Uint8Array(1);
// X25519's points of small order, in every encoding (RFC 7748 6.1). A table, since a trial with the
// library would cost each visit milliseconds for every key of a record.
const SMALL_ORDER: readonly string[] = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  ...['ec', 'ed', 'ee'].map((lowest) => `${lowest}${'ff'.repeat(30)}7f`),
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
];

// Marked as free to leave out: only what seals carries it, and the page looks at keys.
const suite = /* @__PURE__ */ new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_ChaCha20Poly1305);

/** The HPKE info of a role bound to a 32-byte hash (crypto 2). */
export function info(role: Role, binding: Uint8Array): Uint8Array {
  return concat(ascii('wallflower/1'), ZERO, ascii(role), ZERO, binding);
}

/** Whether these 1,216 bytes are a key that can be sealed to (crypto 1). */
export function isPublicKey(raw: Uint8Array): boolean {
  return isBelowPrime(raw) && !isOfSmallOrder(raw.slice(MLKEM_PUBLIC));
}

function isOfSmallOrder(point: Uint8Array): boolean {
  point[31] = (point[31] as number) & 127; // the highest bit says nothing
  return SMALL_ORDER.includes(toHex(point));
}

/** Whether ML-KEM's 12-bit numbers are all below its prime (FIPS 203, 7.2: the modulus check). */
function isBelowPrime(raw: Uint8Array): boolean {
  for (let i = 0; i < MLKEM_VECTOR; i += 3) {
    const [a, b, c] = [raw[i] as number, raw[i + 1] as number, raw[i + 2] as number];
    if ((a | ((b & 15) << 8)) >= MLKEM_PRIME || ((b >> 4) | (c << 4)) >= MLKEM_PRIME) return false;
  }
  return true;
}

/** Seal to a public key: enc ‖ ciphertext ‖ tag (crypto 1). */
export async function seal(
  publicKey: Uint8Array,
  boundInfo: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const key = await suite.DeserializePublicKey(publicKey);
  const sealed = await suite.Seal(key, plaintext, { info: boundInfo });
  return concat(sealed.encapsulatedSecret, sealed.ciphertext);
}

/** Open what `seal` made with a 32-byte seed, or Unopened. The page itself opens nothing of this
 * kind; tests and vectors do. */
export async function openSealed(
  seed: Uint8Array,
  boundInfo: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  try {
    const key = await suite.DeserializePrivateKey(seed, false);
    const [enc, rest] = [sealed.slice(0, KEM_ENC), sealed.slice(KEM_ENC)];
    return await suite.Open(key, enc, rest, { info: boundInfo });
  } catch {
    throw new Unopened();
  }
}
