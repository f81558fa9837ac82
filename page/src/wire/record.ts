// The epoch record: every public key and parameter of a day, in one signed file. Spec: record.md.
// Parsed here, believed only after `trust/record.ts` has checked signatures, root and time.

import { ascii, concat, decodeText } from '../bytes.js';
import { sha256 } from '../crypto/derive.js';
import { isPublicKey } from '../crypto/hpke.js';
import { Refused } from '../refused.js';
import { DAY_S, weekOfDay } from './days.js';
import { Reader } from './reading.js';
import { ANCESTORS, HASH, KEM_PUBLIC, RECORD_MAX, SIGNATURE, VERIFY_KEY } from './sizes.js';

const VERSION = 1;
const NAME = 32;
const MAX_DESKS = 8;
const MAX_WAYS = 16;
const MAX_URL = 200;
const VALID_S = 2 * DAY_S;
const UINT32 = 2 ** 32;

/** What a way is for (record 1). */
export const WayKind = { INGRESS: 1, BOARD: 2 } as const;
export type WayKind = (typeof WayKind)[keyof typeof WayKind];

/** A URL that every page may use; cells per connection belong to it, never to the person. */
export interface Way {
  readonly kind: WayKind;
  readonly cells: number;
  readonly url: string;
}

/** How fast record time runs against the wall clock; (1, 1) is real time. */
export interface Pace {
  readonly days: number;
  readonly hums: number;
  readonly anchorMs: number;
}

export interface Parameters {
  readonly meanA: number;
  readonly meanB: number;
  readonly tick: number;
  readonly slots: number;
  readonly floor: number;
  readonly replies: number;
  readonly receipts: number;
  readonly period: number;
  readonly segments: number;
  readonly pace: Pace;
}

/** One desk's key of one week; `encoded` is name 32 ‖ week ‖ key. */
export interface DeskEntry {
  readonly name: string;
  readonly week: number;
  readonly key: Uint8Array;
  readonly encoded: Uint8Array;
}

/** What the three sign (record 1). */
export interface RecordBody {
  readonly number: number;
  readonly day: number;
  readonly week: number;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly root: Uint8Array;
  readonly ancestors: readonly Uint8Array[];
  readonly hopA: Uint8Array;
  readonly hopB: Uint8Array;
  readonly dropKey: Uint8Array;
  readonly dropVerify: Uint8Array;
  readonly boardVerify: Uint8Array;
  readonly parameters: Parameters;
  readonly desks: readonly DeskEntry[];
  readonly ways: readonly Way[];
}

/** A parsed record; nothing of it is believed yet. */
export interface SignedRecord {
  readonly body: RecordBody;
  readonly bytes: Uint8Array;
  readonly signed: Uint8Array;
  readonly signatures: readonly [Uint8Array, Uint8Array, Uint8Array];
}

/** Record time in seconds of a wall time in seconds (record 1). */
export function recordTime(pace: Pace, wall: number): number {
  const anchor = pace.anchorMs / 1000;
  return anchor + (wall - anchor) * pace.days;
}

/** The binding of a letter's info: organisation, desk, week and key (record 3.2). */
export const deskEntryHash = (root: Uint8Array, desk: DeskEntry): Uint8Array =>
  sha256(concat(ascii('wallflower/1 desk'), new Uint8Array(1), root, desk.encoded));

/** Read a signed record, or Refused (record 2.1-2.7). */
export function parseRecord(bytes: Uint8Array): SignedRecord {
  if (bytes.length <= 3 * SIGNATURE || bytes.length > RECORD_MAX) {
    throw new Refused('record 2.1', 'A record has the wrong length');
  }
  const at = bytes.length - 3 * SIGNATURE;
  const signature = (i: number): Uint8Array =>
    bytes.slice(at + i * SIGNATURE, at + (i + 1) * SIGNATURE);
  const signed = bytes.slice(0, at);
  const signatures = [signature(0), signature(1), signature(2)] as const;
  return { body: parseBody(signed), bytes, signed, signatures };
}

/** Read a record's body, or Refused (record 2.1-2.7). */
export function parseBody(data: Uint8Array): RecordBody {
  if (data.length > RECORD_MAX) throw new Refused('record 2.1', 'A record has the wrong length');
  const reader = new Reader(data, 'record 2.1');
  if (reader.number(1) !== VERSION || reader.number(1)) {
    throw new Refused('record 2.2', "A record's version is unknown");
  }
  const [number, day, week] = [reader.number(2), reader.number(4), reader.number(2)];
  const [notBefore, notAfter] = [reader.number(8), reader.number(8)];
  checkTimes(day, week, notBefore, notAfter);
  const root = reader.take(HASH);
  const ancestors = Array.from({ length: ANCESTORS }, () => reader.take(HASH));
  const [hopA, hopB, dropKey] = [key(reader), key(reader), key(reader)];
  const [dropVerify, boardVerify] = [reader.take(VERIFY_KEY), reader.take(VERIFY_KEY)];
  const parameters = readParameters(reader);
  const desks = readDesks(reader, week);
  const ways = readWays(reader);
  reader.end();
  return {
    number, day, week, notBefore, notAfter, root, ancestors, hopA, hopB, dropKey,
    dropVerify, boardVerify, parameters, desks, ways,
  };
}

function checkTimes(day: number, week: number, notBefore: number, notAfter: number): void {
  if (week !== weekOfDay(day)) throw new Refused('record 2.3', "A record's week is not its day's");
  const start = day * DAY_S;
  if (notBefore < start || notBefore >= start + DAY_S || notAfter !== start + VALID_S) {
    throw new Refused('record 2.4', "A record's times do not fit its day");
  }
}

function key(reader: Reader): Uint8Array {
  const raw = reader.take(KEM_PUBLIC);
  if (!isPublicKey(raw)) throw new Refused('record 2.1', 'A record holds something that is no key');
  return raw;
}

function readParameters(reader: Reader): Parameters {
  const n = (size: number): number => reader.number(size);
  const [meanA, meanB, tick, slots, floor] = [n(4), n(4), n(2), n(2), n(2)];
  const [replies, receipts, period, segments] = [n(2), n(2), n(4), n(2)];
  const pace = { days: n(4), hums: n(2), anchorMs: n(8) };
  const bounds: readonly (readonly [number, number, number])[] = [
    [tick, 1, 3600], [slots, 1, 256], [replies, 1, 4096], [receipts, 1, 4096],
    [period, 60, DAY_S], [segments, 1, 512], [pace.days, 1, 100_000], [pace.hums, 1, 60],
    [meanA, tick, UINT32], [meanB, tick, UINT32],
  ];
  const outside = bounds.some(([value, low, high]) => value < low || value > high);
  if (outside || DAY_S % period !== 0) {
    throw new Refused('record 2.7', "A record's parameter is out of bounds");
  }
  return { meanA, meanB, tick, slots, floor, replies, receipts, period, segments, pace };
}

function readDesks(reader: Reader, week: number): DeskEntry[] {
  const count = reader.number(1);
  if (count < 1 || count > MAX_DESKS) {
    throw new Refused('record 2.5', 'A record has no desk, or too many');
  }
  return Array.from({ length: count }, () => readDesk(reader, week));
}

function readDesk(reader: Reader, week: number): DeskEntry {
  const padded = reader.take(NAME);
  const rawWeek = reader.take(2);
  const deskKey = key(reader);
  const end = padded.findLastIndex((byte) => byte !== 0) + 1;
  const raw = padded.slice(0, end);
  const entryWeek = (rawWeek[0] as number) * 256 + (rawWeek[1] as number);
  let name: string;
  try {
    name = decodeText(raw);
  } catch {
    throw new Refused('record 2.5', "A desk's name is not UTF-8");
  }
  if (raw.includes(0) || (entryWeek !== week && entryWeek !== week - 1)) {
    throw new Refused('record 2.5', "A desk's name or week does not fit its record");
  }
  return { name, week: entryWeek, key: deskKey, encoded: concat(padded, rawWeek, deskKey) };
}

function readWays(reader: Reader): Way[] {
  const count = reader.number(1);
  const sane = count >= 1 && count <= MAX_WAYS;
  const ways = sane ? Array.from({ length: count }, () => readWay(reader)) : [];
  if (!ways.some((way) => way.kind === WayKind.INGRESS)) {
    throw new Refused('record 2.6', 'A record names no ingress, or too many ways');
  }
  return ways;
}

function readWay(reader: Reader): Way {
  const [kind, cells, length] = [reader.number(1), reader.number(1), reader.number(1)];
  const raw = reader.take(length);
  const printable = raw.every((byte) => byte >= 0x21 && byte <= 0x7e);
  const url = printable ? decodeText(raw) : '';
  const known = (kind === WayKind.INGRESS || kind === WayKind.BOARD) && cells >= 1;
  if (!known || length > MAX_URL || !/^https?:/.test(url)) {
    throw new Refused('record 2.6', 'A way of a record is malformed');
  }
  return { kind: kind as WayKind, cells, url };
}
