// The store: one size whatever is in it, letters that leave once, tabs that do not undo each other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { equal } from '../src/bytes.js';
import { Refused } from '../src/refused.js';
import { Session } from '../src/session.js';
import { decodeImage, encodeImage, IMAGE, type Slot, SlotState } from '../src/store/image.js';
import { Keeper, readImage } from '../src/store/keeper.js';
import type { Shelf } from '../src/store/shelf.js';
import { afterLeaving, leaving, marksIn, merged, slotTag, withLetter } from '../src/store/slots.js';
import { type EpochRecord, verifyInForce } from '../src/trust/record.js';
import { Kind } from '../src/wire/hello.js';
import { openLetter } from '../src/wire/letter.js';
import { LETTER } from '../src/wire/sizes.js';
import { draw } from '../src/entropy.js';
import { recordNamed } from './vectors/files.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const today = trusted('today');
const tomorrow = trusted('tomorrow');
const other = trusted('local');
const SECRET = new Uint8Array(16).fill(7);

const slot = (state: SlotState, record: EpochRecord = today): Slot => ({
  state,
  day: record.body.day,
  recordHash: record.hash,
  tag: draw(16),
  letter: draw(LETTER),
});
const fillers = (): Slot[] => Array.from({ length: 4 }, () => slot(SlotState.FILLER));

function memory(): Shelf & { bytes: Uint8Array | null } {
  return {
    bytes: null,
    read() {
      return this.bytes;
    },
    write(image) {
      this.bytes = image;
      return true;
    },
  };
}

async function sessionOf(record: EpochRecord): Promise<Session> {
  const session = new Session(pinsWith(record.body.root), draw);
  session.record = record;
  await session.fillSlots(record);
  return session;
}

test('the image has one size, whatever is in it, and is read back as it was', () => {
  const waiting = slot(SlotState.WAITING);
  const board = { head: draw(176), segments: [draw(11760), draw(11760)] };
  for (const image of [
    { seen: 0, record: today.bytes, slots: fillers(), board: null },
    { seen: 9, record: today.bytes, slots: [waiting, ...fillers().slice(1)], board },
  ]) {
    const bytes = encodeImage(image);
    assert.equal(bytes.length, IMAGE);
    assert.deepEqual(decodeImage(bytes), image);
  }
});

test('a board larger than its area is kept as far as it fits', () => {
  const segments = Array.from({ length: 90 }, () => draw(11760));
  const bytes = encodeImage({
    seen: 1, record: today.bytes, slots: fillers(), board: { head: draw(176), segments },
  });
  assert.equal(bytes.length, IMAGE);
  assert.deepEqual(decodeImage(bytes).board?.segments, segments.slice(0, 84));
});

test('a damaged image is refused, and the page begins anew', () => {
  const bytes = encodeImage({ seen: 0, record: today.bytes, slots: fillers(), board: null });
  bytes[3] = 9;
  assert.throws(() => decodeImage(bytes), Refused);
  assert.throws(() => decodeImage(bytes.slice(1)), Refused);
  const shelf = memory();
  shelf.bytes = bytes;
  assert.equal(readImage(shelf), null);
});

test('a letter leaves with a later day only, and the oldest first', () => {
  const [first, second] = [slot(SlotState.WAITING), slot(SlotState.WAITING)];
  const slots = [...fillers().slice(2), first, second];
  assert.equal(leaving(slots, today), null);
  assert.equal(leaving(slots, tomorrow), first);
  assert.equal(leaving([...fillers().slice(1), slot(SlotState.LEFT)], tomorrow), null);
});

test('a letter sealed under a record that is no ancestor never leaves', () => {
  const waiting = slot(SlotState.WAITING, other);
  assert.equal(leaving([{ ...waiting, day: 0 }, ...fillers().slice(1)], tomorrow), null);
});

test('a new letter takes a filler, then a place that was left, then a stale one, or none', () => {
  const letter = slot(SlotState.WAITING);
  const four = [1, 2, 3, 4].map(() => slot(SlotState.WAITING));
  assert.equal(withLetter(four, letter, today), null);
  const left = slot(SlotState.LEFT);
  assert.ok(!withLetter([...four.slice(1), left], letter, today)?.includes(left));
  const stale = slot(SlotState.WAITING, other);
  assert.ok(!withLetter([...four.slice(1), stale], letter, today)?.includes(stale));
  const slots = withLetter(fillers(), letter, today);
  assert.equal(slots?.length, 4);
  assert.equal(slots?.at(-1), letter);
});

test('a letter that left is remembered by its tag, and its bytes are gone', () => {
  const letter = slot(SlotState.WAITING);
  const filler = draw(LETTER);
  const slots = afterLeaving([...fillers().slice(1), letter], letter.tag, filler);
  assert.equal(slots.at(-1)?.state, SlotState.LEFT);
  assert.ok(!slots.some((one) => equal(one.letter, letter.letter)));
});

test('two tabs keep the letters of both, and what one sent stays sent', () => {
  const [mine, yours] = [slot(SlotState.WAITING), slot(SlotState.WAITING)];
  const slots = merged([...fillers().slice(1), mine], [...fillers().slice(1), yours], today);
  assert.deepEqual(slots.filter((one) => one.state === SlotState.WAITING), [mine, yours]);
  const sent = { ...mine, state: SlotState.LEFT, letter: draw(LETTER) };
  const after = merged(slots, [...fillers().slice(1), sent], today);
  assert.equal(after.find((one) => equal(one.tag, mine.tag))?.state, SlotState.LEFT);
  assert.equal(after.length, 4);
});

test('what a viewer and a writer keep has the same size and the same number of turns', async () => {
  const [viewer, writer] = [await sessionOf(today), await sessionOf(today)];
  await writer.keepLetter(SECRET, '证据在柜子里。', 2);
  const sizes = [viewer, writer].map((session) => {
    const shelf = memory();
    new Keeper(session, shelf).turn();
    return shelf.bytes?.length;
  });
  assert.deepEqual(sizes, [IMAGE, IMAGE]);
});

test('every empty place holds a real filler that the desk can open', async () => {
  const { desks } = recordNamed('today');
  const [desk] = desks;
  assert.ok(desk);
  for (const one of (await sessionOf(today)).slots) {
    assert.equal(await openLetter(desk.seed, desk.entry.week, desk.hash, one.letter), null);
  }
});

test('a kept letter goes through the store into the hum of a later day, once', async () => {
  const shelf = memory();
  const first = await sessionOf(today);
  assert.equal(await first.keepLetter(SECRET, '证据在柜子里。', 2), today.body.day + 1);
  new Keeper(first, shelf).turn();

  const second = await sessionOf(tomorrow);
  second.slots = readImage(shelf)?.slots ?? [];
  const now = tomorrow.body.notBefore;
  const choice = await second.chooseForHum(verifyInForce(tomorrow, now));
  assert.equal(choice.kind, Kind.LETTER);
  const [desk] = recordNamed('today').desks;
  assert.ok(desk);
  const opened = await openLetter(desk.seed, desk.entry.week, desk.hash, choice.letter);
  assert.equal(opened?.text, '证据在柜子里。');
  second.letterLeft(choice);
  const again = await second.chooseForHum(verifyInForce(tomorrow, now));
  assert.equal(again.kind, Kind.COVER);
  assert.notDeepEqual(again.letter, choice.letter);
});

test('one conversation never uses a mark twice in a week', async () => {
  const session = await sessionOf(today);
  for (let i = 0; i < 4; i++) await session.keepLetter(SECRET, `${i}`, 1);
  await assert.rejects(
    session.keepLetter(SECRET, 'a fifth', 1),
    (error) => error instanceof Refused && error.rule === 'store 2',
  );
  assert.equal(new Set(session.slots.map((one) => String(one.tag))).size, 4);
});

test('a slot is found again by the words and by no others', () => {
  const e = draw(32);
  const mine = { ...slot(SlotState.WAITING), tag: slotTag(e, 5) };
  assert.deepEqual([...marksIn([mine], e).keys()], [5]);
  assert.equal(marksIn([mine], draw(32)).size, 0);
});

test('the store of another organisation is not carried on', async () => {
  const shelf = memory();
  const stranger = await sessionOf(today);
  await stranger.keepLetter(SECRET, 'x', 1);
  new Keeper(stranger, shelf).turn();
  const session = await sessionOf(today);
  const changed = new Session({ ...session.pins, a: draw(32) }, draw);
  changed.record = today;
  await changed.fillSlots(today);
  new Keeper(changed, shelf).turn();
  assert.ok(changed.slots.every((one) => one.state === SlotState.FILLER));
});
