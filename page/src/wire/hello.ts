// The hello: the cell that carries a hum's keys to A and B. Spec: hello.md.

import { anySet, concat } from '../bytes.js';
import * as aead from '../crypto/aead.js';
import { sha256 } from '../crypto/derive.js';
import * as hpke from '../crypto/hpke.js';
import { Refused } from '../refused.js';
import { type Cell, headOf } from './cell.js';
import { B_RECORD, HUM_ID, SEAL_A, SEAL_B } from './sizes.js';
import type { Stamp } from './stamp.js';

export const HUM_KEY = 32;
const RESERVED = 8;
const STAMP_CLASSES = 3;

/** What a hum is, as only B learns it (hello 1.7). */
export const Kind = { COVER: 0, LETTER: 1, LOOP: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** What a hum says to the census: channel number + 1, and a language (census 1). */
export interface Report {
  readonly channel: number;
  readonly language: number;
}

export const SILENT: Report = { channel: 0, language: 0 };

export interface BRecord {
  readonly kind: Kind;
  readonly token: Uint8Array;
  readonly stamp: Stamp;
  readonly report: Report;
}

/** B's record, 36 bytes. */
export function encodeBRecord({ kind, token, stamp, report }: BRecord): Uint8Array {
  const head = Uint8Array.of(kind, report.channel, report.language, stamp.stampClass);
  return concat(head, token, stamp.value, new Uint8Array(RESERVED));
}

const isKind = (value: number): value is Kind => value <= Kind.LOOP;

/** Read B's record, or Refused (hello 2.4). */
export function parseBRecord(data: Uint8Array): BRecord {
  const kind = data[0] ?? STAMP_CLASSES;
  const stampClass = data[3] ?? STAMP_CLASSES;
  if (data.length !== B_RECORD || !isKind(kind) || stampClass >= STAMP_CLASSES) {
    throw new Refused('hello 2.4', "A hum's record for B is malformed");
  }
  if (anySet(data.slice(28))) {
    throw new Refused('hello 2.4', "A hum's record for B has reserved bytes set");
  }
  const stamp = { stampClass, value: data.slice(20, 28) };
  const report = { channel: data[1] as number, language: data[2] as number };
  return { kind, token: data.slice(4, 20), stamp, report };
}

/** Seal A: hum key A for the first mix (hello 1.2). */
export const sealForA = (
  hopA: Uint8Array,
  recordHash: Uint8Array,
  keyA: Uint8Array,
): Promise<Uint8Array> => hpke.seal(hopA, hpke.info('hop-a', recordHash), keyA);

/** Seal B: hum key B and B's record for the second mix (hello 1.4). */
export const sealForB = (
  hopB: Uint8Array,
  recordHash: Uint8Array,
  keyB: Uint8Array,
  record: BRecord,
): Promise<Uint8Array> =>
  hpke.seal(hopB, hpke.info('hop-b', recordHash), concat(keyB, encodeBRecord(record)));

/** One of the three hellos of a hum (hello 1.1, 1.3). */
export function helloCell(
  sealA: Uint8Array,
  keyA: Uint8Array,
  counter: number,
  record: number,
  sealB: Uint8Array,
): Cell {
  const header = concat(headOf(counter, record), new Uint8Array(RESERVED));
  const inner = aead.seal(keyA, counter, header, sealB);
  return { counter, record, header, sealed: concat(sealA, inner) };
}

/** The id that A derives from seal A, all of it (hello 1.5). */
export const humId = (sealA: Uint8Array): Uint8Array => sha256(sealA).slice(0, HUM_ID);

export const sealAOf = (cell: Cell): Uint8Array => cell.sealed.slice(0, SEAL_A);

async function refuseUnopened<T>(rule: string, what: string, open: () => T): Promise<Awaited<T>> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof aead.Unopened)) throw error;
    throw new Refused(rule, what);
  }
}

// The three below open what others make; the page never needs them, vectors and tests do.

/** Hum key A, or Refused (hello 2.1). */
export const openSealA = (
  seed: Uint8Array,
  recordHash: Uint8Array,
  sealA: Uint8Array,
): Promise<Uint8Array> =>
  refuseUnopened('hello 2.1', 'A hello does not open at A', () =>
    hpke.openSealed(seed, hpke.info('hop-a', recordHash), sealA),
  );

/** Seal B out of a hello, or Refused (hello 2.2). */
export const openInner = (keyA: Uint8Array, cell: Cell): Promise<Uint8Array> =>
  refuseUnopened('hello 2.2', "A hello's inner part does not open", () =>
    aead.openSealed(keyA, cell.counter, cell.header, cell.sealed.slice(SEAL_A)),
  );

/** Hum key B and B's record, or Refused (hello 2.3, 2.4). */
export async function openSealB(
  seed: Uint8Array,
  recordHash: Uint8Array,
  sealB: Uint8Array,
): Promise<{ keyB: Uint8Array; record: BRecord }> {
  if (sealB.length !== SEAL_B) throw new Refused('hello 2.3', 'A seal for B has the wrong length');
  const plain = await refuseUnopened('hello 2.3', 'A seal for B does not open', () =>
    hpke.openSealed(seed, hpke.info('hop-b', recordHash), sealB),
  );
  return { keyB: plain.slice(0, HUM_KEY), record: parseBRecord(plain.slice(HUM_KEY)) };
}
