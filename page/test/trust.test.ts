// What may be believed beyond single files: which record to take, and how a board joins.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Board, extend, isComplete, joined, leadingHead, nextHash, openKept } from '../src/board.js';
import { Refused } from '../src/refused.js';
import { parsePins } from '../src/trust/pins.js';
import { verifyLink } from '../src/trust/board.js';
import { isAncestor, newerOf, verifyHums, verifyInForce, verifyRecord } from '../src/trust/record.js';
import { isLoopback } from '../src/visit.js';
import { grew, segmentSize } from '../src/wire/segment.js';
import { hex, recordNamed, vectorsOf } from './vectors/files.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const refusedBy = (rule: string) => (error: unknown) =>
  error instanceof Refused && error.rule === rule;

const [yesterday, today, tomorrow] = [trusted('yesterday'), trusted('today'), trusted('tomorrow')];

const small = trusted('small');
const bytesOf = (name: string): Uint8Array =>
  hex(vectorsOf('segment', 'hand').find((one) => one.name === name)?.bytes);
const headBytes = bytesOf('head');
const segments = vectorsOf('segment', 'hand')
  .filter((one) => one.inputs['what'] === 'segment')
  .map((one) => hex(one.bytes));
const newest = segments.find((bytes) => {
  try {
    return Boolean(verifyLink(bytes, leadingHead([headBytes], small, 0).segmentHash));
  } catch {
    return false;
  }
});

test('any of three flipped signatures makes a record nobody believes', () => {
  const { bytes, body } = recordNamed('today');
  for (const from of [1, 2, 3]) {
    const flipped = bytes.slice();
    const at = flipped.length - from * 64;
    flipped[at] = (flipped[at] as number) ^ 1;
    assert.throws(() => verifyRecord(flipped, pinsWith(body.root)), refusedBy('record 2.8'));
  }
});

test('a kept record is believed as one that the fetched record names, or by its signatures', () => {
  const { bytes, body } = recordNamed('today');
  const pins = pinsWith(body.root);
  const unsigned = bytes.slice();
  unsigned.fill(0, -192);
  for (const by of [today, tomorrow]) assert.deepEqual(verifyRecord(unsigned, pins, by).hash, today.hash);
  for (const by of [null, yesterday, trusted('local')]) {
    assert.throws(() => verifyRecord(unsigned, pins, by), refusedBy('record 2.8'));
    assert.deepEqual(verifyRecord(bytes, pins, by).hash, today.hash);
  }
  const foreign = pinsWith(today.hash);
  assert.throws(() => verifyRecord(unsigned, foreign, today), refusedBy('record 2.9'));
});

test('the newer of two records of one chain is taken, whichever the mirror serves', () => {
  assert.equal(newerOf(yesterday, today), today);
  assert.equal(newerOf(today, yesterday), today);
  assert.equal(newerOf(yesterday, tomorrow), tomorrow);
  assert.equal(newerOf(null, today), today);
  assert.equal(newerOf(today, null), today);
  assert.equal(newerOf(null, null), null);
});

test('a replayed record with a lower number never replaces the one that is known', () => {
  const later = tomorrow.body.notAfter - 1;
  assert.equal(newerOf(tomorrow, today), tomorrow);
  assert.ok(verifyInForce(tomorrow, later));
  assert.throws(() => verifyInForce(newerOf(tomorrow, today) ?? today, later + 1), refusedBy('record 2.10'));
});

test('no hum is made in the last two hours of a record', () => {
  const end = today.body.notAfter;
  for (const [left, good] of [[7201, true], [7200, false], [1, false]] as const) {
    const record = verifyInForce(today, end - left);
    if (good) verifyHums(record, end - left);
    else assert.throws(() => verifyHums(record, end - left), refusedBy('hum 1.7'));
  }
});

test('a record that does not continue the one that is known is refused', () => {
  assert.throws(() => newerOf(today, trusted('local')), refusedBy('record 2.11'));
});

test('zeros in the places of ancestors name nobody', () => {
  assert.ok(isAncestor(today, yesterday.hash));
  assert.ok(isAncestor(today, today.hash));
  assert.ok(!isAncestor(today, tomorrow.hash));
  assert.ok(!isAncestor(today, new Uint8Array(32)));
});

test('a board that was rolled back is refused', () => {
  assert.throws(() => leadingHead([headBytes], small, 3), refusedBy('segment 3.7'));
  assert.equal(leadingHead([headBytes], small, 2).number, 2);
});

test('one way that shows nothing, or junk, does not hide the other', () => {
  assert.equal(leadingHead([null, headBytes], small, 0).number, 2);
  assert.equal(leadingHead([headBytes.slice(1), headBytes], small, 0).number, 2);
  assert.throws(() => leadingHead([null, null], small, 0), refusedBy('segment 3.1'));
});

test('a board goes on with what was kept, as far as the hashes join', () => {
  assert.ok(newest);
  const head = leadingHead([headBytes], small, 0);
  const kept = openKept({ head: headBytes, segments: [newest] });
  assert.equal(kept?.segments.length, 1);
  const empty = { head, segments: [] };
  const board = joined(empty, kept);
  assert.equal(board.segments.length, 1);
  assert.notDeepEqual(nextHash(board), nextHash(empty));
  assert.ok(!isComplete(board));
  assert.equal(joined(empty, null).segments.length, 0);
});

test('a board across a step is read to its end, today and by who kept the part before', () => {
  const raised = trusted('raised');
  const head = leadingHead([bytesOf('head-after-a-step')], raised, 0);
  let board: Board = { head, segments: [] };
  for (const name of ['third-after-a-step', 'second', 'first']) {
    board = extend(board, bytesOf(name), raised);
  }
  assert.ok(isComplete(board));
  const before = openKept({ head: headBytes, segments: [bytesOf('second')] });
  const newer = extend({ head, segments: [] }, bytesOf('third-after-a-step'), raised);
  assert.equal(joined(newer, before).segments.length, 2);
});

test('what has left the board is no part of it, though it was kept', () => {
  const raised = trusted('raised');
  const head = { ...leadingHead([bytesOf('head-after-a-step')], raised, 0), first: 2 };
  const fetched = extend({ head, segments: [] }, bytesOf('third-after-a-step'), raised);
  const kept = openKept({ head: headBytes, segments: [bytesOf('second'), bytesOf('first')] });
  const board = joined(fetched, kept);
  assert.deepEqual(board.segments.map(({ header }) => header.number), [3, 2]);
  assert.ok(isComplete(board));
});

test('what was kept of another chain stands behind nothing that is fetched', () => {
  const raised = trusted('raised');
  const head = leadingHead([bytesOf('head-after-a-step')], raised, 0);
  const fetched = extend({ head, segments: [] }, bytesOf('third-after-a-step'), raised);
  const kept = openKept({ head: headBytes, segments: [bytesOf('second')] });
  assert.ok(kept);
  const other = { ...kept, segments: kept.segments.map((one) => ({ ...one, hash: today.hash })) };
  assert.equal(joined(fetched, kept).segments.length, 2);
  assert.equal(joined(fetched, other).segments.length, 1);
});

test('a board whose key was replaced is read to its end, by the hashes behind its head', () => {
  const raised = trusted('raised');
  const replaced = { ...raised, body: { ...raised.body, boardVerify: raised.body.dropVerify } };
  const board = { head: leadingHead([bytesOf('head-after-a-step')], raised, 0), segments: [] };
  const third = bytesOf('third-after-a-step');
  assert.throws(() => extend(board, third, replaced), refusedBy('segment 3.3'));
  let whole = extend(board, third, raised);
  for (const name of ['second', 'first']) whole = extend(whole, bytesOf(name), replaced);
  assert.ok(isComplete(whole));
});

test('a segment is verified once: what came is the kept one byte by byte, or is verified itself', () => {
  assert.ok(newest);
  const board = { head: leadingHead([headBytes], small, 0), segments: [] };
  const kept = openKept({ head: headBytes, segments: [newest] });
  const stranger = { ...small, body: { ...small.body, boardVerify: small.body.dropVerify } };
  assert.throws(() => extend(board, newest, stranger), refusedBy('segment 3.3'));
  assert.equal(extend(board, newest, stranger, kept).segments[0], kept?.segments[0]);
  const changed = newest.slice();
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  assert.throws(() => extend(board, changed, small, kept), refusedBy('segment 3.5'));
  const { parameters } = small.body;
  const step = { ...parameters, replies: parameters.replies + 1 };
  const other = { ...small, body: { ...small.body, parameters: step } };
  assert.throws(() => extend(board, newest, other, kept), refusedBy('segment 3.4'));
  const elsewhere = { head: { ...board.head, segmentHash: small.hash }, segments: [] };
  assert.throws(() => extend(elsewhere, newest, small, kept), refusedBy('segment 3.5'));
});

test('no way holds back a newer board that another way shows', () => {
  const raised = trusted('raised');
  const newer = bytesOf('head-after-a-step');
  assert.equal(leadingHead([headBytes, newer], raised, 0).number, 3);
  assert.equal(leadingHead([newer, headBytes], raised, 3).number, 3);
  assert.equal(leadingHead([headBytes, headBytes, newer], raised, 0).number, 3);
});

test('the head of before the step is believed on the day of the step', () => {
  const raised = trusted('raised');
  const board = extend({ head: leadingHead([headBytes], raised, 0), segments: [] }, bytesOf('second'), raised);
  assert.equal(board.segments.length, 1);
});

test('no segment of a board may be longer than today\'s', () => {
  const { replies, receipts } = trusted('raised').body.parameters;
  for (const name of ['third-after-a-step', 'second', 'first']) {
    assert.ok(bytesOf(name).length <= segmentSize(replies, receipts));
  }
});

test('counts grow by whole steps', () => {
  const of = (replies: number, receipts: number) => ({ replies, receipts });
  for (const after of [of(13, 100), of(52, 400), of(208, 1600)]) assert.ok(grew(of(13, 100), after));
  for (const after of [of(26, 200), of(52, 100), of(52, 401), of(12, 100), of(0, 0)]) {
    assert.ok(!grew(of(13, 100), after));
  }
  assert.ok(!grew(of(52, 400), of(13, 100)));
  assert.ok(!grew(of(0, 0), of(13, 100)));
});

test('a kept board whose head or segment was changed is not believed', () => {
  assert.ok(newest);
  const flipped = headBytes.slice();
  flipped[16] = (flipped[16] as number) ^ 1; // the hash of the newest
  assert.equal(openKept({ head: flipped, segments: [newest] }), null);
  const changed = newest.slice();
  changed[200] = (changed[200] as number) ^ 1;
  assert.equal(openKept({ head: headBytes, segments: [changed] }), null);
});

test('a kept board is read on under a later record, whatever that says of keys and ancestors', () => {
  const kept = { head: headBytes, segments: [bytesOf('second'), bytesOf('first')] };
  const later = { ...small, hash: today.hash, body: { ...small.body, ancestors: [], boardVerify: small.body.dropVerify } };
  assert.throws(() => leadingHead([headBytes], later, 0), refusedBy('segment 3.3'));
  assert.equal(openKept(kept)?.segments.length, 2);
});

test('paces count on loopback only', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) assert.ok(isLoopback(host));
  for (const host of ['127.0.0.1.example', 'localhost.example', '10.0.0.1', '']) {
    assert.ok(!isLoopback(host));
  }
});

test('a page without whole pins has none', () => {
  const key = 'ab'.repeat(32);
  const whole = { root: key, organisation: key, a: key, b: key, desk: 'desk' };
  assert.ok(parsePins(JSON.stringify(whole)));
  assert.equal(parsePins(JSON.stringify({ ...whole, b: 'ab' })), null);
  assert.equal(parsePins(JSON.stringify({ ...whole, desk: 1 })), null);
  assert.equal(parsePins('@PINS@'), null);
});
