// Sends the cells of one hum on their times. Everything is made before it begins; nothing is sealed,
// decided or retried here. Spec: hum.md 1.5.

import { DITHER_MS, HUM_CELLS, LATE_MS, POSITIONS, SLOT_MS } from '../wire/sizes.js';
import { type Clock, until } from './clock.js';

/** Uploads one cell; resolves when the browser says that it went out. */
export type Upload = (cell: Uint8Array) => Promise<void>;

/** When each cell leaves, in milliseconds since the hum began (hum 1.5). */
export const offsetsMs = (pace: number, uniform: () => number): number[] =>
  Array.from({ length: HUM_CELLS }, (_, c) => (c * SLOT_MS + uniform() * DITHER_MS) / pace);

/** Which cells went out, by counter. A cell more than LATE_MS late is skipped, for everyone alike; so is one
 * that is more than a slot late by the `wall` clock (milliseconds): on many devices the other one stands
 * still while they sleep, and what woke days later would leave under keys that are gone. `left` is called
 * once, when the hum has left, which is before its last cell. */
export async function sendHum(
  cells: readonly Uint8Array[],
  offsets: readonly number[],
  upload: Upload,
  clock: Clock,
  wall: () => number,
  left: () => void = () => undefined,
): Promise<Promise<boolean>[]> {
  const [start, wallStart] = [clock.now(), wall()];
  const sent: Promise<boolean>[] = [];
  const out: boolean[] = [];
  const wentOut = (counter: number): boolean => {
    const before = isWhole(out);
    out[counter] = true;
    if (!before && isWhole(out)) left();
    return true;
  };
  for (let counter = 0; counter < HUM_CELLS; counter++) {
    const offset = offsets[counter] as number;
    await until(start + offset, clock);
    const late = clock.now() - start - offset > LATE_MS || wall() - wallStart - offset > SLOT_MS;
    const upCame = late ? Promise.reject() : upload(cells[counter] as Uint8Array);
    sent.push(upCame.then(() => wentOut(counter), () => false));
  }
  return sent;
}

/** Whether at least one copy of each position went out. */
export const isWhole = (sent: readonly boolean[]): boolean =>
  Array.from({ length: POSITIONS }, (_, position) => position).every((position) =>
    sent.some((out, counter) => out && counter % POSITIONS === position),
  );

/** The one shape of an upload: no header of our own, no preflight, no cookie, no cache. */
export const uploadTo =
  (url: string): Upload =>
  async (cell) => {
    await fetch(url, {
      method: 'POST',
      mode: 'no-cors',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      body: new Uint8Array(cell),
    });
  };
