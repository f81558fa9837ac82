// The census: one cover in eight reports, a letter never does, and the hum is the same whatever the
// coin says.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { draw, type Draw } from '../src/entropy.js';
import { Session } from '../src/session.js';
import { Waits } from '../src/store/image.js';
import { verifyInForce } from '../src/trust/record.js';
import { ONE_IN, reportOf } from '../src/wire/census.js';
import { Kind, SILENT } from '../src/wire/hello.js';
import { makeHum } from '../src/wire/hum.js';
import { LETTER, TOKEN } from '../src/wire/sizes.js';
import { here } from './sealing.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const today = trusted('today');
const tomorrow = trusted('tomorrow');

/** One byte after the other, so that each value of a byte comes up as often as every other. */
function counting(): Draw {
  let next = 0;
  return (size) => Uint8Array.from({ length: size }, () => next++ & 0xff);
}

test('exactly one value of the coin in eight reports, with its channel and language', () => {
  const bytes = counting();
  const reports = Array.from({ length: 256 }, () => reportOf(Kind.COVER, 4, 2, bytes));
  const spoken = reports.filter((one) => one !== SILENT);
  assert.equal(spoken.length, 256 / ONE_IN);
  for (const one of spoken) assert.deepEqual(one, { channel: 5, language: 2 });
});

test('letters and loops never report, whatever the coin says', () => {
  for (const kind of [Kind.LETTER, Kind.LOOP]) {
    const bytes = counting();
    for (let n = 0; n < 256; n++) assert.equal(reportOf(kind, 4, 2, bytes), SILENT);
  }
});

test('a visit whose letter leaves reports nothing, and one without reports by its coin', async () => {
  const always: Draw = (size) => (size === 1 ? new Uint8Array(1) : draw(size));
  const pins = { ...pinsWith(tomorrow.body.root), channel: 6 };
  const session = new Session(pins, always, here, 3);
  session.record = today;
  await session.fillSlots(today);
  const record = verifyInForce(tomorrow, tomorrow.body.notBefore);
  const cover = await session.chooseForHum(record);
  assert.deepEqual([cover.kind, cover.report], [Kind.COVER, { channel: 7, language: 3 }]);
  const [first, ...rest] = session.slots;
  assert.ok(first);
  session.slots = [...rest, { ...first, waits: Waits.LATER }];
  const letter = await session.chooseForHum(record);
  assert.deepEqual([letter.kind, letter.report], [Kind.LETTER, SILENT]);
});

test('a hum that reports draws the same and sends as many bytes as one that does not', async () => {
  const { body, hash } = today;
  const keys = { number: body.number, hash, hopA: body.hopA, hopB: body.hopB };
  const [letter, token] = [new Uint8Array(LETTER), new Uint8Array(TOKEN)];
  const shapes = [];
  for (const report of [SILENT, { channel: 255, language: 5 }]) {
    const drawn: number[] = [];
    const counted: Draw = (size) => {
      drawn.push(size);
      return draw(size);
    };
    const cells = await makeHum(keys, { kind: Kind.COVER, letter, token, report }, counted);
    shapes.push({ drawn, sizes: cells.map(({ length }) => length) });
  }
  assert.deepEqual(shapes[0], shapes[1]);
});
