// What is sealed to a role's key, in a Worker that does nothing else. The page's thread is not held up by
// it, and the hum's Worker gets cells that are ready and can tell no letter from a filler.

import { draw } from './entropy.js';
import type { SealJob, SealReport } from './hum/jobs.js';
import { type Carried, type HumKeys, makeHum } from './wire/hum.js';
import { sealLetter } from './wire/letter.js';
import { FETCH_MS } from './wire/sizes.js';

export interface Sealer {
  /** Seal LETTER_PLAIN bytes to the desk: LETTER bytes (letter 2). Rejects where nothing can be sealed. */
  letter(deskKey: Uint8Array, entryHash: Uint8Array, plain: Uint8Array): Promise<Uint8Array>;
  /** Seal a hum, and give its cells to whoever listens at the other end of this port. Rejects where it cannot
   * be sealed: then nothing ever comes there. */
  hum(keys: HumKeys, carried: Carried, cells: MessagePort): Promise<void>;
}

/** What a Worker has to be for a sealer; tests bring their own. */
export type SealingWorker = Pick<Worker, 'postMessage' | 'addEventListener'>;

interface Asked {
  readonly resolve: (sealed: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** A sealer that has a Worker do it, which answers in the order that it is asked in. Nothing can be sealed
 * where its script did not come, nor where it said nothing for FETCH_MS after the first question (hum 1.8). */
export function sealerOf(worker: SealingWorker): Sealer {
  const asked: Asked[] = [];
  let works = true;
  let patience: ReturnType<typeof setTimeout> | undefined;
  const failed = (): Error => new Error('Nothing can be sealed in this browser');
  const giveUp = (): void => {
    works = false;
    clearTimeout(patience);
    for (const { reject } of asked.splice(0)) reject(failed());
  };
  worker.addEventListener('message', (event) => {
    clearTimeout(patience);
    const { sealed } = (event as MessageEvent<SealReport>).data;
    const first = asked.shift();
    if (sealed) first?.resolve(sealed);
    else first?.reject(failed());
  });
  worker.addEventListener('error', giveUp);
  const ask = (job: SealJob, transfer: Transferable[] = []): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      if (!works) return reject(failed());
      worker.postMessage(job, transfer);
      patience ??= setTimeout(giveUp, FETCH_MS);
      asked.push({ resolve, reject });
    });
  return {
    letter: (deskKey, entryHash, plain) => ask({ job: 'seal-letter', deskKey, entryHash, plain }),
    async hum(keys, carried, cells) {
      await ask({ job: 'seal-hum', keys, carried, cells }, [cells]);
    },
  };
}

const NOTHING = new Uint8Array(0);

/** What is sealed and comes back; of a hum nothing does, since its cells go straight to its Worker. */
async function seal(job: SealJob): Promise<Uint8Array> {
  if (job.job === 'seal-letter') return sealLetter(job.deskKey, job.entryHash, job.plain);
  job.cells.postMessage(await makeHum(job.keys, job.carried, draw));
  return NOTHING;
}

async function work(job: SealJob): Promise<void> {
  // In the carried shape the jobs of the other Workers come by here, too.
  if (job.job !== 'seal-letter' && job.job !== 'seal-hum') return;
  const report: SealReport = { report: 'sealed', sealed: await seal(job).catch(() => null) };
  self.postMessage(report);
}

/** Begin to seal, as a Worker, one thing after the other. */
export function startSealing(): void {
  let last = Promise.resolve();
  self.addEventListener('message', ({ data }: MessageEvent<SealJob>) => {
    const next = (): Promise<void> => work(data);
    last = last.then(next, next);
  });
}
