// The store: one size whatever is in it, letters that leave once, tabs that do not undo each other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findAnswers } from '../src/answers.js';
import { openKept } from '../src/board.js';
import { concat, equal, toHex, uint } from '../src/bytes.js';
import { conversationId } from '../src/crypto/derive.js';
import { Refused } from '../src/refused.js';
import { Session } from '../src/session.js';
import { decodeImage, encodeImage, type Image, PLAIN, type Slot, Waits } from '../src/store/image.js';
import { Keeper, readImage } from '../src/store/keeper.js';
import { IMAGE } from '../src/store/packing.js';
import {
  afterLeaving,
  hurried,
  leaving,
  marksIn,
  merged,
  slotNote,
  slotTag,
  withLetter,
} from '../src/store/slots.js';
import { type EpochRecord, verifyInForce } from '../src/trust/record.js';
import { Kind } from '../src/wire/hello.js';
import { openLetter } from '../src/wire/letter.js';
import { weekOfDay } from '../src/wire/days.js';
import { segmentSize } from '../src/wire/segment.js';
import { LETTER } from '../src/wire/sizes.js';
import { tokenKey, tokenOf } from '../src/wire/token.js';
import { draw } from '../src/entropy.js';
import { here } from './sealing.js';
import { hex, recordNamed, vectorsOf } from './vectors/files.js';
import { Memory } from './memory.js';
import { PACKINGS } from './packings.js';
import { headOf, withAnotherBoardKey } from './signing.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const today = trusted('today');
const tomorrow = trusted('tomorrow');
const other = trusted('local');
const SECRET = new Uint8Array(16).fill(7);

const slot = (waits: Waits, record: EpochRecord = today): Slot => ({
  waits,
  day: record.body.day,
  recordHash: record.hash,
  tag: draw(16),
  note: draw(4),
  tokens: draw(64),
  letter: draw(LETTER),
});
const fillers = (): Slot[] => Array.from({ length: 4 }, () => slot(Waits.NOT));
const imageOf = (some: Partial<Image> = {}): Image => ({
  lineage: draw(16), hums: true, seen: 0, record: today.bytes, slots: fillers(), board: null, ...some,
});

async function sessionOf(record: EpochRecord, kept: Image | null = null): Promise<Session> {
  const session = new Session(pinsWith(record.body.root), draw, here);
  session.record = record;
  if (kept) {
    session.slots = kept.slots;
    session.lineage = kept.lineage;
  }
  await session.fillSlots(record);
  return session;
}

/** Random bytes that say of themselves how many slots and receipts they hold. */
function segmentOf(replies: number, receipts: number): Uint8Array {
  const bytes = draw(segmentSize(replies, receipts));
  bytes.set(concat(uint(replies, 2), uint(receipts, 2)), 12);
  return bytes;
}

test('the image has one size, whatever is in it, and is read back as it was', async () => {
  const board = { head: draw(176), segments: [segmentOf(13, 100), segmentOf(13, 100)] };
  for (const image of [
    imageOf(),
    imageOf({ seen: 9, hums: false, slots: [slot(Waits.NEXT), ...fillers().slice(1)], board }),
  ]) {
    const plain = encodeImage(image);
    assert.equal(plain.length, PLAIN);
    assert.deepEqual(decodeImage(plain), image);
    for (const { packed, unpacked } of PACKINGS) {
      const image = await packed(plain);
      assert.equal(image.length, IMAGE);
      assert.deepEqual(await unpacked(image), plain);
    }
  }
});

test('a board larger than its area is kept as far as it fits', () => {
  const segments = Array.from({ length: 90 }, () => segmentOf(13, 100));
  const bytes = encodeImage(imageOf({ board: { head: draw(176), segments } }));
  assert.equal(bytes.length, PLAIN);
  assert.deepEqual(decodeImage(bytes).board?.segments, segments.slice(0, 84));
});

test('a board across a step is read back, and kept newest first as far as it fits', () => {
  const [large, small] = [segmentOf(52, 400), segmentOf(13, 100)];
  const kept = (segments: readonly Uint8Array[]): readonly Uint8Array[] | undefined =>
    decodeImage(encodeImage(imageOf({ board: { head: draw(176), segments } }))).board?.segments;
  assert.deepEqual(kept([large, small, small]), [large, small, small]);
  const many = [...Array.from({ length: 21 }, () => large), ...Array.from({ length: 9 }, () => small)];
  const fits = kept(many);
  assert.ok(fits && fits.length >= 21 && fits.length < 30);
  assert.deepEqual(fits, many.slice(0, fits.length));
});

test('a kept board whose bytes do not fill its length is none, and costs no letter', () => {
  const board = { head: draw(176), segments: [segmentOf(13, 100), segmentOf(13, 100)] };
  const image = imageOf({ board, slots: [slot(Waits.NEXT), ...fillers().slice(1)] });
  const plain = encodeImage(image);
  const at = plain.length - 84 * 11760 - 6;
  plain.set(uint(11760, 4), at);
  assert.deepEqual(decodeImage(plain), { ...image, board: null });
});

test('what is no image is read as none', () => {
  assert.equal(readImage(encodeImage(imageOf()).slice(1)), null);
  assert.equal(readImage(null), null);
});

test('a letter leaves with a later day only, and the oldest first', () => {
  const [first, second] = [slot(Waits.LATER), slot(Waits.LATER)];
  const slots = [...fillers().slice(2), first, second];
  assert.equal(leaving(slots, today), null);
  assert.equal(leaving(slots, tomorrow), first);
  assert.equal(leaving(fillers(), tomorrow), null);
});

test('a letter whose writer overrode the later day leaves with the next visit, and alone', () => {
  const [first, second] = [slot(Waits.LATER), slot(Waits.LATER)];
  const slots = hurried([...fillers().slice(2), first, second], second.letter);
  assert.ok(equal(leaving(slots, today)?.tag ?? draw(1), second.tag));
  assert.equal(slots.filter((one) => one.waits === Waits.NEXT).length, 1);
  assert.deepEqual(hurried(fillers().slice(0, 0), draw(16)), []);
});

test('an operator who switched the override off has none', async () => {
  const session = await sessionOf(today);
  const kept = await session.keepLetter(SECRET, 'x', 1, today.body.day);
  const strict = new Session({ ...session.pins, hurry: false }, draw, here);
  strict.slots = session.slots;
  assert.throws(() => strict.hurry(kept.letter), Refused);
  assert.equal(strict.slots.at(-1)?.waits, Waits.LATER);
  session.hurry(kept.letter);
  assert.equal(session.slots.at(-1)?.waits, Waits.NEXT);
});

test('a letter sealed under a record that is no ancestor never leaves', () => {
  const waiting = slot(Waits.LATER, other);
  assert.equal(leaving([{ ...waiting, day: 0 }, ...fillers().slice(1)], tomorrow), null);
  const rushed = { ...waiting, waits: Waits.NEXT };
  assert.equal(leaving([rushed, ...fillers().slice(1)], tomorrow), null);
});

test('a new letter takes a place that does not wait, then a stale one, or none', () => {
  const letter = slot(Waits.LATER);
  const four = [1, 2, 3, 4].map(() => slot(Waits.LATER));
  assert.equal(withLetter(four, letter, today), null);
  const stale = slot(Waits.LATER, other);
  assert.ok(!withLetter([...four.slice(1), stale], letter, today)?.includes(stale));
  const free = [stale, ...four.slice(2), slot(Waits.NOT)];
  assert.ok(withLetter(free, letter, today)?.includes(stale), 'its writer may not have heard yet');
  const slots = withLetter(fillers(), letter, today);
  assert.equal(slots?.length, 4);
  assert.equal(slots?.at(-1), letter);
});

test('a place whose letter left is like one that never held any, but for its tag', () => {
  const letter = slot(Waits.LATER);
  const filler = slot(Waits.NOT, tomorrow);
  const left = afterLeaving([...fillers().slice(1), letter], letter.letter, filler).at(-1);
  assert.deepEqual(left, { ...filler, tag: letter.tag, note: letter.note });
});

test('two tabs keep the letters of both, and what one sent stays sent', () => {
  const [mine, yours] = [slot(Waits.LATER), slot(Waits.LATER)];
  const common = fillers().slice(1);
  const slots = merged([...common, mine], [...common, yours], today);
  assert.deepEqual(slots.filter((one) => one.waits === Waits.LATER), [mine, yours]);
  const sent = { ...slot(Waits.NOT), tag: mine.tag, note: mine.note };
  const after = merged(slots, [...common, sent], today);
  assert.equal(after.find((one) => equal(one.tag, mine.tag))?.waits, Waits.NOT);
  assert.equal(after.length, 4);
});

test('a letter that came and went in the other tab is remembered in this one', () => {
  const common = fillers();
  const left = slot(Waits.NOT);
  const after = merged(common, [...common.slice(1), left], today);
  assert.ok(after.some((one) => equal(one.tag, left.tag)));
  assert.equal(after.length, 4);
});

/** Press "forget", and wait until its fillers are sealed. */
async function pressForget(keeper: Keeper): Promise<{ forgotten: Promise<boolean> }> {
  const { lineage } = keeper.session;
  const forgotten = keeper.forget();
  const end = Date.now() + 20_000;
  while (keeper.session.lineage === lineage) {
    assert.ok(Date.now() < end, 'the fillers are sealed');
    await new Promise(setImmediate);
  }
  return { forgotten };
}

/** All that an image shows to who has no words. */
const seenIn = (bytes: Uint8Array | null): unknown =>
  readImage(bytes)?.slots.map(({ waits, day, recordHash }) => ({ waits, day, recordHash }));

test('after forgetting, the store is of the class of one that was never used', async () => {
  const [viewer, writer] = [await sessionOf(today), await sessionOf(today)];
  const [shelf, used] = [new Memory(), new Memory()];
  await new Keeper(viewer, shelf.tab()).turn();
  const keeper = new Keeper(writer, used.tab());
  for (let i = 0; i < 3; i++) await writer.keepLetter(SECRET, `${i}`, 1, today.body.day);
  await keeper.turn();
  const before = readImage(used.bytes);
  const { forgotten } = await pressForget(keeper);
  assert.equal(used.writes, 1, 'forgetting writes nothing by itself');
  await keeper.turn();
  assert.ok(await forgotten);
  const after = readImage(used.bytes);
  assert.equal(used.bytes?.length, shelf.bytes?.length);
  assert.deepEqual(seenIn(used.bytes), seenIn(shelf.bytes));
  const tags = new Set(before?.slots.map((one) => String(one.tag)));
  assert.ok(after?.slots.every((one) => !tags.has(String(one.tag))));
  assert.notDeepEqual(after?.lineage, before?.lineage);
});

test('after forgetting, padding is sent again, as in a store that was never used', async () => {
  const writer = await sessionOf(today);
  const shelf = new Memory();
  const keeper = new Keeper(writer, shelf.tab());
  writer.hums = false;
  writer.chosen = true;
  await keeper.turn();
  assert.equal(readImage(shelf.bytes)?.hums, false);
  const { forgotten } = await pressForget(keeper);
  await keeper.turn();
  assert.ok(await forgotten);
  assert.equal(readImage(shelf.bytes)?.hums, true);
});

test('after its letter left, the store shows what a viewer of that day shows', async () => {
  const shelf = new Memory();
  const first = await sessionOf(today);
  await first.keepLetter(SECRET, 'x', 1, today.body.day);
  await new Keeper(first, shelf.tab()).turn();
  const second = await sessionOf(tomorrow, readImage(shelf.bytes));
  const choice = await second.chooseForHum(verifyInForce(tomorrow, tomorrow.body.notBefore));
  assert.equal(choice.kind, Kind.LETTER);
  second.letterLeft(choice);
  const keeper = new Keeper(second, shelf.tab());
  await keeper.load(); // as a page does: what it began with is no news of another tab
  await keeper.turn();
  const viewer = new Memory();
  await new Keeper(await sessionOf(tomorrow), viewer.tab()).turn();
  assert.deepEqual(seenIn(shelf.bytes), seenIn(viewer.bytes));
});

test('what one tab forgot, the other does not bring back', async () => {
  const shelf = new Memory();
  const one = await sessionOf(today);
  await one.keepLetter(SECRET, 'x', 1, today.body.day);
  const here = new Keeper(one, shelf.tab());
  await here.turn();
  const two = await sessionOf(today, readImage(shelf.bytes));
  const there = new Keeper(two, shelf.tab());
  await there.load();
  await there.turn();
  const { forgotten } = await pressForget(here);
  await here.turn();
  assert.ok(await forgotten);
  await there.turn();
  await here.turn();
  assert.ok(readImage(shelf.bytes)?.slots.every((slot) => slot.waits === Waits.NOT));
  assert.ok(there.shared);
});

/** A second tab of the same browser, which read what the first one wrote. */
async function tabOn(shelf: Memory, record: EpochRecord): Promise<[Session, Keeper]> {
  const image = readImage(shelf.bytes);
  const session = await sessionOf(record, image);
  if (image) session.hums = image.hums;
  const keeper = new Keeper(session, shelf.tab());
  await keeper.load();
  await keeper.turn();
  return [session, keeper];
}

test('a tab that stayed open since yesterday brings back neither its record nor its choice', async () => {
  const shelf = new Memory();
  const [early, old] = await tabOn(shelf, today);
  await early.keepLetter(SECRET, 'x', 1, today.body.day);
  await old.turn();
  const [late, young] = await tabOn(shelf, tomorrow);
  late.hums = false;
  late.chosen = true;
  await young.turn();
  await old.turn();
  const kept = readImage(shelf.bytes);
  assert.deepEqual(kept?.record, tomorrow.bytes);
  assert.equal(kept?.hums, false);
  assert.ok(equal((early.record as EpochRecord).hash, tomorrow.hash));
  // And back: the tab that was followed follows.
  early.hums = true;
  early.chosen = true;
  await old.turn();
  await young.turn();
  assert.equal(readImage(shelf.bytes)?.hums, true);
});

test('a tab that stayed open keeps the newer board of another one', async () => {
  const shelf = new Memory();
  const raised = trusted('raised');
  const bytesOf = (name: string): Uint8Array =>
    hex(vectorsOf('segment', 'hand').find((one) => one.name === name)?.bytes);
  const [early, old] = await tabOn(shelf, raised);
  early.board = openKept({ head: bytesOf('head'), segments: [bytesOf('second')] });
  early.seen = 2;
  assert.equal(early.board?.head.number, 2);
  await old.turn();
  const [late, young] = await tabOn(shelf, raised);
  late.board = openKept({ head: bytesOf('head-after-a-step'), segments: [bytesOf('third-after-a-step')] });
  late.seen = 3;
  assert.equal(late.board?.head.number, 3);
  await young.turn();
  await old.turn();
  assert.equal(openKept(readImage(shelf.bytes)?.board ?? null)?.head.number, 3);
});

test('a tab that saw a board of a replaced key keeps the board under the new one that another tab fetched', async () => {
  const bytesOf = (name: string): Uint8Array =>
    hex(vectorsOf('segment', 'hand').find((one) => one.name === name)?.bytes);
  const raised = trusted('raised');
  const replaced = withAnotherBoardKey(raised);
  const [head, last] = [bytesOf('head-after-a-step'), 2 ** 32 - 1];
  for (const writesFirst of ['early', 'late']) {
    const shelf = new Memory();
    const [early, old] = await tabOn(shelf, raised);
    const [late, young] = await tabOn(shelf, replaced);
    early.board = openKept({ head: headOf(head, last, 'board'), segments: [bytesOf('second')] });
    early.seen = last;
    late.board = openKept({ head: headOf(head, 3, 'stranger'), segments: [bytesOf('third-after-a-step')] });
    late.seen = 3;
    for (const keeper of writesFirst === 'early' ? [old, young, old] : [young, old, young]) {
      await keeper.turn();
    }
    const kept = readImage(shelf.bytes);
    assert.equal(kept?.seen, 3, writesFirst);
    assert.equal(openKept(kept?.board ?? null)?.head.number, 3, writesFirst);
    assert.deepEqual([early.seen, early.board?.head.number], [3, 3], writesFirst);
  }
});

test('a letter that another tab forgot is not said to be kept', async () => {
  const shelf = new Memory();
  const [, here] = await tabOn(shelf, today);
  const [writer, there] = await tabOn(shelf, today);
  await here.turn();
  const { forgotten } = await pressForget(here);
  await here.turn();
  assert.ok(await forgotten);
  await writer.keepLetter(SECRET, 'x', 1, today.body.day);
  const kept = there.kept();
  await there.turn();
  assert.equal(await kept, false);
  assert.ok(readImage(shelf.bytes)?.slots.every((slot) => slot.waits === Waits.NOT));
});

test('a turn that failed is followed by the next one', async () => {
  const place = new Memory();
  const shelf = place.tab();
  const { turn } = shelf;
  const keeper = new Keeper(await sessionOf(today), shelf);
  shelf.turn = async () => Promise.reject(new Error('a browser may do anything'));
  await assert.rejects(keeper.turn());
  shelf.turn = turn;
  await keeper.turn();
  assert.equal(place.writes, 1);
});

test('a load seals as many fillers, however many letters wait', async () => {
  class Counting extends Session {
    seals = 0;
    override filler(record: EpochRecord): Promise<Uint8Array> {
      this.seals += 1;
      return super.filler(record);
    }
  }
  const made: number[] = [];
  for (let waiting = 0; waiting <= 4; waiting++) {
    const session = new Counting(pinsWith(today.body.root), draw, here);
    const letters = Array.from({ length: waiting }, () => slot(Waits.LATER));
    session.slots = [...letters, ...fillers().slice(waiting)];
    await session.fillSlots(today);
    assert.deepEqual(session.slots.filter((one) => one.waits !== Waits.NOT), letters);
    made.push(session.seals);
  }
  assert.deepEqual(made, [4, 4, 4, 4, 4]);
});

test('a letter that is finished while a load makes its fillers is kept', async () => {
  const session = await sessionOf(today);
  const filling = session.fillSlots(today);
  const letter = slot(Waits.LATER);
  session.bringLetter(letter);
  await filling;
  assert.deepEqual(session.slots.filter((one) => one.waits !== Waits.NOT), [letter]);
  assert.equal(session.slots.length, 4);
});

test('a letter under the record of the day before waits for the day after its writing', async () => {
  const session = await sessionOf(today);
  const { day } = tomorrow.body; // midnight passed, or a mirror showed the record of the day before
  const kept = await session.keepLetter(SECRET, 'x', 1, day);
  assert.equal(kept.day, day);
  assert.equal(leaving(session.slots, tomorrow), null);
  const week = weekOfDay(day);
  const key = tokenKey(conversationId(SECRET));
  const first = toHex(kept.tokens.slice(0, 16));
  const all = Array.from({ length: 8 }, (_, i) => toHex(tokenOf(key, week, i)));
  assert.ok(all.includes(first));
});

test('what a viewer and a writer keep has the same size and the same number of turns', async () => {
  const [viewer, writer] = [await sessionOf(today), await sessionOf(today)];
  await writer.keepLetter(SECRET, '证据在柜子里。', 2, today.body.day);
  const shelves = [new Memory(), new Memory()];
  await new Keeper(viewer, (shelves[0] as Memory).tab()).turn();
  await new Keeper(writer, (shelves[1] as Memory).tab()).turn();
  assert.deepEqual(shelves.map((one) => [one.bytes?.length, one.writes]), [[PLAIN, 1], [PLAIN, 1]]);
});

test('every place that does not wait holds a real filler of today that the desk can open', async () => {
  const { desks } = recordNamed('today');
  const [desk] = desks;
  assert.ok(desk);
  for (const one of (await sessionOf(today)).slots) {
    const opened = openLetter(desk.seed, desk.entry.week, desk.hash, one.letter);
    assert.equal(await opened.catch(String), null);
  }
  const waiting = slot(Waits.LATER);
  const kept = imageOf({ slots: [waiting, ...fillers().slice(1)] });
  const again = await sessionOf(tomorrow, kept);
  assert.equal(again.slots.find((one) => equal(one.tag, waiting.tag)), waiting);
  const rest = again.slots.filter((one) => one !== waiting);
  assert.ok(rest.every((one) => equal(one.recordHash, tomorrow.hash)));
});

test('tags change now and then in every store, one at a time, so that a change is no news', async () => {
  const kept = imageOf();
  const tags = kept.slots.map((one) => String(one.tag));
  let changed = 0;
  for (let i = 0; i < 160; i++) {
    const session = await sessionOf(today, kept);
    const fresh = session.slots.filter((one) => !tags.includes(String(one.tag))).length;
    assert.ok(fresh <= 1);
    changed += fresh;
  }
  assert.ok(changed > 3 && changed < 50, `${changed}`);
});

test('a kept letter goes through the store into the hum of a later day, once', async () => {
  const shelf = new Memory();
  const first = await sessionOf(today);
  assert.equal((await first.keepLetter(SECRET, '证据在柜子里。', 2, today.body.day)).day, today.body.day);
  await new Keeper(first, shelf.tab()).turn();

  const second = await sessionOf(tomorrow, readImage(shelf.bytes));
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
  for (let i = 0; i < 4; i++) await session.keepLetter(SECRET, `${i}`, 1, today.body.day);
  await assert.rejects(
    session.keepLetter(SECRET, 'a fifth', 1, today.body.day),
    (error) => error instanceof Refused && error.rule === 'store 2.3',
  );
  assert.equal(new Set(session.slots.map((one) => String(one.tag))).size, 4);
});

const tokensIn = (one: Slot): string[] =>
  Array.from({ length: 4 }, (_, n) => toHex(one.tokens.slice(16 * n, 16 * (n + 1))));

test('a letter leaves with the token of the week of the record that it leaves under', async () => {
  const first = await sessionOf(today);
  const kept = await first.keepLetter(SECRET, 'x', 1, today.body.day);
  const [week] = [today.body.week];
  const key = tokenKey(conversationId(SECRET));
  const index = Array.from({ length: 8 }, (_, i) => i).find((i) =>
    equal(tokenOf(key, week, i), kept.tokens.slice(0, 16)),
  );
  assert.notEqual(index, undefined);
  for (const later of [0, 1, 2, 3, 4]) {
    const day = tomorrow.body.day - 7 * later;
    const slots = first.slots.map((one) => (one.waits ? { ...one, day: day - 1 } : one));
    const second = await sessionOf(tomorrow, imageOf({ slots }));
    const sealedIn = weekOfDay(day - 1);
    const { token, kind } = await second.chooseForHum(verifyInForce(tomorrow, tomorrow.body.notBefore));
    assert.equal(kind, Kind.LETTER);
    const beside = tokensIn(kept)[tomorrow.body.week - sealedIn];
    assert.equal(token.length, 16);
    if (beside) assert.equal(toHex(token), beside);
    else assert.ok(!tokensIn(kept).includes(toHex(token)));
  }
});

test('every other hum carries random bytes, other ones each time, and draws the same', async () => {
  const session = await sessionOf(today);
  const now = verifyInForce(today, today.body.notBefore);
  const tokens = new Set<string>();
  for (let i = 0; i < 5; i++) tokens.add(toHex((await session.chooseForHum(now)).token));
  assert.equal(tokens.size, 5);
  await session.keepLetter(SECRET, 'x', 1, today.body.day);
  const later = verifyInForce(tomorrow, tomorrow.body.notBefore);
  const sizes: number[][] = [];
  for (const slots of [fillers(), session.slots]) {
    const asked: number[] = [];
    const counting = new Session(session.pins, (size) => {
      asked.push(size);
      return draw(size);
    }, here);
    counting.slots = slots;
    await counting.chooseForHum(later);
    sizes.push(asked);
  }
  assert.deepEqual(sizes[0], sizes[1]);
});

test('no two places show by their tokens that they belong together', async () => {
  // Drawn at random, four of eight would differ in two of five sessions.
  for (let again = 0; again < 8; again++) {
    const session = await sessionOf(today);
    for (let i = 0; i < 4; i++) await session.keepLetter(SECRET, `${i}`, 1, today.body.day);
    const all = session.slots.flatMap(tokensIn);
    assert.equal(new Set(all).size, all.length);
  }
});

test('of two letters that two tabs gave the same token, the younger goes without', async () => {
  const session = await sessionOf(today);
  const kept = await session.keepLetter(SECRET, 'x', 1, today.body.day);
  const [first, second, , older] = session.slots as [Slot, Slot, Slot, Slot];
  // A week apart, so that the same token stands at another place.
  const shifted = concat(kept.tokens.slice(16), draw(16));
  session.slots = [first, second, older, { ...slot(Waits.LATER), tokens: shifted }];
  const shelf = new Memory();
  await new Keeper(session, shelf.tab()).turn();
  const [, , here, there] = readImage(shelf.bytes)?.slots as [Slot, Slot, Slot, Slot];
  assert.deepEqual(here.tokens, kept.tokens);
  assert.ok(tokensIn(there).every((one) => !tokensIn(here).includes(one)));
  assert.deepEqual(session.slots[3]?.tokens, there.tokens);
});

test('after its letter left, a place holds tokens that belong to nobody', async () => {
  const first = await sessionOf(today);
  const kept = await first.keepLetter(SECRET, 'x', 1, today.body.day);
  const second = await sessionOf(tomorrow, imageOf({ slots: first.slots }));
  second.letterLeft(await second.chooseForHum(verifyInForce(tomorrow, tomorrow.body.notBefore)));
  const left = second.slots.flatMap(tokensIn);
  assert.ok(tokensIn(kept).every((one) => !left.includes(one)));
});

test('three sets of words in one store: each finds its own letters and no others', async () => {
  const session = await sessionOf(today);
  const secrets = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte));
  for (const secret of secrets) await session.keepLetter(secret, 'x', 1, today.body.day);
  for (const secret of secrets) {
    const weeks = findAnswers(secret, today.body.day, null, session.slots, today);
    assert.deepEqual(weeks.map((week) => week.letters.length), [1]);
    assert.equal(weeks[0]?.letters[0]?.state, 'waiting');
  }
  assert.deepEqual(findAnswers(SECRET, today.body.day, null, session.slots, today), []);
});

test('a place is found again by the words, with its day, and by no others', () => {
  const e = draw(32);
  const mine = { ...slot(Waits.NOT), tag: slotTag(e, 5), note: slotNote(e, 5, 20_000) };
  assert.deepEqual([...marksIn([mine], e)], [[5, [{ slot: mine, sealedOn: 20_000 }]]]);
  assert.equal(marksIn([mine], draw(32)).size, 0);
});
