// A carried copy with last year's pins, record and store. Spec: versions.md 3.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { ed25519 } from '@noble/curves/ed25519.js';

import { ascii, concat, uint } from '../src/bytes.js';
import { draw } from '../src/entropy.js';
import { Refused } from '../src/refused.js';
import { Session } from '../src/session.js';
import { Waits } from '../src/store/image.js';
import { isStale, leaving } from '../src/store/slots.js';
import { newerOf, verifyInForce, verifyRecord, verifyWrites } from '../src/trust/record.js';
import { DAY_S, weekOfDay } from '../src/wire/days.js';
import { Kind } from '../src/wire/hello.js';
import { ANCESTORS, SIGNATURE } from '../src/wire/sizes.js';
import { here } from './sealing.js';
import { folder, hex, recordNamed } from './vectors/files.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const refusedBy = (rule: string) => (error: unknown) =>
  error instanceof Refused && error.rule === rule;

const then = trusted('today');
const pins = pinsWith(then.body.root);
const SECRET = new Uint8Array(16).fill(7);
const YEAR = 364;
const day = then.body.day + YEAR;
const seeds = (JSON.parse(readFileSync(`${folder}/keys.json`, 'utf8')) as {
  signers: Record<string, string>;
}).signers;

function put(bytes: Uint8Array, at: number, what: Uint8Array): void {
  bytes.set(what, at);
}

/** Today's record: 364 numbers after the one that this copy keeps, of the same three signers. */
function aYearLater(signers: readonly string[]): Uint8Array {
  const { bytes, body } = recordNamed('today');
  const raw = bytes.slice(0, bytes.length - 3 * SIGNATURE);
  put(raw, 2, uint(body.number + YEAR, 2));
  put(raw, 4, uint(day, 4));
  put(raw, 8, uint(weekOfDay(day), 2));
  put(raw, 10, uint(day * DAY_S, 8));
  put(raw, 18, uint((day + 2) * DAY_S, 8));
  put(raw, 58, draw(32 * ANCESTORS));
  body.desks.forEach(({ week }, i) => {
    put(raw, raw.length - tail() + i * (32 + 2 + 1216) + 32, uint(week + YEAR / 7, 2));
  });
  const message = concat(ascii('wallflower/1 record'), new Uint8Array(1), raw);
  return concat(raw, ...signers.map((name) => ed25519.sign(message, hex(seeds[name]))));
}

/** From the first desk to the end of the body. */
function tail(): number {
  const { desks, ways } = recordNamed('today').body;
  const urls = ways.reduce((sum, { url }) => sum + 3 + url.length, 1);
  return desks.length * (32 + 2 + 1216) + urls;
}

const now = verifyRecord(aYearLater(['organisation', 'a', 'b']), pins);

async function sessionWith(record: typeof then): Promise<Session> {
  const session = new Session(pins, draw, here);
  session.record = record;
  await session.fillSlots(record);
  return session;
}

test('a copy of last year follows the record of today, if its signers are the same', () => {
  assert.equal(newerOf(then, now), now);
  assert.ok(verifyInForce(now, day * DAY_S));
  const forged = aYearLater(['organisation', 'stranger', 'b']);
  assert.throws(() => verifyRecord(forged, pins), refusedBy('record 2.8'));
  assert.equal(new Session(pins, draw, here).believed(forged), null);
});

test('with its own record alone nobody hums', () => {
  assert.equal(newerOf(then, null), then);
  assert.throws(() => verifyInForce(then, day * DAY_S), refusedBy('record 2.10'));
});

test('a letter that waited a year stays, and the hum is a cover', async () => {
  const session = await sessionWith(then);
  await session.keepLetter(SECRET, 'x', 1, then.body.day);
  session.record = now;
  const before = session.slots;
  await session.fillSlots(now);
  const choice = await session.chooseForHum(verifyInForce(now, day * DAY_S));
  assert.equal(choice.kind, Kind.COVER);
  assert.equal(leaving(session.slots, now), null);
  const waiting = session.slots.filter(({ waits }) => waits !== Waits.NOT);
  assert.deepEqual(waiting, before.filter(({ waits }) => waits !== Waits.NOT));
  assert.deepEqual(waiting.map((slot) => isStale(slot, now)), [true]);
});

test('nothing is sealed under keys from which it could never leave', async () => {
  const session = await sessionWith(then);
  const before = session.slots;
  await assert.rejects(session.keepLetter(SECRET, 'x', 1, day), refusedBy('letter 3.10'));
  assert.equal(session.slots, before);
  verifyWrites(then, then.body.day + ANCESTORS - 1);
  const late = then.body.day + ANCESTORS;
  assert.throws(() => verifyWrites(then, late), refusedBy('letter 3.10'));
  session.record = now;
  assert.equal((await session.keepLetter(SECRET, 'x', 1, day)).day, day);
});
