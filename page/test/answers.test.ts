// What the words find on the board: each reply by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findAnswers, OVERDUE_DAYS } from '../src/answers.js';
import type { Board } from '../src/board.js';
import { epochSecret } from '../src/crypto/derive.js';
import { draw } from '../src/entropy.js';
import { Session } from '../src/session.js';
import { type Slot, Waits } from '../src/store/image.js';
import { slotNote, slotTag } from '../src/store/slots.js';
import type { EpochRecord } from '../src/trust/record.js';
import { weekOfDay } from '../src/wire/days.js';
import { receipt } from '../src/wire/receipt.js';
import { sealPart } from '../src/wire/reply.js';
import { LETTER } from '../src/wire/sizes.js';
import { here } from './sealing.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const SECRET = new Uint8Array(16).fill(7);
const DAY = trusted('today').body.day;
const WEEK = weekOfDay(DAY);
const TEXT = new TextEncoder();

/** A slot of this week (or of `ago` weeks before), part `part` of `of`. */
const slot = (index: number, text: Uint8Array, part = 1, of = 1, ago = 0): Uint8Array =>
  sealPart(epochSecret(SECRET, WEEK - ago), index, draw(16), part, of, text);

const boardOf = (replies: readonly Uint8Array[], receipts: readonly Uint8Array[] = []): Board =>
  ({ head: { number: 1, first: 1 }, segments: [{ replies, receipts }] }) as unknown as Board;

const found = (replies: readonly Uint8Array[]): [number, readonly string[]][] =>
  findAnswers(SECRET, DAY, boardOf(replies), [], null).map((each) => [each.week, each.replies]);

/** A session of today's record, with no letter yet. */
async function today(): Promise<{ session: Session; record: EpochRecord }> {
  const record = trusted('today');
  const session = new Session(pinsWith(record.body.root), draw, here);
  session.record = record;
  await session.fillSlots(record);
  return { session, record };
}

test('a reply that is no text hides no other reply of its week', () => {
  const bad = Uint8Array.of(0xff, 0xfe);
  const half = '墙'; // whose bytes two slots share
  const [first, second] = [TEXT.encode(half).slice(0, 1), TEXT.encode(half).slice(1)];
  const slots = [
    slot(0, TEXT.encode('before')),
    slot(1, bad),
    slot(2, first, 1, 2),
    slot(3, second, 2, 2),
    slot(4, first, 1, 2), // and here what follows is not its other half
    slot(5, TEXT.encode('x'), 2, 2),
    slot(6, TEXT.encode('after')),
    slot(0, TEXT.encode('long ago'), 1, 1, 3),
  ];
  assert.deepEqual(found(slots), [
    [WEEK, ['before', half, 'after']],
    [WEEK - 3, ['long ago']],
  ]);
  assert.deepEqual(found([...slots].reverse()), found(slots));
});

test('replies that were given one index hide none of each other', () => {
  const text = (sign: string): Uint8Array => TEXT.encode(sign);
  const [one, other] = [slot(0, text('a')), slot(0, text('b'))];
  const longer = [slot(0, text('c'), 1, 2), slot(1, text('c'), 2, 2)];
  const newer = [slot(0, text('d'), 1, 2), slot(1, text('d'), 2, 2)];
  const [week] = found([...newer, other, one, ...longer, one]);
  assert.deepEqual(week, [WEEK, ['b', 'a', 'dd', 'cc']]);
  // The second half belongs to one of two first halves, and nobody can tell to which.
  assert.deepEqual(found([newer[0] as Uint8Array, one, ...longer]), [[WEEK, ['a']]]);
});

test('a reply that begins where another one ends is shown once', () => {
  const half = (text: string, index: number, part: number): Uint8Array => slot(index, TEXT.encode(text), part, 2);
  const both = [half('a', 0, 1), half('b', 1, 2), half('c', 1, 1), half('d', 2, 2)];
  assert.deepEqual(found(both), [[WEEK, ['ab', 'cd']]]);
});

test('replies that were given one index and begin alike are both shown', () => {
  const half = (text: string, part: number): Uint8Array => slot(part - 1, TEXT.encode(text), part, 2);
  const [first, again] = [[half('a', 1), half('b', 2)], [half('a', 1), half('c', 2)]];
  assert.deepEqual(found([...again, ...first, ...again]), [[WEEK, ['ac', 'ab']]]);
});

test('a week whose only reply is no text has no answer', () => {
  assert.deepEqual(found([slot(0, Uint8Array.of(0xc3))]), []);
});

test('on a device whose clock is behind, answers and letters of the week are found all the same', async () => {
  const { session, record } = await today();
  const behind = DAY - 7; // by the same clock that the letter is written by
  await session.keepLetter(SECRET, 'x', 1, behind);
  const board = boardOf([slot(0, TEXT.encode('an answer'))]);
  const [week] = findAnswers(SECRET, behind, board, session.slots, record);
  assert.equal(week?.week, WEEK);
  assert.deepEqual(week?.replies, ['an answer']);
  assert.equal(week?.letters[0]?.state, 'waiting');
});

test('of two letters of one mark each says how far it came, and the one that waits can be taken along', () => {
  const record = trusted('today');
  const e = epochSecret(SECRET, WEEK);
  const place = (waits: Waits): Slot => ({
    waits, day: DAY, recordHash: record.hash, tag: slotTag(e, 5), note: slotNote(e, 5, DAY),
    tokens: draw(64), letter: draw(LETTER),
  });
  const board = boardOf([], [receipt(e, 5)]);
  const [left, one, other] = [Waits.NOT, Waits.LATER, Waits.LATER].map(place) as [Slot, Slot, Slot];
  const shown = (slots: readonly Slot[], on: Board | null): [string, Slot | null][] =>
    findAnswers(SECRET, DAY, on, slots, record).flatMap(({ letters }) =>
      letters.map(({ state, slot: its }): [string, Slot | null] => [state, its]),
    );
  assert.deepEqual(shown([one, other], null), [['waiting', one], ['waiting', other]]);
  assert.deepEqual(shown([left, other], null), [['left', null], ['waiting', other]]);
  assert.deepEqual(shown([left, other], board), [['taken', null], ['waiting', other]]);
  // One receipt stands for both, as the threat model says; and for one that left from elsewhere.
  assert.deepEqual(shown([one, other], board), [['taken', null], ['taken', null]]);
  for (const slots of [[one], []]) assert.deepEqual(shown(slots, board), [['taken', null]]);
});

test('of two letters of a week neither is called answered, since a reply names no letter', () => {
  const e = epochSecret(SECRET, WEEK);
  const states = (marks: readonly number[], replies: readonly Uint8Array[]): unknown =>
    findAnswers(SECRET, DAY, boardOf(replies, marks.map((mark) => receipt(e, mark))), [], null)
      .flatMap(({ letters }) => letters.map(({ state }) => state));
  const answer = [slot(0, TEXT.encode('an answer'))];
  assert.deepEqual(states([5, 6], answer), ['taken', 'taken']);
  assert.deepEqual(states([5], answer), ['answered']);
  assert.deepEqual(states([5], []), ['taken']);
});

test('a letter without a receipt is called overdue after its days, and not before', async () => {
  const { session, record } = await today();
  await session.keepLetter(SECRET, 'x', 1, DAY);
  session.slots = session.slots.map((one) => ({ ...one, waits: Waits.NOT }));
  const stateOn = (on: number, board: Board | null): unknown =>
    findAnswers(SECRET, on, board, session.slots, record)[0]?.letters[0]?.state;
  const whole = boardOf([]);
  assert.equal(stateOn(DAY + OVERDUE_DAYS, whole), 'left');
  assert.equal(stateOn(DAY + OVERDUE_DAYS + 1, whole), 'overdue');
  // Its receipt may stand on what did not come.
  const part = { ...whole, head: { ...whole.head, number: 2 } };
  for (const some of [part, null]) assert.equal(stateOn(DAY + OVERDUE_DAYS + 1, some), 'left');
});
