// An image is packed all or nothing, whichever way. Spec: store.md 1.2, 1.3.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';

import { draw } from '../src/entropy.js';
import { Refused } from '../src/refused.js';
import { PLAIN } from '../src/store/image.js';
import { IMAGE, IMAGE_KEY, pack, packInFile } from '../src/store/packing.js';
import { PACKINGS } from './packings.js';

/** What can be compressed best. */
const PLAIN_IMAGE = new Uint8Array(PLAIN);

test('every rewrite changes the whole image, and nothing in it can be compressed', async () => {
  const plain = PLAIN_IMAGE;
  for (const { packed } of PACKINGS) {
    const [one, two] = [await packed(plain), await packed(plain)];
    const same = one.filter((byte, i) => byte === two[i]).length;
    assert.ok(Math.abs(same - IMAGE / 256) < 6 * Math.sqrt(IMAGE / 256));
    assert.ok(deflateRawSync(one).length >= IMAGE);
  }
});

test('an image of which one byte is gone says nothing', async () => {
  const plain = PLAIN_IMAGE;
  for (const { packed, unpacked } of PACKINGS) {
    const image = await packed(plain);
    for (const at of [0, 3, 4, 35, 36, 5000, IMAGE - 1]) {
      const damaged = image.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      await assert.rejects(unpacked(damaged), Refused);
    }
    await assert.rejects(unpacked(image.slice(1)), Refused);
  }
});

test('the key of an image is masked with the hash of all that it seals', async () => {
  const [plain, key] = [PLAIN_IMAGE, draw(IMAGE_KEY)];
  for (const image of [pack(plain, key), await packInFile(plain, key)]) {
    const mask = createHash('sha256').update(image.slice(4 + IMAGE_KEY)).digest();
    assert.deepEqual(image.slice(4, 4 + IMAGE_KEY), key.map((byte, i) => byte ^ (mask[i] as number)));
  }
});
