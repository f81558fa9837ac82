// Where nothing can be sealed, as when a mirror withholds the script that seals: what was written can be
// forgotten all the same, and the store shows no more than anybody's.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { equal } from '../src/bytes.js';
import { draw } from '../src/entropy.js';
import type { Sealer } from '../src/sealing.js';
import { Session } from '../src/session.js';
import { Waits } from '../src/store/image.js';
import { Keeper, readImage } from '../src/store/keeper.js';
import { verifyInForce } from '../src/trust/record.js';
import { openLetter } from '../src/wire/letter.js';
import { Memory } from './memory.js';
import { here } from './sealing.js';
import { recordNamed } from './vectors/files.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const today = trusted('today');
const SECRET = new Uint8Array(16).fill(7);

const nowhere: Sealer = { ...here, letter: () => Promise.reject(new Error('nothing can be sealed')) };

/** One load of the page in a browser. */
async function load(shelf: Memory, sealer: Sealer): Promise<[Session, Keeper]> {
  const session = new Session(pinsWith(today.body.root), draw, sealer);
  const keeper = new Keeper(session, shelf.tab());
  const image = await keeper.load();
  session.record = today;
  if (image) [session.slots, session.lineage] = [image.slots, image.lineage];
  await session.fillSlots(today);
  await keeper.turn();
  return [session, keeper];
}

/** A browser in which a letter waits. */
async function written(): Promise<Memory> {
  const shelf = new Memory();
  const [session, keeper] = await load(shelf, here);
  await session.keepLetter(SECRET, 'x', 1, today.body.day);
  await keeper.turn();
  return shelf;
}

const slotsIn = (shelf: Memory) => readImage(shelf.bytes)?.slots ?? [];
/** All that an image shows to who has no words. */
const seenIn = (shelf: Memory): unknown =>
  slotsIn(shelf).map(({ waits, day, recordHash }) => ({ waits, day, recordHash }));

test('who forgets where nothing can be sealed leaves what a viewer leaves there', async () => {
  const [writer, viewer] = [await written(), new Memory()];
  const before = slotsIn(writer);
  const [, keeper] = await load(writer, nowhere);
  await load(viewer, nowhere);
  assert.equal(slotsIn(writer).filter(({ waits }) => waits !== Waits.NOT).length, 1);
  const forgotten = keeper.forget();
  await new Promise(setImmediate);
  await keeper.turn();
  assert.ok(await forgotten);
  assert.equal(slotsIn(viewer).length, 4);
  assert.deepEqual(seenIn(writer), seenIn(viewer));
  for (const { letter, tag } of before) {
    assert.ok(!slotsIn(writer).some((slot) => equal(slot.tag, tag) || equal(slot.letter, letter)));
  }
});

test('a place that could not be filled leaves in no hum, and is filled by the next load', async () => {
  const shelf = new Memory();
  const [session] = await load(shelf, nowhere);
  await assert.rejects(session.chooseForHum(verifyInForce(today, today.body.notBefore)));
  await load(shelf, here);
  const [desk] = recordNamed('today').desks;
  assert.ok(desk);
  for (const { letter } of slotsIn(shelf)) {
    assert.equal(await openLetter(desk.seed, desk.entry.week, desk.hash, letter), null);
  }
});
