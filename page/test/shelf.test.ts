// Where the image lies: the file is let go of after every turn, and localStorage is what is left.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Report, StoreJob } from '../src/hum/jobs.js';
import { localShelf, openShelf, type Port } from '../src/store/shelf.js';

/** A Worker with one file in memory. */
class Desk extends EventTarget implements Port {
  file: Uint8Array | null = null;
  held = false;
  readonly jobs: string[] = [];

  constructor(readonly able: boolean) {
    super();
  }

  postMessage(job: StoreJob): void {
    this.jobs.push(job.job);
    queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data: this.#answer(job) })));
  }

  #answer(job: StoreJob): Report {
    if (job.job === 'store-able') return { report: 'store-able', able: this.able };
    if (job.job === 'store-read') {
      this.held = true;
      return { report: 'store-lies', bytes: this.file };
    }
    this.held = false;
    if (job.image) this.file = job.image;
    return { report: 'store-written', kept: job.image !== null };
  }
}

test('a turn reads what lies there, puts the new image in its place, and lets go', async () => {
  const desk = new Desk(true);
  const shelf = await openShelf(desk);
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
});

test('a turn that fails lets go of the file and leaves what lies there', async () => {
  const desk = new Desk(true);
  const shelf = await openShelf(desk);
  await assert.rejects(shelf.turn(() => {
    throw new Error('no');
  }));
  assert.equal(desk.held, false);
  assert.equal(desk.file, null);
});

test('a browser without such a file has the other shelf', async () => {
  assert.equal(await openShelf(new Desk(false)), localShelf);
});
