// The Worker that sends or fetches. It keeps the clock, since the page's own timers are slowed in a hidden tab.

import { uniform } from './entropy.js';
import { fetchInTurn } from './files/fetching.js';
import { monotonic, until } from './hum/clock.js';
import { type FilesJob, given, type HumJob, type Job, type Report } from './hum/jobs.js';
import { offsetsMs, sendHum, uploadTo } from './hum/sending.js';
import * as store from './store/file.js';
import { SLOT_MS } from './wire/sizes.js';

const say = (report: Report, options?: StructuredSerializeOptions): void =>
  self.postMessage(report, options);

/** What comes by this port first. */
const first = (port: MessagePort): Promise<readonly Uint8Array[]> =>
  new Promise((resolve) => {
    port.onmessage = ({ data }: MessageEvent<readonly Uint8Array[]>): void => resolve(data);
  });

async function hum(job: HumJob): Promise<void> {
  const cells = await first(job.cells);
  const offsets = offsetsMs(job.pace, uniform);
  say({ report: 'hum-begun' });
  let whole = false;
  const left = (): void => {
    whole = true;
    say({ report: 'hum-left' });
  };
  const sending = await sendHum(cells, offsets, uploadTo(job.url), monotonic, Date.now, left);
  // An answer that never comes counts as not sent: that of this cell alone.
  await Promise.race([Promise.all(sending), until(monotonic.now() + SLOT_MS, monotonic)]);
  say({ report: 'hum-ended', whole });
}

const files = (job: FilesJob): Promise<void> =>
  fetchInTurn(
    job,
    (index, bytes) => say({ report: 'file', name: job.name, index, bytes }, given(bytes)),
    monotonic,
    uniform,
  );

async function work(job: Job): Promise<void> {
  switch (job.job) {
    case 'hum':
      return hum(job);
    case 'files':
      return files(job);
    case 'store-able':
      return say({ report: 'store-able', able: await store.isAble() });
    case 'store-read': {
      const plain = await store.read();
      return say({ report: 'store-lies', plain }, given(plain));
    }
    case 'store-write':
      return say({ report: 'store-written', kept: await store.write(job.plain, job.key) });
  }
}

/** Begin to work, as a Worker. */
export function startWorker(): void {
  self.addEventListener('message', ({ data }: MessageEvent<Job>) => void work(data));
}
