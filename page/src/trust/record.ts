// Which epoch record may be believed. Spec: record.md 2.8-2.11.
//
// `EpochRecord` and `RecordInForce` are made here and nowhere else; code that acts takes those.

import { anySet, equal } from '../bytes.js';
import { sha256 } from '../crypto/derive.js';
import { verifies } from '../crypto/sign.js';
import { Refused } from '../refused.js';
import { type DeskEntry, parseRecord, type RecordBody } from '../wire/record.js';
import { ANCESTORS, LAST_HUM_S } from '../wire/sizes.js';
import type { Pins } from './pins.js';

declare const believed: unique symbol;
declare const inForce: unique symbol;

/** A record with three good signatures under the pinned keys: enough to write a letter under. */
export interface EpochRecord {
  readonly body: RecordBody;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly [believed]: true;
}

/** An epoch record of now: enough to make a hum (hum 1.7). */
export type RecordInForce = EpochRecord & { readonly [inForce]: true };

/**
 * Parse and verify a record: root and all three signatures (record 2.1-2.9). One that `by`, a verified
 * record, names as itself or an ancestor was signed by the same three with it: what a browser kept is
 * measured so (store 4.2).
 */
export function verifyRecord(
  data: Uint8Array,
  pins: Pins,
  by: EpochRecord | null = null,
): EpochRecord {
  const { body, bytes, signed, signatures } = parseRecord(data);
  if (!equal(body.root, pins.root)) {
    throw new Refused('record 2.9', 'A record belongs to another organisation');
  }
  const record = { body, bytes, hash: sha256(signed) } as EpochRecord;
  if (by && isAncestor(by, record.hash)) return record;
  const signers = [['the organisation', pins.organisation], ['A', pins.a], ['B', pins.b]] as const;
  signers.forEach(([name, key], i) => {
    if (!verifies(key, 'record', signed, signatures[i] as Uint8Array)) {
      throw new Refused('record 2.8', `A record lacks the signature of ${name}`);
    }
  });
  return record;
}

/** The same record, of now, or Refused (record 2.10). `now` is record time in seconds. */
export function verifyInForce(record: EpochRecord, now: number): RecordInForce {
  if (now < record.body.notBefore || now >= record.body.notAfter) {
    throw new Refused('record 2.10', 'A record is not in force now');
  }
  return record as RecordInForce;
}

/** Refuse a record in its last two hours for a new hum: A's key for it ends with it (hum 1.7). */
export function verifyHums(record: RecordInForce, now: number): void {
  if (now >= record.body.notAfter - LAST_HUM_S) {
    throw new Refused('hum 1.7', 'A record is about to end, too soon for a hum');
  }
}

/**
 * Refuse keys so old that no hum of a later day could carry a letter under them (letter 3.10):
 * records follow each other by the day. `today` is the UTC day by this device's clock.
 */
export function verifyWrites(record: EpochRecord, today: number): void {
  if (today - record.body.day >= ANCESTORS) {
    throw new Refused('letter 3.10', 'A letter under these keys could never leave');
  }
}

/** Refuse a record that does not continue one that is known (record 2.11). */
export function verifyFollows(record: EpochRecord, before: EpochRecord): void {
  const gap = record.body.number - before.body.number;
  const ancestor = record.body.ancestors[gap - 1];
  if (gap < 1 || (gap <= ANCESTORS && !(ancestor && equal(ancestor, before.hash)))) {
    throw new Refused('record 2.11', 'A record does not continue the one before');
  }
}

/**
 * Which of the record that this browser keeps and the one that was fetched to use: the newer, if
 * the two belong to one chain. A mirror that lags behind is no fault.
 */
export function newerOf(kept: EpochRecord | null, fetched: EpochRecord | null): EpochRecord | null {
  if (!kept || !fetched) return fetched ?? kept;
  if (equal(kept.hash, fetched.hash)) return fetched;
  const [older, newer] = kept.body.number < fetched.body.number ? [kept, fetched] : [fetched, kept];
  verifyFollows(newer, older);
  return newer;
}

/**
 * Whether this hash is the record's own or among its ancestors (hum 1.6). Zeros fill the places of
 * ancestors that never were, and name nobody.
 */
export const isAncestor = (record: EpochRecord, hash: Uint8Array): boolean =>
  anySet(hash) &&
  (equal(hash, record.hash) || record.body.ancestors.some((ancestor) => equal(ancestor, hash)));

/** The newest entry of one desk, or Refused (record 2.5). */
export function deskOf(record: EpochRecord, name: string): DeskEntry {
  const entries = record.body.desks.filter((desk) => desk.name === name);
  const [first, ...others] = entries;
  if (!first) throw new Refused('record 2.5', 'The record has no entry for this desk');
  return others.reduce((best, desk) => (desk.week > best.week ? desk : best), first);
}
