// Ed25519 with a purpose in every signature. The page only verifies. Spec: crypto.md 4.

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';

import { ascii, concat } from '../bytes.js';

const { Point } = ed25519;

// A page verifies a dozen signatures. The library's own table of the base point is made for thousands:
// eight times as large, it takes longer to make than it saves.
Point.BASE.precompute(4);

export type Purpose = 'record' | 'drop' | 'segment' | 'head' | 'offer';

/** Whether the signature is this key's, for this purpose, over this body. Callers refuse by rule. */
export function verifies(
  key: Uint8Array,
  purpose: Purpose,
  body: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const message = concat(ascii(`wallflower/1 ${purpose}`), new Uint8Array(1), body);
    // Not ZIP-215: RFC 8032's stricter reading is what the other language has.
    const good = ed25519.verify(signature, message, key, { zip215: false });
    return good && isExact(key, message, signature);
  } catch {
    return false;
  }
}

/**
 * Whether S·B = R + k·A, and not only eight times as much, which is all that the library asks: the
 * other language asks this. It can only refuse more.
 */
function isExact(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  const k = Point.Fn.create(numberOf(sha512(concat(r, key, message))));
  const left = Point.BASE.multiplyUnsafe(numberOf(s));
  return left.equals(Point.fromBytes(r).add(Point.fromBytes(key).multiplyUnsafe(k)));
}

const numberOf = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
