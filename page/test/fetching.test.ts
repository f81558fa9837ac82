// Nobody's answer is waited for longer than FETCH_MS (hum 1.8).

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { fetchFile } from '../src/files/fetching.js';
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
