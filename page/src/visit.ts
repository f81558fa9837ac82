// One visit: record, hum, board and film, on clocks of their own. The page load fixes all of it;
// what a person does afterwards reaches nothing in here.

import { extend, isComplete, joined, leadingHead, openKept } from './board.js';
import { fetchFile } from './files/fetching.js';
import type { FilesJob, HumJob, Report } from './hum/jobs.js';
import { Refused } from './refused.js';
import type { HumChoice, Session } from './session.js';
import { type Keeper, readImage } from './store/keeper.js';
import {
  type EpochRecord,
  newerOf,
  type RecordInForce,
  verifyInForce,
} from './trust/record.js';
import { recordTime, WayKind } from './wire/record.js';
import { HEAD, RECORD_MAX } from './wire/sizes.js';
import { segmentSize } from './wire/segment.js';

export const FILM_PIECE = 32_768;
const FILM_STEP_MS = 1000;
const WORKER = 'hum.js';

/** How far each part of the visit came; the page says it in words. */
export interface Progress {
  hum(state: 'running' | 'done' | 'broken' | 'none'): void;
  board(state: 'loading' | 'complete' | 'kept' | 'split' | 'none', done: number, all: number): void;
  film(state: 'loading' | 'failed' | 'none', done: number, all: number): void;
  filmReady(film: Blob): void;
}

/** Paces count only where nobody else can be looking: on a loopback origin (record 1). */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

export class Visit {
  readonly #loopback = isLoopback(location.hostname);
  readonly #files = new Worker(WORKER);

  constructor(
    readonly session: Session,
    readonly keeper: Keeper,
    readonly progress: Progress,
  ) {}

  /** Record time in seconds: the wall clock, or the record's own pace on loopback. */
  now(): number {
    const wall = Date.now() / 1000;
    const pace = this.session.record?.body.parameters.pace;
    return pace && this.#loopback ? recordTime(pace, wall) : wall;
  }

  get pace(): number {
    return this.#loopback ? (this.session.record?.body.parameters.pace.hums ?? 1) : 1;
  }

  async begin(): Promise<void> {
    await this.#prepare();
    const record = this.#inForce();
    if (record) this.#hum(record, await this.session.chooseForHum(record));
    else this.progress.hum('none');
    this.keeper.turn();
    this.#film();
    if (this.session.record) await this.#board(this.session.record);
    else this.progress.board('none', 0, 0);
  }

  /** The newest believable record, and what this browser kept. */
  async #prepare(): Promise<void> {
    const { session, keeper } = this;
    const image = readImage(keeper.shelf);
    const kept = image && session.believed(image.record);
    const bytes = await fetchFile('record', RECORD_MAX);
    const fetched = bytes && session.believed(bytes);
    try {
      session.record = newerOf(kept, fetched);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return;
    }
    if (!session.record) return;
    // A store of another organisation (or of another run of the demo) is not carried on.
    if (image && kept) {
      session.slots = image.slots;
      session.seen = image.seen;
      session.board = openKept(image.board, session.record);
    }
    await session.fillSlots(session.record);
  }

  #inForce(): RecordInForce | null {
    try {
      return this.session.record && verifyInForce(this.session.record, this.now());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return null;
    }
  }

  #hum(record: RecordInForce, choice: HumChoice): void {
    const { body, hash } = record;
    const way = body.ways.find(({ kind }) => kind === WayKind.INGRESS);
    if (!way) return;
    const worker = new Worker(WORKER);
    worker.onmessage = ({ data }: MessageEvent<Report>): void => {
      if (data.report === 'hum-begun') this.progress.hum('running');
      if (data.report !== 'hum-ended') return;
      if (data.whole) this.session.letterLeft(choice);
      this.progress.hum(data.whole ? 'done' : 'broken');
      worker.terminate();
    };
    const keys = { number: body.number, hash, hopA: body.hopA, hopB: body.hopB };
    const { kind, letter } = choice;
    const job: HumJob = { job: 'hum', keys, kind, letter, url: way.url, pace: this.pace };
    worker.postMessage(job);
  }

  /** Fetch files one after another in the second Worker; `take` answers whether to go on. */
  #fetchAll(job: FilesJob, take: (index: number, bytes: Uint8Array | null) => void): void {
    this.#files.addEventListener('message', ({ data }: MessageEvent<Report>) => {
      if (data.report === 'file' && data.name === job.name) take(data.index, data.bytes);
    });
    this.#files.postMessage(job);
  }

  #film(): void {
    const { pieces } = this.session.pins.film;
    if (!pieces) return this.progress.film('none', 0, 0);
    const files = Array.from({ length: pieces }, (_, i) => ({
      url: `film/${String(i).padStart(2, '0')}`,
      atMs: (i * FILM_STEP_MS) / this.pace,
    }));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    this.progress.film('loading', 0, pieces);
    this.#fetchAll({ job: 'files', name: 'film', files, limit: FILM_PIECE }, (index, bytes) => {
      if (!bytes) return this.progress.film('failed', index, pieces);
      parts.push(new Uint8Array(bytes));
      this.progress.film('loading', parts.length, pieces);
      if (parts.length === pieces) this.progress.filmReady(new Blob(parts, { type: 'video/mp4' }));
    });
  }

  async #board(record: EpochRecord): Promise<void> {
    const { session, progress } = this;
    const kept = session.board;
    const way = record.body.ways.find(({ kind }) => kind === WayKind.BOARD);
    const heads = await Promise.all([
      fetchFile('board/head', HEAD),
      way ? fetchFile(`${way.url.replace(/\/$/, '')}/board/head`, HEAD) : null,
    ]);
    let fetched;
    try {
      fetched = { head: leadingHead(heads, record, session.seen), segments: [] };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const split = error.rule === 'segment 3.7';
      if (split) session.board = null;
      return progress.board(split ? 'split' : kept ? 'kept' : 'none', 0, 0);
    }
    session.seen = fetched.head.number;
    session.board = joined(fetched, kept);
    this.#segments(record, fetched, kept);
  }

  #segments(record: EpochRecord, empty: NonNullable<Session['board']>, kept: Session['board']): void {
    const { session, progress } = this;
    const { number, first } = empty.head;
    const { replies, receipts, segments: most } = record.body.parameters;
    const all = Math.min(number - first + 1, most);
    const files = Array.from({ length: all }, (_, i) => ({ url: `board/${number - i}`, atMs: 0 }));
    const limit = segmentSize(replies, receipts);
    let fetched = empty;
    progress.board('loading', 0, all);
    this.#fetchAll({ job: 'files', name: 'board', files, limit }, (_, bytes) => {
      try {
        if (!bytes) throw new Refused('segment 3.1', 'A segment did not come');
        fetched = extend(fetched, bytes, record);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // What does not verify is as good as absent; the rest is fetched all the same.
        return progress.board('kept', fetched.segments.length, all);
      }
      session.board = joined(fetched, kept);
      const done = isComplete(fetched) ? 'complete' : 'loading';
      progress.board(done, fetched.segments.length, all);
    });
  }
}
