// Every vector of every maker opens in the page's code to its fields, and every faulty one is
// refused under its own number.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toHex } from '../src/bytes.js';
import { Refused } from '../src/refused.js';
import * as sizes from '../src/wire/sizes.js';
import {
  type Fields,
  hex,
  MADE,
  refusedOf,
  sizesFile,
  STRUCTURES,
  type Structure,
  type Vector,
  vectorsOf,
} from './vectors/files.js';
import { MAKE } from './vectors/make.js';
import { READ, SEALED } from './vectors/read.js';
import { ELSEWHERE, REFUSE } from './vectors/refuse.js';

const without = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

const handVector = (structure: Structure, name: string): Vector => {
  const found = vectorsOf(structure, 'hand').find((one) => one.name === name);
  assert.ok(found, `${name} is not in hand.json`);
  return found;
};

test('sizes are those of the shared file', () => {
  assert.deepEqual({ ...sizes }, sizesFile());
});

for (const structure of STRUCTURES) {
  const sealed = SEALED[structure] ?? [];
  for (const who of ['hand', 'by-python', 'by-typescript']) {
    for (const vector of vectorsOf(structure, who)) {
      test(`${structure} ${vector.name}, by ${who}, opens to its fields`, async () => {
        const hand = handVector(structure, vector.name);
        const fields = await READ[structure](hand.inputs, hex(vector.bytes ?? ''));
        assert.deepEqual(fields, vector.fields);
        assert.deepEqual(without(fields, sealed), without(hand.fields, sealed));
      });
    }
  }
  for (const vector of refusedOf(structure)) {
    const stage = `${structure} ${vector.stage}`;
    if (ELSEWHERE.has(stage)) continue;
    test(`${structure} ${vector.name} is refused by ${vector.refused}`, async () => {
      const refuse = REFUSE[stage];
      assert.ok(refuse, `no reader for ${stage}`);
      await assert.rejects(
        async () => refuse(vector.inputs, hex(vector.bytes ?? '')),
        (error) => error instanceof Refused && error.rule === vector.refused,
      );
    });
  }
}

for (const structure of MADE) {
  for (const vector of vectorsOf(structure, 'hand')) {
    test(`${structure} ${vector.name} is made again`, async () => {
      const bytes = await MAKE[structure](vector.inputs);
      if (!vector.kem) assert.equal(toHex(bytes), vector.bytes ?? '');
      const fields = await READ[structure](vector.inputs, bytes);
      const sealed = SEALED[structure] ?? [];
      assert.deepEqual(without(fields, sealed), without(vector.fields, sealed));
    });
  }
}
