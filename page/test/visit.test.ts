// One visit: what a mirror, or another tab, does to the board that this browser keeps.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';

import { openKept } from '../src/board.js';
import { draw } from '../src/entropy.js';
import type { FilesJob, HumJob } from '../src/hum/jobs.js';
import { type Sealer, sealerOf } from '../src/sealing.js';
import { Session } from '../src/session.js';
import { Keeper, readImage } from '../src/store/keeper.js';
import { type Progress, Visit } from '../src/visit.js';
import { WayKind } from '../src/wire/record.js';
import { FETCH_MS } from '../src/wire/sizes.js';
import { Memory } from './memory.js';
import { here } from './sealing.js';
import { headOf, withAnotherBoardKey } from './signing.js';
import { hex, vectorsOf } from './vectors/files.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const PATIENCE_MS = 20_000;

const record = trusted('raised');
const bytesOf = (name: string): Uint8Array =>
  hex(vectorsOf('segment', 'hand').find((one) => one.name === name)?.bytes);
const OLD = 'head';
const NEW = 'head-after-a-step';
const SEGMENTS = ['third-after-a-step', 'second', 'first'].map(bytesOf);
const wholeBoard = () => openKept({ head: bytesOf(NEW), segments: SEGMENTS });

Object.assign(globalThis, { location: { hostname: 'example.org', href: 'https://example.org/page/?a' } });
afterEach(() => mock.restoreAll());

/** A mirror that has this head of the board, and the record. */
function mirror(head: string): void {
  const served: Readonly<Record<string, Uint8Array>> = { record: record.bytes, 'board/head': bytesOf(head) };
  mock.method(globalThis, 'fetch', async (url: string) => {
    const bytes = served[url.replace(/^https:..[^/]*./, '')];
    return bytes ? new Response(new Uint8Array(bytes)) : new Response(null, { status: 404 });
  });
}

/** The Worker that fetches, which gives a file when it is told to. */
class Files extends EventTarget {
  readonly jobs: FilesJob[] = [];
  readonly #ended = new Set<FilesJob | undefined>();
  postMessage(job: FilesJob): void {
    this.jobs.push(job);
  }
  /** A file of the newest job came, or did not: then that job has ended, as in `fetchInTurn`. */
  come(index: number, bytes: Uint8Array | null): void {
    const job = this.jobs.at(-1);
    assert.ok(!this.#ended.has(job), 'after a file that did not come no other is asked for');
    if (!bytes) this.#ended.add(job);
    const data = { report: 'file', name: job?.name, index, bytes };
    this.dispatchEvent(new MessageEvent('message', { data }));
  }
}

/** A tab in which a visit has begun, and what its page said of the board. */
class Tab {
  readonly files = new Files();
  readonly said: string[] = [];
  readonly keeper: Keeper;

  /** Of a page that is served, or a carried one that asks for the board here. */
  constructor(shelf: Memory, sealer: Sealer = here, readonly boards: readonly string[] = []) {
    const session = new Session({ ...pinsWith(record.body.root), boards }, draw, sealer);
    this.keeper = new Keeper(session, shelf.tab());
  }

  async begin(worker?: Worker): Promise<void> {
    const nothing = (): void => undefined;
    const board: Progress['board'] = (state) => void this.said.push(state);
    const progress = { hum: nothing, board, film: nothing, filmReady: nothing };
    const shape = {
      carried: this.boards.length > 0,
      worker: () => {
        if (worker) return worker;
        throw new Error('the keys of these vectors are of another day: no hum');
      },
    };
    const files = this.files as unknown as Worker;
    await new Visit(this.keeper.session, this.keeper, progress, shape, files).begin();
  }

  says(state: string): Promise<void> {
    return until(() => this.said.includes(state), `the page says ${state}`);
  }
}

const TWO = ['https://one.example/', 'https://two.example/'];

async function begun(shelf: Memory): Promise<Tab> {
  const tab = new Tab(shelf, here, TWO);
  await tab.begin();
  return tab;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(Date.now() < end, what);
    await new Promise(setImmediate);
  }
}

const kept = (shelf: Memory): number =>
  openKept(readImage(shelf.bytes)?.board ?? null)?.head.number ?? 0;

const OLDER = { head: bytesOf(OLD), segments: SEGMENTS.slice(1) };
const segmentsIn = (shelf: Memory) => readImage(shelf.bytes)?.board?.segments;

/** A browser that has the whole of the newer board, or of this one, by this tab. */
async function takeNewer(shelf: Memory, board = wholeBoard()): Promise<void> {
  const { keeper } = new Tab(shelf);
  const { session } = keeper;
  const image = await keeper.load();
  session.record = record;
  if (image) [session.slots, session.lineage] = [image.slots, image.lineage];
  else await session.fillSlots(record);
  session.board = board;
  session.seen = board?.head.number ?? 0;
  await keeper.turn();
  assert.equal(kept(shelf), session.seen);
}

test('a mirror that shows an older head takes nothing from the board that this browser keeps', async () => {
  const shelf = new Memory();
  await takeNewer(shelf);
  mirror(OLD);
  const tab = new Tab(shelf);
  await tab.begin();
  await tab.says('split');
  assert.deepEqual(tab.keeper.session.board, wholeBoard());
  await tab.keeper.turn();
  assert.equal(kept(shelf), 3);
});

test('a newer head whose segments do not come takes nothing from the board that this browser keeps', async () => {
  const shelf = new Memory();
  await takeNewer(shelf, openKept(OLDER));
  mirror(NEW);
  const cut = new Tab(shelf);
  await cut.begin();
  await cut.says('loading');
  cut.files.come(0, null);
  await cut.keeper.turn();
  assert.deepEqual(segmentsIn(shelf), OLDER.segments);
  const next = new Tab(shelf);
  await next.begin();
  assert.deepEqual(next.keeper.session.board?.segments.map(({ bytes }) => bytes), OLDER.segments);
  await next.says('loading');
  next.files.come(0, SEGMENTS[0] as Uint8Array);
  await next.keeper.turn();
  assert.deepEqual(segmentsIn(shelf), SEGMENTS);
});

for (const [what, instead] of [['withholds', null], ['garbles', new Uint8Array(9)]] as const) {
  test(`a mirror that ${what} a segment holds back nothing that another way has`, async () => {
    mirror(NEW);
    const tab = await begun(new Memory());
    const { files, said } = tab;
    await until(() => said.includes('loading'), 'the page fetches');
    files.come(0, bytesOf('third-after-a-step'));
    files.come(1, instead);
    assert.ok(said.includes('kept'));
    // Garbage is no end; but what follows cannot be believed before the one that names it.
    if (instead) files.come(2, bytesOf('first'));
    assert.deepEqual(
      files.jobs.map((job) => job.files.map(({ url }) => url)),
      [[3, 2, 1].map((n) => `${TWO[0]}board/${n}`), [2, 1].map((n) => `${TWO[1]}board/${n}`)],
    );
    files.come(0, bytesOf('second'));
    files.come(1, bytesOf('first'));
    assert.equal(said.at(-1), 'complete');
    assert.deepEqual(tab.keeper.session.board, wholeBoard());
    assert.equal(files.jobs.length, 2);
  });
}

test('where no way has a segment, each was asked once for what is missing', async () => {
  mirror(NEW);
  const { files, said } = await begun(new Memory());
  await until(() => said.includes('loading'), 'the page fetches');
  for (let jobs = 0; jobs < files.jobs.length; ) {
    jobs = files.jobs.length;
    files.come(0, null);
  }
  const asked = files.jobs.map((job) => job.files[0]?.url);
  assert.deepEqual(asked, TWO.map((way) => `${way}board/3`));
  assert.equal(said.at(-1), 'kept');
});

test('a tab that still fetches brings back no older board than another tab put away meanwhile', async () => {
  mirror(OLD);
  const shelf = new Memory();
  const slow = new Tab(shelf);
  await slow.begin();
  await slow.says('loading');
  slow.files.come(0, bytesOf('second'));
  assert.equal(slow.keeper.session.board?.head.number, 2);
  await slow.keeper.turn();
  await takeNewer(shelf);
  await slow.keeper.turn();
  slow.files.come(1, bytesOf('first'));
  await slow.says('complete');
  await slow.keeper.turn();
  assert.equal(kept(shelf), 3);
  assert.equal(slow.keeper.session.seen, 3);
});

test('a tab with the beginning of a board takes no older one for it, though another tab has that whole', async () => {
  mirror(NEW);
  const shelf = new Memory();
  const [slow, other] = [new Tab(shelf), new Tab(shelf)];
  await slow.begin();
  await slow.says('loading');
  slow.files.come(0, SEGMENTS[0] as Uint8Array);
  mirror(OLD);
  await other.begin();
  await other.says('loading');
  for (const [index, name] of ['second', 'first'].entries()) other.files.come(index, bytesOf(name));
  await other.keeper.turn();
  assert.equal(segmentsIn(shelf)?.length, 2);
  await slow.keeper.turn();
  assert.equal(slow.keeper.session.board?.head.number, 3);
});

test('a tab that still fetches takes nothing of a board from another tab that fetched it whole', async () => {
  mirror(NEW);
  const shelf = new Memory();
  const slow = new Tab(shelf);
  await slow.begin();
  await slow.says('loading');
  await takeNewer(shelf);
  await slow.keeper.turn();
  assert.equal(segmentsIn(shelf)?.length, 3);
  slow.files.come(0, SEGMENTS[0] as Uint8Array);
  await slow.keeper.turn();
  assert.equal(segmentsIn(shelf)?.length, 3);
});

test('a head that comes after another tab brought a record with another board key is nothing to it', async () => {
  const forged = headOf(bytesOf(NEW), 2 ** 32 - 1, 'board');
  const shelf = new Memory();
  const tab = new Tab(shelf);
  mock.method(globalThis, 'fetch', async (url: string) => {
    if (url === 'record') return new Response(new Uint8Array(record.bytes));
    if (!url.endsWith('board/head')) return new Response(null, { status: 404 });
    const { session } = tab.keeper;
    [session.record, session.seen] = [withAnotherBoardKey(record), 3];
    return new Response(new Uint8Array(forged));
  });
  await tab.begin();
  await until(() => tab.said.length > 0, 'the page says what came');
  assert.deepEqual([tab.said, tab.keeper.session.seen], [['none'], 3]);
});

test('a mirror that withholds the script that seals holds up neither the store nor the board', async () => {
  mirror(NEW);
  let asked = 0;
  const silent = sealerOf({ postMessage: () => void (asked += 1), addEventListener: () => undefined });
  const shelf = new Memory();
  const tab = new Tab(shelf, silent);
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const begun = tab.begin();
    await until(() => asked > 0, 'a filler is to be sealed');
    mock.timers.tick(FETCH_MS);
    await until(() => shelf.writes === 1, 'the store is written');
    await begun;
    await tab.says('loading');
  } finally {
    mock.timers.reset();
  }
});

test('a page that is itself the first way to the board asks another one for the head, too', async () => {
  mirror(NEW);
  const tab = new Tab(new Memory());
  const [own, second] = ['https://example.org/page', 'https://second.example'];
  const ways = [own, second].map((url) => ({ kind: WayKind.BOARD, cells: 12, url }));
  tab.keeper.session.believed = () => ({ ...record, body: { ...record.body, ways } });
  await tab.begin();
  await tab.says('loading');
  const asked = (globalThis.fetch as unknown as { mock: { calls: { arguments: unknown[] }[] } }).mock.calls;
  const urls = asked.map((call) => String(call.arguments[0])).filter((url) => url.endsWith('head'));
  assert.deepEqual(urls, ['board/head', `${second}/board/head`]);
});

const ONION = `http://${'a'.repeat(56)}.onion/`;
for (const [page, first] of [
  ['https://example.org/', 'https://plain.example/'],
  ['file:///page.html', 'https://plain.example/'],
  [`http://${'b'.repeat(56)}.onion/`, ONION],
] as const) {
  test(`where a record names an onion first, the hum of a page at ${page} goes to ${first}`, async (t) => {
    mirror(NEW);
    t.mock.method(Date, 'now', () => (record.body.notBefore + 3600) * 1000);
    const { href } = location;
    location.href = page;
    const jobs: HumJob[] = [];
    const worker = { postMessage: (job: HumJob) => jobs.push(job) } as unknown as Worker;
    try {
      const tab = new Tab(new Memory(), { ...here, hum: async () => undefined }, TWO);
      const kinds = [WayKind.INGRESS, WayKind.BOARD];
      const ways = kinds.flatMap((kind) =>
        [ONION, 'https://plain.example/'].map((url) => ({ kind, cells: 12, url })),
      );
      tab.keeper.session.believed = () => ({ ...record, body: { ...record.body, ways } });
      await tab.begin(worker);
      assert.deepEqual(jobs.map(({ url }) => url), [first]);
    } finally {
      location.href = href;
    }
  });
}
