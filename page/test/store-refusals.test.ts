// Every refusal of the store by its number, and nothing changed by it (../../spec/store.md).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Refused } from '../src/refused.js';
import { Session } from '../src/session.js';
import { fromPieces, toPieces } from '../src/store/carrying.js';
import { decodeImage, encodeImage, type Slot, Waits } from '../src/store/image.js';
import { Keeper } from '../src/store/keeper.js';
import { IMAGE, IMAGE_KEY, pack, packInFile, unpack, unpackInFile } from '../src/store/packing.js';
import { slotNote, slotTag } from '../src/store/slots.js';
import { draw } from '../src/entropy.js';
import { epochSecret } from '../src/crypto/derive.js';
import { ANCESTORS, LETTER, MARKS, RECORD_MAX, TOKEN, TOKEN_WEEKS } from '../src/wire/sizes.js';
import { Memory } from './memory.js';
import { here } from './sealing.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const today = trusted('today');
const TOKENS = TOKEN_WEEKS * TOKEN;
const SECRET = new Uint8Array(16).fill(7);
const refusedBy = (rule: string) => (error: unknown) =>
  error instanceof Refused && error.rule === rule;

const slot = (waits: Waits): Slot => ({
  waits, day: today.body.day, recordHash: today.hash, tag: draw(16), note: draw(4),
  tokens: draw(TOKENS), letter: draw(LETTER),
});

async function fresh(hurry = true): Promise<Session> {
  const session = new Session({ ...pinsWith(today.body.root), hurry }, draw, here);
  session.record = today;
  await session.fillSlots(today);
  return session;
}

const image = (): Uint8Array =>
  encodeImage({
    lineage: draw(16), hums: true, seen: 3, record: today.bytes, board: null,
    slots: Array.from({ length: 4 }, () => slot(Waits.NOT)),
  });

test('a fifth letter is refused by store 2.3 and the four that wait stay', async () => {
  const session = await fresh();
  for (let i = 0; i < 4; i++) await session.keepLetter(SECRET, `${i}`, 1, today.body.day);
  const before = session.slots;
  await assert.rejects(session.keepLetter(SECRET, 'a fifth', 1, today.body.day), refusedBy('store 2.3'));
  assert.equal(session.slots, before);
});

test('a letter beyond the marks of a week is refused by store 2.5 and the places stay', async () => {
  const session = await fresh();
  const week = today.body.desks[0]?.week ?? 0;
  const e = epochSecret(SECRET, week);
  session.slots = Array.from({ length: MARKS }, (_, mark) => ({
    ...slot(Waits.NOT), tag: slotTag(e, mark), note: slotNote(e, mark, today.body.day),
  }));
  const before = session.slots;
  await assert.rejects(session.keepLetter(SECRET, 'one too many', 1, today.body.day), refusedBy('store 2.5'));
  assert.equal(session.slots, before);
  session.slots = before.slice(1);
  assert.equal((await session.keepLetter(SECRET, 'the last one', 1, today.body.day)).waits, Waits.LATER);
});

test('a hurry that the operator does not offer is refused by store 3.3 and nothing leaves', async () => {
  const session = await fresh(false);
  const kept = await session.keepLetter(SECRET, 'x', 1, today.body.day);
  const before = session.slots;
  assert.throws(() => session.hurry(kept.letter), refusedBy('store 3.3'));
  assert.equal(session.slots, before);
});

test('an image of another length, version, seal, state or board is refused by store 4.1', async () => {
  const plain = image();
  const packed = pack(plain, draw(IMAGE_KEY));
  const inFile = await packInFile(plain, draw(IMAGE_KEY));
  const changed = (of: Uint8Array) => (at: number): Uint8Array => {
    const bytes = of.slice();
    bytes[at] = (bytes[at] as number) ^ 1;
    return bytes;
  };
  const lengths = [new Uint8Array(0), packed.slice(1), new Uint8Array(IMAGE + 1)];
  const places = [0, 3, 4, 35, 36, IMAGE >> 1, IMAGE - 1];
  for (const bytes of [...lengths, inFile, ...places.map(changed(packed))]) {
    assert.throws(() => unpack(bytes), refusedBy('store 4.1'));
  }
  for (const bytes of [...lengths, packed, ...places.map(changed(inFile))]) {
    await assert.rejects(unpackInFile(bytes), refusedBy('store 4.1'));
  }
  const first = 16 + 1 + 4 + 2 + RECORD_MAX;
  const size = first + 4 * (1 + 4 + 32 + 16 + 4 + TOKENS + LETTER) + 176;
  for (const [at, value] of [[first, 3], [size, 255]] as const) {
    const bad = plain.slice();
    bad[at] = value;
    if (at === size) bad[size + 5] = 255;
    assert.throws(() => decodeImage(bad), refusedBy('store 4.1'));
  }
  assert.throws(() => decodeImage(plain.slice(1)), refusedBy('store 4.1'));
});

test('a letter that is sealed while another tab forgets is refused by store 4.5 and is put nowhere', async () => {
  const shelf = new Memory();
  const [writer, other] = [await fresh(), await fresh()];
  const [here, there] = [new Keeper(writer, shelf.tab()), new Keeper(other, shelf.tab())];
  await here.turn();
  await there.turn();
  const { sealer } = writer;
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => (finish = resolve));
  const letter: typeof sealer.letter = (...asked) => held.then(() => sealer.letter(...asked));
  Object.assign(writer, { sealer: { ...sealer, letter } });
  const refused = assert.rejects(writer.keepLetter(SECRET, 'x', 1, today.body.day), refusedBy('store 4.5'));
  const { lineage } = other;
  const forgotten = there.forget();
  while (other.lineage === lineage) await new Promise(setImmediate);
  await there.turn();
  assert.ok(await forgotten);
  await here.turn();
  finish();
  await refused;
  assert.ok(writer.slots.every((one) => one.waits === Waits.NOT));
  Object.assign(writer, { sealer });
  await writer.keepLetter(SECRET, 'after it', 1, today.body.day);
});

test('a carried letter is refused by its rule and the places stay as they were', async () => {
  const session = await fresh();
  const letter = slot(Waits.LATER);
  const pieces = toPieces(letter);
  const bring = (text: string) => () => session.bringLetter(fromPieces(text));
  const before = session.slots;
  assert.throws(bring('hello'), refusedBy('store 6.1'));
  assert.throws(bring(pieces.join('\n').replace(/.$/, (c) => (c === 'A' ? 'Q' : 'A'))), refusedBy('store 6.1'));
  assert.throws(bring(pieces.slice(1).join('\n')), refusedBy('store 6.2'));
  assert.throws(bring(toPieces({ ...letter, recordHash: draw(32) }).join('\n')), refusedBy('store 6.3'));
  for (const day of [today.body.day + ANCESTORS, 2 ** 32 - 1]) {
    assert.throws(bring(toPieces({ ...letter, day }).join('\n')), refusedBy('store 6.3'));
  }
  assert.equal(session.slots, before);
  session.slots = [{ ...letter, waits: Waits.NOT }, ...before.slice(1)];
  const left = session.slots;
  assert.throws(bring(pieces.join('\n')), refusedBy('store 6.4'));
  assert.equal(session.slots, left);
});

test('the store of another organisation is not carried on', async () => {
  const shelf = new Memory();
  const stranger = await fresh();
  await stranger.keepLetter(SECRET, 'x', 1, today.body.day);
  await new Keeper(stranger, shelf.tab()).turn();
  const session = await fresh();
  const changed = new Session({ ...session.pins, a: draw(32) }, draw, here);
  changed.record = today;
  await changed.fillSlots(today);
  await new Keeper(changed, shelf.tab()).turn();
  assert.ok(changed.slots.every((one) => one.waits === Waits.NOT));
});
