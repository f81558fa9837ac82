// One visit: record, hum, board and film, on clocks of their own. The page load fixes all of it;
// what a person does afterwards reaches nothing in here.

import { type Board, extend, isComplete, joined, leadingHead, newness, openKept } from './board.js';
import { equal } from './bytes.js';
import { fetchFile } from './files/fetching.js';
import type { FilesJob, HumJob, Report } from './hum/jobs.js';
import { Refused } from './refused.js';
import type { HumChoice, Session } from './session.js';
import type { Keeper } from './store/keeper.js';
import { seenUnder } from './trust/board.js';
import {
  type EpochRecord,
  newerOf,
  type RecordInForce,
  verifyHums,
  verifyInForce,
} from './trust/record.js';
import { recordTime, type Way, WayKind } from './wire/record.js';
import { HEAD, RECORD_MAX } from './wire/sizes.js';
import { segmentSize } from './wire/segment.js';

export const FILM_PIECE = 32_768;
const FILM_STEP_MS = 1000;
/** What a file is asked for later than it could be, at most; 84 segments take 11 s longer by it. */
const FILES_DITHER_MS = 250;
const MOST_HEADS = 2;

/**
 * Why there is a hum or none: `none` no keys could be had, `foreign` those here do not fit this
 * copy, `clock` they are of another day than this device's clock says, `off` the person said no.
 */
export type HumState = 'running' | 'done' | 'broken' | 'none' | 'foreign' | 'clock' | 'off';

/** How far each part of the visit came; the page says it in words. */
export interface Progress {
  /** With the moment of this device's clock, in milliseconds, and the day of the newest keys. */
  hum(state: HumState, days?: { readonly device: number; readonly keys: number }): void;
  board(state: 'loading' | 'complete' | 'kept' | 'split' | 'none', done: number, all: number): void;
  film(state: 'loading' | 'failed' | 'none', done: number, all: number): void;
  filmReady(film: Blob): void;
}

/** How this copy of the page came, and what its Workers are made of. */
export interface Shape {
  readonly worker: (name: 'hum' | 'seal') => Worker;
  /** Out of a file or a message: everything public comes from the ways' addresses. */
  readonly carried: boolean;
}

/** Paces count only where nobody else can be looking: on a loopback origin (record 1). */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

const isOnion = (url: string): boolean => /^https?:\/\/[^/?#]*\.onion\.?(:\d*)?([/?#]|$)/i.test(url);

/** The ways of a kind in the record's order; onions last, which a page without Tor does not reach, unless it
 * came from one itself. */
function waysOf({ body }: EpochRecord, kind: WayKind): readonly Way[] {
  const ways = body.ways.filter((way) => way.kind === kind);
  const isFar = ({ url }: Way): boolean => isOnion(url) && !isOnion(location.href);
  return [...ways.filter((way) => !isFar(way)), ...ways.filter(isFar)];
}

/** An address as the beginning of others; `` is the page's own. */
const base = (url: string): string => (url ? `${url.replace(/\/$/, '')}/` : '');

export class Visit {
  readonly #loopback = isLoopback(location.hostname);

  constructor(
    readonly session: Session,
    readonly keeper: Keeper,
    readonly progress: Progress,
    readonly shape: Shape,
    /** The Worker that fetches; it holds the store's file too. */
    readonly files: Worker,
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
    const foreign = await this.#prepare();
    const { record } = this.session;
    const inForce = this.#inForce();
    if (foreign && !inForce) this.progress.hum('foreign');
    else if (!record) this.progress.hum('none');
    else if (!inForce) {
      this.progress.hum('clock', { device: this.now() * 1000, keys: record.body.day });
    } else if (!this.session.hums) this.progress.hum('off');
    else {
      const choice = await this.session.chooseForHum(inForce).catch(() => null);
      if (choice) this.#hum(inForce, choice);
      else this.progress.hum('broken');
    }
    await this.keeper.turn();
    this.#film();
    // Not waited for: a way that is slow to answer must not hold up the store's clock (store 3.1).
    if (record) void this.#board(record);
    else this.progress.board('none', 0, 0);
  }

  /** The addresses that public files are asked of first: this page's own, or those it carries. */
  get #places(): readonly string[] {
    return this.shape.carried ? this.session.pins.boards : [''];
  }

  /** The newest believable record, and what this browser kept. True: what came does not fit. */
  async #prepare(): Promise<boolean> {
    const { session, keeper } = this;
    const image = await keeper.load();
    let [fetched, foreign]: [EpochRecord | null, boolean] = [null, false];
    for (const place of this.#places) {
      const bytes = await fetchFile(`${base(place)}record`, RECORD_MAX);
      fetched = bytes && session.believed(bytes);
      foreign = !fetched && (foreign || bytes !== null);
      if (fetched) break;
    }
    const kept = image && session.believed(image.record, fetched);
    try {
      session.record = newerOf(kept, fetched);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return true;
    }
    if (!session.record) return foreign;
    // A store of another organisation (or of another run of the demo) is not carried on.
    if (image && kept) {
      session.slots = image.slots;
      session.seen = seenUnder(session.record, image.seen, kept);
      session.hums = image.hums;
      session.lineage = image.lineage;
      session.board = openKept(image.board);
    }
    // Where the Worker that seals did not come, nobody hums or writes; all else goes on all the same.
    await session.fillSlots(session.record);
    return foreign;
  }

  #inForce(): RecordInForce | null {
    try {
      const { record } = this.session;
      const inForce = record && verifyInForce(record, this.now());
      if (inForce) verifyHums(inForce, this.now());
      return inForce;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return null;
    }
  }

  #hum(record: RecordInForce, choice: HumChoice): void {
    const { body, hash } = record;
    const [way] = waysOf(record, WayKind.INGRESS);
    if (!way) return;
    const worker = this.shape.worker('hum');
    worker.onmessage = ({ data }: MessageEvent<Report>): void => {
      if (data.report === 'hum-begun') this.progress.hum('running');
      if (data.report === 'hum-left') {
        // Written at once, for cover and letter alike: a letter that went out and still waits would leave
        // again with the next visit, whoever closes this one now.
        this.session.letterLeft(choice);
        void this.keeper.turn();
      }
      if (data.report !== 'hum-ended') return;
      worker.terminate();
      // Once more before a person is told that the page may be closed.
      const said = (): void => this.progress.hum(data.whole ? 'done' : 'broken');
      this.keeper.turn().then(said, said);
    };
    worker.onerror = (): void => this.progress.hum('broken'); // as where its script does not come
    const keys = { number: body.number, hash, hopA: body.hopA, hopB: body.hopB };
    const { kind, letter, token, report } = choice;
    const carried = { kind, letter, token, report };
    const { port1, port2 } = new MessageChannel();
    // Where it cannot be sealed no cell will come: nothing is sent, whoever asks, and what waits here waits on.
    this.session.sealer.hum(keys, carried, port1).catch(() => {
      worker.terminate();
      this.progress.hum('broken');
    });
    const job: HumJob = { job: 'hum', cells: port2, url: way.url, pace: this.pace };
    worker.postMessage(job, [port2]);
  }

  /** Fetch files one after another in the second Worker; `take` answers whether to go on. */
  #fetchAll(job: FilesJob, take: (index: number, bytes: Uint8Array | null) => void): void {
    this.files.addEventListener('message', ({ data }: MessageEvent<Report>) => {
      if (data.report === 'file' && data.name === job.name) take(data.index, data.bytes);
    });
    this.files.postMessage(job);
  }

  #filesJob(name: string, files: FilesJob['files'], limit: number): FilesJob {
    return { job: 'files', name, files, limit, ditherMs: FILES_DITHER_MS / this.pace };
  }

  #film(): void {
    const { pieces } = this.session.pins.film;
    if (!pieces || this.shape.carried) return this.progress.film('none', 0, 0);
    const files = Array.from({ length: pieces }, (_, i) => ({
      url: `film/${String(i).padStart(2, '0')}`,
      atMs: (i * FILM_STEP_MS) / this.pace,
    }));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    this.progress.film('loading', 0, pieces);
    this.#fetchAll(this.#filesJob('film', files, FILM_PIECE), (index, bytes) => {
      if (!bytes) return this.progress.film('failed', index, pieces);
      parts.push(new Uint8Array(bytes));
      this.progress.film('loading', parts.length, pieces);
      if (parts.length === pieces) this.progress.filmReady(new Blob(parts, { type: 'video/mp4' }));
    });
  }

  async #board(begun: EpochRecord): Promise<void> {
    const { session, progress } = this;
    const places = this.#boardPlaces(begun);
    const heads = await Promise.all(
      places.map((place) => fetchFile(`${place}board/head`, HEAD)),
    );
    // The record of this moment, which `seen` is of: another tab may have brought a newer one meanwhile.
    const record = session.record ?? begun;
    let fetched;
    try {
      fetched = { head: leadingHead(heads, record, session.seen), segments: [] };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // What was kept stays: it was verified when it came, and says nothing else than it said then.
      const split = error.rule === 'segment 3.7';
      return progress.board(split ? 'split' : session.board ? 'kept' : 'none', 0, 0);
    }
    session.seen = Math.max(session.seen, fetched.head.number);
    this.#take(fetched);
    // The rest is asked of the first way that showed this head: the same one for every person.
    const { bytes } = fetched.head;
    const leads = places[heads.findIndex((head) => head && equal(head, bytes))] ?? '';
    const ways = [leads, ...places.filter((place) => place !== leads)];
    this.#segments(record, ways, 0, fetched);
  }

  /** Where the head is asked for: here first, and always of a second way too, which a way that serves this
   * page is not. */
  #boardPlaces(record: EpochRecord): readonly string[] {
    const here = this.shape.carried ? '' : new URL('.', location.href).href;
    const ways = waysOf(record, WayKind.BOARD).filter(({ url }) => base(url) !== here);
    const all = [...this.#places, ...ways.map(({ url }) => url)].map(base);
    return [...new Set(all)].slice(0, MOST_HEADS);
  }

  /** Another tab may have put a newer board away meanwhile, or more of this one (store 4.3). */
  #take(fetched: Board): void {
    const { session } = this;
    const { board, seen } = session;
    if (newness(fetched, seen) >= newness(board, seen)) session.board = joined(fetched, board);
  }

  /** Fetch what is behind this head from one of the ways; what did not come whole from there, or
   * does not verify, from the next one. */
  #segments(
    record: EpochRecord,
    ways: readonly string[],
    way: number,
    before: Board,
  ): void {
    const { progress, session } = this;
    const { number, first } = before.head;
    const { replies, receipts, segments: most } = record.body.parameters;
    const all = Math.min(number - first + 1, most);
    const had = before.segments.length;
    const files = Array.from({ length: all - had }, (_, i) => ({
      url: `${ways[way]}board/${number - had - i}`,
      atMs: 0,
    }));
    // The largest that any of them can have: sizes are never lowered (segment 4).
    const limit = segmentSize(replies, receipts);
    let fetched = before;
    progress.board('loading', had, all);
    this.#fetchAll(this.#filesJob(`board ${way}`, files, limit), (index, bytes) => {
      try {
        if (!bytes) throw new Refused('segment 3.1', 'A segment did not come');
        fetched = extend(fetched, bytes, record, session.board);
        this.#take(fetched);
        progress.board(isComplete(fetched) ? 'complete' : 'loading', fetched.segments.length, all);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // What does not verify is as good as absent; the rest is fetched all the same.
        progress.board('kept', fetched.segments.length, all);
      }
      // After a file that did not come the Worker asks this way for no other.
      const ends = (!bytes || index === files.length - 1) && fetched.segments.length < all;
      if (ends && way + 1 < ways.length) this.#segments(record, ways, way + 1, fetched);
    });
  }
}
