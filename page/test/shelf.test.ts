// Where the image lies: the file is let go of after every turn, and localStorage is what is left.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { toHex } from '../src/bytes.js';
import { draw } from '../src/entropy.js';
import type { Report, StoreJob } from '../src/hum/jobs.js';
import { PLAIN } from '../src/store/image.js';
import { IMAGE } from '../src/store/packing.js';
import { openShelf, type Port } from '../src/store/shelf.js';

/** A Worker with one file in memory. */
class Desk extends EventTarget implements Port {
  file: Uint8Array | null = null;
  held = false;
  readonly keys: string[] = [];
  readonly jobs: string[] = [];
  /** What came before the Worker runs. */
  #early: StoreJob[] | null;

  constructor(readonly able: boolean, runs = true) {
    super();
    this.#early = runs ? null : [];
  }

  /** Its script came. */
  start(): void {
    const jobs = this.#early ?? [];
    this.#early = null;
    for (const job of jobs) this.#do(job);
  }

  postMessage(job: StoreJob): void {
    this.jobs.push(job.job);
    if (this.#early) this.#early.push(job);
    else this.#do(job);
  }

  #do(job: StoreJob): void {
    queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data: this.#answer(job) })));
  }

  #answer(job: StoreJob): Report {
    if (job.job === 'store-able') return { report: 'store-able', able: this.able };
    if (job.job === 'store-read') {
      this.held = true;
      return { report: 'store-lies', plain: this.file };
    }
    this.held = false;
    this.keys.push(toHex(job.key));
    if (job.plain) this.file = job.plain;
    return { report: 'store-written', kept: job.plain !== null };
  }
}

/** The browser's localStorage, as it is asked for here. */
class Local {
  readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
}

function localStorageOfThisTest(): Map<string, string> {
  const localStorage = new Local();
  Object.assign(globalThis, { localStorage });
  return localStorage.kept;
}

test('a turn reads what lies there, puts the new image in its place, and lets go', async () => {
  const desk = new Desk(true);
  const shelf = await openShelf(desk, draw);
  const seen: (Uint8Array | null)[] = [];
  assert.ok(await shelf.turn((lies) => {
    seen.push(lies);
    assert.ok(desk.held);
    return Uint8Array.of(7);
  }));
  assert.equal(await shelf.turn((lies) => {
    seen.push(lies);
    return null;
  }), false);
  assert.deepEqual(seen, [null, Uint8Array.of(7)]);
  assert.equal(desk.held, false);
  assert.deepEqual(desk.file, Uint8Array.of(7));
  assert.deepEqual(new Set(desk.keys.map(({ length }) => length)), new Set([64]));
  assert.equal(new Set(desk.keys).size, 2);
});

test('a turn that fails lets go of the file and leaves what lies there', async () => {
  const desk = new Desk(true);
  const shelf = await openShelf(desk, draw);
  await assert.rejects(shelf.turn(() => {
    throw new Error('no');
  }));
  assert.equal(desk.held, false);
  assert.equal(desk.file, null);
});

test('a browser without such a file has one key of localStorage, and reads back what it kept', async () => {
  const kept = localStorageOfThisTest();
  const desk = new Desk(false);
  const [shelf, other] = [await openShelf(desk, draw), await openShelf(desk, draw)];
  const seen: (Uint8Array | null)[] = [];
  const turn = (plain: Uint8Array | null, tab = shelf): Promise<boolean> =>
    tab.turn((lies) => {
      seen.push(lies);
      return plain;
    });
  const plain = new Uint8Array(PLAIN).fill(7);
  assert.equal(await turn(plain), true);
  const first = kept.get('wallflower') ?? '';
  assert.equal(first.length, Math.ceil(IMAGE / 3) * 4);
  assert.equal(await turn(plain), true);
  assert.notEqual(kept.get('wallflower'), first);
  assert.equal(await turn(null), false);
  assert.deepEqual(seen.splice(0), [null, null, null], 'what this tab wrote is no news to it');
  assert.equal(await turn(plain, other), true);
  assert.equal(await turn(null), false);
  assert.equal(await turn(null), false);
  assert.deepEqual(seen.splice(0), [plain, plain, null]);
  kept.set('wallflower', first.slice(4));
  assert.equal(await turn(null), false);
  assert.deepEqual(seen, [null]);
  assert.deepEqual(desk.jobs, ['store-able', 'store-able']);
});

test('until the Worker says where the image lies nothing is kept, and no letter lands in the wrong place', async () => {
  const kept = localStorageOfThisTest();
  const desk = new Desk(true, false);
  mock.timers.enable({ apis: ['setTimeout'] });
  const opened = openShelf(desk, draw);
  mock.timers.tick(30_000);
  mock.timers.reset();
  const shelf = await opened;
  let turns = 0;
  const turn = (): Promise<boolean> =>
    shelf.turn(() => {
      turns += 1;
      return new Uint8Array(PLAIN).fill(7);
    });
  assert.equal(await turn(), false);
  assert.equal(turns, 1, 'who waits to hear of it hears that it was not kept');
  assert.equal(kept.size, 0);
  desk.start();
  await new Promise(setImmediate);
  assert.equal(await turn(), true);
  assert.deepEqual([...kept.values()], ['file']);
  assert.ok(desk.file);
});

test('a browser that has the file keeps nothing beside it, whatever lay there before', async () => {
  const kept = localStorageOfThisTest();
  kept.set('wallflower', 'an image');
  await openShelf(new Desk(true), draw);
  assert.deepEqual([...kept], [['wallflower', 'file']]);
});

test('where the file fails at one load nothing is kept, and nothing lands where the next load removes it', async () => {
  const kept = localStorageOfThisTest();
  await openShelf(new Desk(true), draw);
  const failing = await openShelf(new Desk(false), draw);
  assert.equal(await failing.turn(() => new Uint8Array(PLAIN).fill(7)), false);
  assert.deepEqual([...kept.values()], ['file']);
});
