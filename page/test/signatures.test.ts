// Signatures at the edges of Ed25519: both languages take and refuse the same ones (crypto 4).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { verifies } from '../src/crypto/sign.js';
import { folder, hex } from './vectors/files.js';

interface Case {
  readonly name: string;
  readonly key: string;
  readonly signature: string;
  readonly verifies: boolean;
}

const file = JSON.parse(readFileSync(`${folder}/crypto/signatures.json`, 'utf8')) as {
  readonly purpose: 'head';
  readonly body: string;
  readonly cases: readonly Case[];
};

test('signatures at the edges are judged as the other language judges them', () => {
  const judged = file.cases.map(({ name, key, signature }) => ({
    name,
    verifies: verifies(hex(key), file.purpose, hex(file.body), hex(signature)),
  }));
  assert.deepEqual(judged, file.cases.map((one) => ({ name: one.name, verifies: one.verifies })));
  assert.deepEqual(new Set(judged.map((one) => one.verifies)), new Set([true, false]));
  assert.ok(judged.length > 30);
});
