// Fetching a public file: the same bytes for everyone, asked for in the same way by everyone.

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
    if (!answer.ok) return null;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return bytes.length <= limit ? bytes : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
