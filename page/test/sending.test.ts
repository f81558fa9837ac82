// The hum's times: fixed before it begins, kept in steps, late cells skipped, nothing sent twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Clock, until } from '../src/hum/clock.js';
import { isWhole, sendHum } from '../src/hum/sending.js';
import { offsetsMs } from '../src/hum/sending.js';
import { DITHER_MS, HUM_CELLS, LATE_MS, SLOT_MS } from '../src/wire/sizes.js';

/** A clock whose timers fire at once, `late` of their length too late. */
function clockOf(late: (ms: number) => number): Clock & { readonly waits: number[] } {
  let now = 1000;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    after(ms, act) {
      waits.push(ms);
      now += ms + late(ms);
      queueMicrotask(act);
    },
  };
}

const cells = Array.from({ length: HUM_CELLS }, (_, i) => Uint8Array.of(i));

test('offsets lie in their slots, within the dither, divided by the pace', () => {
  for (const pace of [1, 12]) {
    for (const chance of [0, 0.5, 0.999999]) {
      const offsets = offsetsMs(pace, () => chance);
      assert.equal(offsets.length, HUM_CELLS);
      offsets.forEach((ms, c) => {
        assert.ok(ms >= (c * SLOT_MS) / pace && ms < (c * SLOT_MS + DITHER_MS) / pace);
      });
    }
  }
});

test('a timer that is an eighth late still meets its moment', async () => {
  const clock = clockOf((ms) => ms / 8);
  await until(clock.now() + SLOT_MS, clock);
  assert.ok(clock.now() - 1000 - SLOT_MS < 2);
  assert.ok(clock.waits.every((ms) => ms <= 0.75 * SLOT_MS));
});

test('twelve cells leave in order, each once', async () => {
  const clock = clockOf(() => 0);
  const out: number[] = [];
  const sent = await sendHum(cells, offsetsMs(1, () => 0.5), async (cell) => {
    out.push(cell[0] as number);
  }, clock, clock.now);
  assert.deepEqual(out, [...cells.keys()]);
  assert.ok((await Promise.all(sent)).every(Boolean));
});

test('after a freeze, cells more than a second late are skipped and never made up for', async () => {
  let frozen = false;
  const clock = clockOf((ms) => {
    if (frozen || ms < 5000) return 0;
    frozen = true;
    return 2 * SLOT_MS + 2 * LATE_MS;
  });
  const out: number[] = [];
  const sent = await sendHum(cells, offsetsMs(1, () => 0), async (cell) => {
    out.push(cell[0] as number);
  }, clock, clock.now);
  const went = await Promise.all(sent);
  assert.ok(went.some((one) => !one));
  assert.equal(out.length, went.filter(Boolean).length);
  assert.equal(new Set(out).size, out.length);
});

test('after a device slept for days, whose clock stood still meanwhile, no cell leaves any more', async () => {
  let slept = 0;
  const clock = clockOf(() => 0);
  let out = 0;
  const upload = async (): Promise<void> => {
    out += 1;
    if (out === 3) slept = 2 * 86_400_000;
  };
  const sent = await sendHum(cells, offsetsMs(1, () => 0), upload, clock, () => clock.now() + slept);
  assert.deepEqual(await Promise.all(sent), cells.map((_, c) => c < 3));
  assert.equal(out, 3);
});

test('a clock that is put right by seconds within a hum cuts no hum short', async () => {
  const clock = clockOf(() => 0);
  let right = 0;
  const upload = async (): Promise<void> => void (right = 5000);
  const sent = await sendHum(cells, offsetsMs(1, () => 0), upload, clock, () => clock.now() + right);
  assert.ok((await Promise.all(sent)).every(Boolean));
});

test('a cell that fails is not sent again', async () => {
  let tries = 0;
  const clock = clockOf(() => 0);
  const sent = await sendHum(cells, offsetsMs(1, () => 0), async () => {
    tries += 1;
    throw new TypeError('no network');
  }, clock, clock.now);
  assert.deepEqual(await Promise.all(sent), cells.map(() => false));
  assert.equal(tries, HUM_CELLS);
});

test('a hum has left with one copy of each position, though the answer to another cell never comes', async () => {
  const clock = clockOf(() => 0);
  const took: number[] = [];
  let left: number | null = null;
  const upload = (cell: Uint8Array): Promise<void> => {
    const counter = cell[0] as number;
    if (counter === 1) return new Promise(() => undefined);
    took.push(counter);
    return Promise.resolve();
  };
  const tell = (): void => void (left = took.length);
  await sendHum(cells, offsetsMs(1, () => 0), upload, clock, clock.now, tell);
  // Of the second position the second copy is the first that came.
  assert.equal(left, [0, 2, 3, 4, 5].length);
});

test('a hum is whole with one copy of each position, and only then', () => {
  const out = (...counters: number[]): boolean[] => cells.map((_, c) => counters.includes(c));
  assert.ok(isWhole(out(4, 1, 10, 3)));
  assert.ok(!isWhole(out(0, 4, 8, 1, 2, 5, 6)));
  assert.ok(!isWhole([]));
});
