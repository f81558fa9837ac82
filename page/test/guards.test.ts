// What a whole visit does with what its mirror serves and its browser kept: that it calls the guards
// that other tests hold to their word. Around it are a shelf in memory, a fetch that knows a few
// files, and Workers that note what they are given.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { openKept } from '../src/board.js';
import { draw } from '../src/entropy.js';
import type { FilesJob, HumJob, Report } from '../src/hum/jobs.js';
import { Session } from '../src/session.js';
import { Waits } from '../src/store/image.js';
import { Keeper, readImage } from '../src/store/keeper.js';
import type { EpochRecord } from '../src/trust/record.js';
import { type Progress, Visit } from '../src/visit.js';
import { LAST_HUM_S } from '../src/wire/sizes.js';
import { Memory } from './memory.js';
import { here } from './sealing.js';
import { headOf, withAnotherBoardKey } from './signing.js';
import { hex, vectorsOf } from './vectors/files.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const [today, tomorrow, raised, local] = [
  trusted('today'), trusted('tomorrow'), trusted('raised'), trusted('local'),
];
const bytesOf = (name: string): Uint8Array =>
  hex(vectorsOf('segment', 'hand').find((one) => one.name === name)?.bytes);
const [second, third] = [bytesOf('head'), bytesOf('head-after-a-step')];
const secondSegment = bytesOf('second');

interface Mirror {
  readonly record: EpochRecord;
  readonly head?: Uint8Array;
  readonly host?: string;
  /** The device's clock, in seconds. */
  readonly now?: number;
  /** Whether hums can be sealed in this browser. */
  readonly seals?: boolean;
}

interface Came {
  readonly session: Session;
  readonly keeper: Keeper;
  readonly visit: Visit;
  readonly said: { hum: string; board: string };
  /** The number of the record of the hum, and what its Worker was given. */
  readonly hum: { record: number; job: HumJob } | null;
  readonly files: readonly FilesJob[];
  /** What the Worker of the hum says, and all that follows from it. */
  readonly says: (report: Report) => Promise<void>;
  /** The Worker of the hum. */
  readonly sender: Worker;
  /** Whether it was ended. */
  readonly ended: boolean;
}

/** A visit, as far as it goes before any file behind the head of the board has come. */
async function visited(mirror: Mirror, shelf = new Memory()): Promise<Came> {
  const { record, head, host = 'mirror.example', now = record.body.notBefore + 3600, seals = true } = mirror;
  const said = { hum: '', board: '' };
  let settled = (): void => undefined;
  const headCame = new Promise<void>((resolve) => (settled = resolve));
  const progress: Progress = {
    hum: (state) => void (said.hum = state),
    board(state) {
      said.board = state;
      settled();
    },
    film: () => undefined,
    filmReady: () => undefined,
  };
  let keys = 0;
  const sealer = {
    ...here,
    async hum(of: { readonly number: number }, _: unknown, cells: MessagePort): Promise<void> {
      keys = of.number;
      cells.close();
      if (!seals) throw new Error('nothing can be sealed');
    },
  };
  const hums: HumJob[] = [];
  const files: FilesJob[] = [];
  let ended = false;
  const noting = (jobs: unknown[]): Worker => {
    const nothing = (): void => undefined;
    const terminate = (): void => void (ended = true);
    return { postMessage: (job: unknown) => jobs.push(job), addEventListener: nothing, terminate } as never;
  };
  const sender = noting(hums);
  const says = async (data: Report): Promise<void> => {
    sender.onmessage?.({ data } as MessageEvent);
    await new Promise(setImmediate); // nothing in here waits for anything but promises
  };
  const served: typeof fetch = async (url) => {
    const bytes = url === 'record' ? record.bytes : String(url).endsWith('board/head') ? head : null;
    return new Response((bytes ?? null) as BodyInit | null, { status: bytes ? 200 : 404 });
  };
  const desk = record.body.desks[0]?.name ?? '';
  const pins = { ...pinsWith(record.body.root), desk, film: { pieces: 2, bytes: 2 } };
  const session = new Session(pins, draw, sealer);
  const keeper = new Keeper(session, shelf.tab());
  Object.defineProperty(globalThis, 'location', { value: { hostname: host, href: `http://${host}/` }, configurable: true });
  mock.method(globalThis, 'fetch', served);
  mock.method(Date, 'now', () => now * 1000);
  try {
    const shape = { worker: () => sender, carried: false };
    const visit = new Visit(session, keeper, progress, shape, noting(files));
    await visit.begin();
    await headCame;
    const [job] = hums;
    const hum = job ? { record: keys, job } : null;
    return { session, keeper, visit, said, hum, files, says, sender, ended };
  } finally {
    mock.restoreAll();
  }
}

test('a visit that saw a newer board does not believe the older one that the next is shown', async () => {
  const shelf = new Memory();
  const first = await visited({ record: raised, head: third }, shelf);
  assert.equal(first.said.board, 'loading');
  first.session.board = openKept({ head: third, segments: [bytesOf('third-after-a-step')] });
  await first.keeper.turn();
  assert.equal((await visited({ record: raised, head: third }, shelf)).said.board, 'loading');
  const { said, session, files } = await visited({ record: raised, head: second }, shelf);
  assert.equal(said.board, 'split');
  assert.equal(session.board?.head.number, 3, 'what was kept stays');
  assert.deepEqual(files.map(({ name }) => name), ['film'], 'no segment is asked for');
  const other = await visited({ record: raised, head: second });
  assert.equal(other.said.board, 'loading', 'the control: who saw no newer one believes it');
});

test('whoever had the key of the board hides no board from anybody once the record names another one', async () => {
  const shelf = new Memory();
  const last = 2 ** 32 - 1;
  const first = await visited({ record: raised, head: headOf(third, last, 'board') }, shelf);
  assert.equal(first.session.seen, last);
  first.session.board = openKept({ head: headOf(third, last, 'board'), segments: [secondSegment] });
  await first.keeper.turn();
  assert.equal((await visited({ record: raised, head: third }, shelf)).said.board, 'split', 'until then it does');
  const replaced = withAnotherBoardKey(raised);
  const { said, session, keeper } = await visited({ record: replaced, head: headOf(third, 3, 'stranger') }, shelf);
  assert.equal(said.board, 'loading');
  assert.deepEqual([session.seen, session.board?.head.number], [3, 3]);
  await keeper.turn();
  const back = { record: replaced, head: headOf(second, 2, 'stranger') };
  assert.equal((await visited(back, shelf)).said.board, 'split', 'of the new key it is seen that one goes back');
  assert.equal((await visited(back)).said.board, 'loading', 'the control: who saw nothing believes it');
});

test('a visit makes no hum outside of its record and in its last two hours', async () => {
  const { notBefore, notAfter } = today.body;
  const last = notAfter - LAST_HUM_S;
  for (const [now, hums] of [
    [notBefore - 1, false], [notBefore, true], [last - 1, true], [last, false], [notAfter, false],
  ] as const) {
    const { hum, said } = await visited({ record: today, now });
    assert.equal(hum !== null, hums, `${now}`);
    assert.equal(said.hum, hums ? '' : 'clock');
  }
});

test('a visit whose browser keeps a newer record hums under it, whatever the mirror serves', async () => {
  const shelf = new Memory();
  const now = tomorrow.body.notBefore + 60;
  assert.equal((await visited({ record: today, now }, shelf)).hum?.record, today.body.number);
  assert.equal((await visited({ record: tomorrow, now }, shelf)).hum?.record, tomorrow.body.number);
  const { hum, session } = await visited({ record: today, now }, shelf);
  assert.equal(hum?.record, tomorrow.body.number);
  assert.deepEqual(session.record?.hash, tomorrow.hash);
});

test('who keeps an old record and finds keys of others is told of the keys, and not of the clock', async () => {
  const shelf = new Memory();
  await visited({ record: today }, shelf);
  const now = today.body.notAfter + 60;
  const bytes = tomorrow.bytes.slice();
  bytes.fill(0, -64); // as of a signer whose key was replaced
  const others = { ...tomorrow, bytes };
  assert.equal((await visited({ record: others, now })).said.hum, 'foreign');
  assert.equal((await visited({ record: others, now }, shelf)).said.hum, 'foreign');
  assert.equal((await visited({ record: today, now }, shelf)).said.hum, 'clock', 'the control');
  const { hum } = await visited({ record: others }, shelf);
  assert.equal(hum?.record, today.body.number, 'as long as that of before is in force it is hummed under');
});

test('a record cannot speed up a visit of a page that is not on this machine', async () => {
  const now = local.body.notBefore + 60;
  const away = await visited({ record: local, now });
  assert.equal(away.hum?.job.pace, 1);
  assert.ok(away.files.every(({ ditherMs }) => ditherMs === 250));
  assert.deepEqual(away.files.map(({ files }) => files.map(({ atMs }) => atMs)), [[0, 1000]]);
  const { days, hums } = local.body.parameters.pace;
  const near = await visited({ record: local, now, host: '127.0.0.1' });
  assert.equal(near.hum?.job.pace, hums, 'the control: on this machine it does');
  const clock = (one: Came, wall: number): number => {
    mock.method(Date, 'now', () => wall * 1000);
    try {
      return one.visit.now();
    } finally {
      mock.restoreAll();
    }
  };
  assert.equal(clock(away, now + 10) - clock(away, now), 10);
  assert.equal(Math.round(clock(near, now + 10) - clock(near, now)), 10 * days);
});

test('the film and the board are asked for with a dither of their own', async () => {
  const { files } = await visited({ record: raised, head: third });
  assert.deepEqual(files.map(({ name }) => name).sort(), ['board 0', 'film']);
  assert.deepEqual(files.map(({ ditherMs }) => ditherMs), [250, 250]);
});

const waits = (shelf: Memory): boolean =>
  readImage(shelf.bytes)?.slots.some((slot) => slot.waits !== Waits.NOT) ?? false;

test('who closes the page once its letter left sends it no second time', async () => {
  const shelf = new Memory();
  const { session, keeper } = await visited({ record: today }, shelf);
  await session.keepLetter(new Uint8Array(16), 'once', 1, today.body.day);
  await keeper.turn();
  const { says, said } = await visited({ record: tomorrow }, shelf);
  assert.ok(waits(shelf));
  await says({ report: 'hum-begun' });
  assert.ok(waits(shelf));
  await says({ report: 'hum-left' });
  assert.ok(!waits(shelf));
  assert.equal(said.hum, 'running', 'the page stays open until the hum has ended');
});

test('the store is written when a hum left and when it has ended, of a cover too', async () => {
  const shelf = new Memory();
  const { says, said } = await visited({ record: today }, shelf);
  const writes = [shelf.writes];
  await says({ report: 'hum-left' });
  writes.push(shelf.writes);
  const letGo = shelf.hold();
  await says({ report: 'hum-ended', whole: true });
  assert.equal(said.hum, '', 'not before it is written');
  letGo();
  await new Promise(setImmediate);
  assert.equal(said.hum, 'done');
  assert.deepEqual([...writes, shelf.writes], [1, 2, 3]);
});

test('who waits for a hum whose script does not come is told that it will not', async () => {
  const { sender, said } = await visited({ record: today });
  sender.onerror?.(new Event('error') as ErrorEvent);
  assert.equal(said.hum, 'broken');
});

test('a hum that cannot be sealed is said not to leave, and no letter in it leaves, of a cover too', async () => {
  const shelf = new Memory();
  const { session, keeper } = await visited({ record: today }, shelf);
  await session.keepLetter(new Uint8Array(16), 'once', 1, today.body.day);
  await keeper.turn();
  for (const lies of [shelf, new Memory()]) {
    const { said, ended } = await visited({ record: tomorrow, seals: false }, lies);
    assert.deepEqual([said.hum, ended], ['broken', true]);
  }
  assert.ok(waits(shelf));
  const { said, ended } = await visited({ record: tomorrow }, shelf);
  assert.deepEqual([said.hum, ended], ['', false], 'the control: one that is sealed is waited for');
});
