// What is no public key (crypto 1).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { x25519 } from '@noble/curves/ed25519.js';

import { concat } from '../src/bytes.js';
import { isPublicKey } from '../src/crypto/hpke.js';
import { folder, hex } from './vectors/files.js';

const P = 2n ** 255n - 19n;
const ORDER_8 = [
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];
const GOOD = hex(
  (JSON.parse(readFileSync(`${folder}/keys.json`, 'utf8')) as { publics: { drop: string } }).publics.drop,
);
const [mlkem, point] = [GOOD.slice(0, 1184), GOOD.slice(1184)];
const encoded = (u: bigint): Uint8Array => hex(u.toString(16).padStart(64, '0')).reverse();

test('a key whose X25519 part the library refuses to seal to is none, however it is written', () => {
  for (const u of [0n, 1n, P - 1n, P, P + 1n, ...ORDER_8]) {
    for (const high of [0n, 2n ** 255n]) {
      const small = encoded(u + high);
      assert.throws(() => x25519.getSharedSecret(new Uint8Array(32), small));
      assert.equal(isPublicKey(concat(mlkem, small)), false);
    }
  }
});

test('other points are, and a look at a key changes nothing of it', () => {
  const before = GOOD.slice();
  assert.equal(isPublicKey(GOOD), true);
  assert.deepEqual(GOOD, before);
  const high = point.map((byte, i) => (i === 31 ? byte | 128 : byte));
  for (const other of [high, encoded(2n), encoded(P + 2n), encoded(P - 2n)]) {
    assert.ok(x25519.getSharedSecret(new Uint8Array(32), other));
    assert.equal(isPublicKey(concat(mlkem, other)), true);
  }
});
