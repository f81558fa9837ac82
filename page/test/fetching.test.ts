// Nobody's answer is waited for longer than FETCH_MS (hum 1.8).

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { fetchFile, fetchInTurn } from '../src/files/fetching.js';
import type { Clock } from '../src/hum/clock.js';
import { FETCH_MS } from '../src/wire/sizes.js';

/** A server that says its status, and then nothing more; as the browser does, it ends by the signal. */
const silent: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
  });

test('a file that does not come in its time counts as absent, and not a moment earlier', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(globalThis, 'fetch', silent);
  try {
    let came: unknown = 'nothing yet';
    const asked = fetchFile('record', 10).then((bytes) => (came = bytes));
    mock.timers.tick(FETCH_MS - 1);
    await Promise.resolve();
    assert.equal(came, 'nothing yet');
    mock.timers.tick(1);
    assert.equal(await asked, null);
  } finally {
    mock.reset();
    mock.timers.reset();
  }
});

test('an answer without an end counts as absent as soon as it is too long', async () => {
  let sent = 0;
  let stopped: AbortSignal | null | undefined = null;
  const endless: typeof fetch = async (_, init) => {
    stopped = init?.signal;
    const pull = (controller: ReadableStreamDefaultController): void => {
      sent += 1000;
      controller.enqueue(new Uint8Array(1000));
      if (sent > 1_000_000) controller.close();
    };
    return new Response(new ReadableStream({ pull }));
  };
  mock.method(globalThis, 'fetch', endless);
  try {
    assert.equal(await fetchFile('record', 5000), null);
    assert.ok(sent < 10_000, `${sent}`);
    assert.ok((stopped as AbortSignal | null)?.aborted);
  } finally {
    mock.reset();
  }
});

test('a file in time is whole, and one that is too long counts as absent', async () => {
  const body = Uint8Array.of(1, 2, 3);
  mock.method(globalThis, 'fetch', () => Promise.resolve(new Response(body)));
  try {
    assert.deepEqual(await fetchFile('record', 3), body);
    assert.equal(await fetchFile('record', 2), null);
  } finally {
    mock.reset();
  }
});

/** A clock that stands at the moment that somebody waits for. */
class Waited implements Clock {
  time = 1000;
  now = (): number => this.time;
  after = (ms: number, act: () => void): void => {
    this.time += ms;
    queueMicrotask(act);
  };
}

test('files are asked for in turn, none before its moment, each later by a time of its own', async () => {
  const clock = new Waited();
  const asked: number[] = [];
  const fetchOne: typeof fetchFile = async (url) => {
    asked.push(clock.time - 1000);
    clock.time += url === 'slow' ? 500 : 5;
    return new Uint8Array(1);
  };
  const drawn = [0.5, 0.25, 1, 0];
  const files = [
    { url: 'a', atMs: 0 }, { url: 'slow', atMs: 100 }, { url: 'b', atMs: 200 }, { url: 'c', atMs: 0 },
  ];
  const job = { job: 'files', name: 'film', files, limit: 10, ditherMs: 40 } as const;
  const came: number[] = [];
  await fetchInTurn(job, (index) => came.push(index), clock, () => drawn.shift() ?? 0, fetchOne);
  assert.deepEqual(asked.map(Math.round), [20, 110, 650, 655]);
  assert.deepEqual(came, [0, 1, 2, 3]);
});

test('after a file that did not come no other is asked for', async () => {
  const came: unknown[] = [];
  const files = [{ url: 'a', atMs: 0 }, { url: 'b', atMs: 0 }];
  const job = { job: 'files', name: 'board', files, limit: 10, ditherMs: 0 } as const;
  await fetchInTurn(job, (...one) => came.push(one), new Waited(), () => 0, async () => null);
  assert.deepEqual(came, [[0, null]]);
});
