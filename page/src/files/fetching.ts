// Fetching a public file: the same bytes for everyone, asked for in the same way by everyone.

import { concat } from '../bytes.js';
import { type Clock, until } from '../hum/clock.js';
import type { FilesJob } from '../hum/jobs.js';
import { FETCH_MS } from '../wire/sizes.js';

/** The whole file, or null: it is not there, too long, or did not come in FETCH_MS (hum 1.8). */
export async function fetchFile(url: string, limit: number): Promise<Uint8Array | null> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), FETCH_MS);
  try {
    const answer = await fetch(url, {
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: stop.signal,
    });
    return answer.ok && answer.body ? await upTo(limit, answer.body.getReader()) : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    stop.abort(); // what goes on beyond the limit is not taken
  }
}

/** All of it, or null as soon as it is longer: nobody's answer fills the memory. */
async function upTo(
  limit: number,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let left = limit;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    left -= value.length;
    if (left < 0) return null;
    parts.push(value);
  }
}

/**
 * The files of a job, one after another; ends with the first that does not come. How busy the device
 * is when a file has come, as while somebody types, would show in when the next one is asked for:
 * a time that is drawn for each lies over it.
 */
export async function fetchInTurn(
  job: FilesJob,
  take: (index: number, bytes: Uint8Array | null) => void,
  clock: Clock,
  uniform: () => number,
  fetchOne: typeof fetchFile = fetchFile,
): Promise<void> {
  const start = clock.now();
  for (const [index, { url, atMs }] of job.files.entries()) {
    await until(Math.max(start + atMs, clock.now()) + uniform() * job.ditherMs, clock);
    const bytes = await fetchOne(url, job.limit);
    take(index, bytes);
    if (!bytes) return;
  }
}
