// Where the image lies: a file of the origin's private file system, overwritten in place by a
// Worker; localStorage where there is none (http, file, private windows). Spec: store.md 5.

import type { Draw } from '../entropy.js';
import { given, type Report, type StoreJob } from '../hum/jobs.js';
import { IMAGE, IMAGE_KEY, pack, unpack } from './packing.js';

/** Looks at the plain image that lies there (null: none that can be read, or still the one that this
 * shelf read or wrote last) and answers with the one to put in its place, or null to leave it. Between
 * the two no other tab writes. */
export type Turn = (lies: Uint8Array | null) => Uint8Array | null;

export interface Shelf {
  /** Whether the answer of the turn was kept: a browser may refuse. */
  turn(act: Turn): Promise<boolean>;
}

const KEY = 'wallflower';
const IN_FILE = 'file';
const CHUNK = 0x8000;
// A Worker that runs always answers; its script may be long in coming.
const PATIENCE_MS = 30_000;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

class LocalShelf implements Shelf {
  #known: string | null = null;

  constructor(readonly draw: Draw) {}

  async turn(act: Turn): Promise<boolean> {
    const plain = act(this.#read());
    try {
      if (plain) this.#write(toBase64(pack(plain, this.draw(IMAGE_KEY))));
      return plain !== null;
    } catch {
      return false;
    }
  }

  #read(): Uint8Array | null {
    try {
      const text = localStorage.getItem(KEY);
      if (!text || text === this.#known || text.length > 2 * IMAGE) return null;
      this.#known = text;
      return unpack(fromBase64(text));
    } catch {
      return null;
    }
  }

  #write(text: string): void {
    localStorage.setItem(KEY, text);
    this.#known = text;
  }
}

/** What a Worker has to be for a shelf; tests bring their own. */
export type Port = Pick<Worker, 'postMessage' | 'addEventListener' | 'removeEventListener'>;

function answer<R extends Report['report']>(
  worker: Port,
  job: StoreJob,
  wanted: R,
  options?: StructuredSerializeOptions,
): Promise<Extract<Report, { report: R }>> {
  return new Promise((resolve) => {
    const take = (event: Event): void => {
      const { data } = event as MessageEvent<Report>;
      if (data.report !== wanted) return;
      worker.removeEventListener('message', take);
      resolve(data as Extract<Report, { report: R }>);
    };
    worker.addEventListener('message', take);
    worker.postMessage(job, options);
  });
}

const fileShelf = (worker: Port, draw: Draw): Shelf => ({
  async turn(act) {
    const lies = await answer(worker, { job: 'store-read' }, 'store-lies');
    let plain: Uint8Array | null = null;
    let written = false;
    try {
      plain = act(lies.plain);
    } finally {
      // Whatever happened, the Worker lets go of the file: other tabs wait for it.
      const job = { job: 'store-write', plain, key: draw(IMAGE_KEY) } as const;
      written = (await answer(worker, job, 'store-written', given(plain))).kept;
    }
    return written;
  },
});

/** Nothing lies here and nothing is kept. */
const NOWHERE: Shelf = {
  async turn(act) {
    act(null);
    return false;
  },
};

/** In a browser that has the file no image lies here: what lay here before it had one would be found by
 * nobody but who searches the device. The same word lies here instead, for everyone. */
function emptyLocal(): void {
  try {
    localStorage.setItem(KEY, IN_FILE);
  } catch {
    // A browser may refuse it; then nothing lies here.
  }
}

/** Whether this browser had the file at another load, whatever keeps it from opening it at this one. */
function hadFile(): boolean {
  try {
    return localStorage.getItem(KEY) === IN_FILE;
  } catch {
    return false;
  }
}

/** The better shelf that this browser has. Which one depends on browser and address alone: until the
 * Worker says it nothing is kept, since a letter in the wrong place would never leave; nor where a file that
 * was there fails, since letters may wait in it that nothing written elsewhere would forget. */
export async function openShelf(worker: Port, draw: Draw): Promise<Shelf> {
  let shelf = NOWHERE;
  const looked = answer(worker, { job: 'store-able' }, 'store-able').then(({ able }) => {
    if (able) {
      emptyLocal();
      shelf = fileShelf(worker, draw);
    } else if (!hadFile()) shelf = new LocalShelf(draw);
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  await Promise.race([looked, patience]);
  clearTimeout(timer);
  return { turn: (act) => shelf.turn(act) };
}

/** A shelf that is still being looked for. */
export const later = (shelf: Promise<Shelf>): Shelf => ({
  turn: async (act) => (await shelf).turn(act),
});
