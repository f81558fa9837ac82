// A letter taken along: out as text and pictures, in again whole, and nothing damaged comes in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import encodeQR from 'qr';

import { Refused } from '../src/refused.js';
import { Session } from '../src/session.js';
import { fromPieces, toPieces } from '../src/store/carrying.js';
import { type Slot, Waits } from '../src/store/image.js';
import { draw } from '../src/entropy.js';
import { ANCESTORS, LETTER } from '../src/wire/sizes.js';
import { here } from './sealing.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const [today, tomorrow] = [trusted('today'), trusted('tomorrow')];
const letter: Slot = {
  waits: Waits.LATER, day: today.body.day, recordHash: today.hash,
  tag: draw(16), note: draw(4), tokens: draw(64), letter: draw(LETTER),
};
const refusedBy = (rule: string, place?: number) => (error: unknown) =>
  error instanceof Refused && error.rule === rule && error.place === place;

async function fresh(): Promise<Session> {
  const session = new Session(pinsWith(today.body.root), draw, here);
  session.record = today;
  await session.fillSlots(today);
  return session;
}

test('a letter comes back out of its pieces, in any order, with broken lines and doubles', () => {
  const pieces = toPieces(letter);
  assert.deepEqual(fromPieces(pieces.join('\n')), letter);
  const mixed = [...pieces.toReversed(), ...pieces].join('  ').replace(/(.{50})/g, '$1\n');
  assert.deepEqual(fromPieces(mixed), letter);
});

test('a letter that leaves in a hurry is carried as one that waits for a later day', () => {
  assert.deepEqual(fromPieces(toPieces({ ...letter, waits: Waits.NEXT }).join('\n')), letter);
});

test('every piece fits one picture that cheap cameras read', () => {
  for (const piece of toPieces(letter)) {
    const size = encodeQR(piece, 'raw', { ecc: 'low', border: 1 }).length - 2;
    assert.ok(size <= 17 + 4 * 18, `${size} modules`);
  }
  assert.ok(toPieces(letter).length <= 16);
});

test('a missing piece is named by its place', () => {
  const pieces = toPieces(letter);
  assert.throws(() => fromPieces(pieces.filter((_, i) => i !== 4).join('\n')), refusedBy('store 6.2', 5));
});

test('what is no letter, or a damaged one, is refused', () => {
  for (const text of ['', 'hello', 'wallflower1.1.1.AAAA', 'wallflower1.0.0.AAAA']) {
    assert.throws(() => fromPieces(text), Refused);
  }
  const pieces = toPieces(letter).join('\n');
  const at = 3000;
  const other = pieces[at] === 'A' ? 'B' : 'A';
  const damaged = pieces.slice(0, at) + other + pieces.slice(at + 1);
  assert.throws(() => fromPieces(damaged), refusedBy('store 6.1'));
});

test('a brought letter waits here once, and a foreign one does not come in', async () => {
  const session = await fresh();
  session.bringLetter(letter);
  session.bringLetter(letter);
  assert.equal(session.slots.filter((slot) => slot.waits === Waits.LATER).length, 1);
  const foreign = { ...letter, recordHash: draw(32) };
  assert.throws(() => session.bringLetter(foreign), refusedBy('store 6.3'));
  session.slots = session.slots.map((slot) => ({ ...slot, waits: Waits.NOT }));
  assert.throws(() => session.bringLetter(letter), refusedBy('store 6.4'));
});

test('a letter of newer keys than those here waits for them, and is not called too old', async () => {
  const session = await fresh();
  const newer = { ...letter, day: tomorrow.body.day, recordHash: tomorrow.hash };
  assert.throws(() => session.bringLetter(newer), refusedBy('record 2.10'));
  const foreign = { ...newer, day: today.body.day + ANCESTORS };
  assert.throws(() => session.bringLetter(foreign), refusedBy('store 6.3'));
  session.record = tomorrow;
  session.bringLetter(newer);
  assert.equal(session.slots.filter((slot) => slot.waits === Waits.LATER).length, 1);
});

test('who brings a letter before the places are filled does not hear that four letters wait', async () => {
  const session = new Session(pinsWith(today.body.root), draw, here);
  session.record = today;
  assert.throws(() => session.bringLetter(letter), refusedBy('record 2.10'));
  await session.fillSlots(today);
  session.bringLetter(letter);
});
