// A sealer asks a Worker and gets answers in its order, or learns that there is none.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { draw } from '../src/entropy.js';
import type { SealJob } from '../src/hum/jobs.js';
import { type Sealer, type SealingWorker, sealerOf, startSealing } from '../src/sealing.js';
import type { Carried, HumKeys } from '../src/wire/hum.js';
import { FETCH_MS } from '../src/wire/sizes.js';

/** A Worker that answers when it is told to. */
class Told extends EventTarget implements SealingWorker {
  readonly jobs: { readonly plain: Uint8Array }[] = [];
  postMessage(job: unknown): void {
    this.jobs.push(job as { readonly plain: Uint8Array });
  }
  answer(sealed: Uint8Array | null): void {
    this.dispatchEvent(new MessageEvent('message', { data: { report: 'sealed', sealed } }));
  }
}

const [KEY, HASH] = [draw(32), draw(32)];
const ask = (worker: Told) => {
  const sealer = sealerOf(worker);
  return (n: number): Promise<Uint8Array> => sealer.letter(KEY, HASH, Uint8Array.of(n));
};

test('each letter gets the answer to its own question', async () => {
  const worker = new Told();
  const seal = ask(worker);
  const sealed = [1, 2, 3].map(seal);
  assert.deepEqual(worker.jobs.map(({ plain }) => plain[0]), [1, 2, 3]);
  for (const n of [11, 12, 13]) worker.answer(Uint8Array.of(n));
  assert.deepEqual(await Promise.all(sealed), [11, 12, 13].map((n) => Uint8Array.of(n)));
});

test('a letter that cannot be sealed fails alone', async () => {
  const worker = new Told();
  const seal = ask(worker);
  const [one, two] = [seal(1), seal(2)];
  worker.answer(null);
  worker.answer(Uint8Array.of(12));
  await assert.rejects(one);
  assert.deepEqual(await two, Uint8Array.of(12));
});

const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;

test('where no Worker comes, what was asked fails and so does what is asked later', async () => {
  const worker = new Told();
  const before = timers();
  const seal = ask(worker);
  const asked = seal(1);
  worker.dispatchEvent(new Event('error'));
  await assert.rejects(asked);
  await assert.rejects(seal(2));
  assert.equal(worker.jobs.length, 1);
  assert.equal(timers(), before, 'nothing is waited for any more');
});

test('a Worker that says nothing is not waited for longer than for any answer', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const worker = new Told();
    const seal = ask(worker);
    let failed = false;
    const asked = seal(1).catch(() => (failed = true));
    mock.timers.tick(FETCH_MS - 1);
    await Promise.resolve();
    assert.equal(failed, false);
    mock.timers.tick(1);
    await asked;
    assert.ok(failed);
    await assert.rejects(seal(2));
  } finally {
    mock.timers.reset();
  }
});

test('a Worker that answered once is waited for, however slow the device', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const worker = new Told();
    const seal = ask(worker);
    const [one, two] = [seal(1), seal(2)];
    worker.answer(Uint8Array.of(11));
    mock.timers.tick(2 * FETCH_MS);
    worker.answer(Uint8Array.of(12));
    assert.deepEqual(await Promise.all([one, two]), [Uint8Array.of(11), Uint8Array.of(12)]);
  } finally {
    mock.timers.reset();
  }
});

const NO_KEYS: HumKeys = { number: 1, hash: HASH, hopA: draw(3), hopB: draw(3) };
const COVER: Carried = { kind: 0, letter: draw(3), token: draw(16), report: { channel: 0, language: 0 } };

const askHum = (sealer: Sealer): Promise<void> => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return sealer.hum(NO_KEYS, COVER, port1 as unknown as MessagePort);
};

test('who asked for a hum that cannot be sealed is told, and so is who asked for one that can', async () => {
  const worker = new Told();
  const sealer = sealerOf(worker);
  const [hum, letter, another] = [
    askHum(sealer), sealer.letter(KEY, HASH, Uint8Array.of(1)), askHum(sealer),
  ];
  worker.answer(null);
  worker.answer(Uint8Array.of(11));
  worker.answer(new Uint8Array(0));
  await assert.rejects(hum);
  assert.deepEqual(await letter, Uint8Array.of(11));
  await another;
});

test('who asked for a hum of a Worker that ends is told, and who asks later, too', async () => {
  const worker = new Told();
  const sealer = sealerOf(worker);
  const hum = askHum(sealer);
  worker.dispatchEvent(new Event('error'));
  await assert.rejects(hum);
  await assert.rejects(askHum(sealer));
  assert.equal(worker.jobs.length, 1);
});

test('the Worker that seals says of a hum that it could not, and goes on', async (t) => {
  const said: unknown[] = [];
  let all = (): void => undefined;
  const both = new Promise<void>((resolve) => (all = resolve));
  const self = Object.assign(new EventTarget(), {
    postMessage: (report: unknown) => void (said.push(report) === 2 && all()),
  });
  Object.assign(globalThis, { self });
  t.after(() => Reflect.deleteProperty(globalThis, 'self'));
  startSealing();
  const { port1, port2 } = new MessageChannel();
  let cells = 0;
  port2.onmessage = () => void (cells += 1);
  const jobs: SealJob[] = [
    { job: 'seal-hum', keys: NO_KEYS, carried: COVER, cells: port1 as unknown as MessagePort },
    { job: 'seal-letter', deskKey: draw(3), entryHash: HASH, plain: draw(3) },
  ];
  for (const data of jobs) self.dispatchEvent(new MessageEvent('message', { data }));
  await both;
  port2.close();
  assert.deepEqual(said, [{ report: 'sealed', sealed: null }, { report: 'sealed', sealed: null }]);
  assert.equal(cells, 0);
});
