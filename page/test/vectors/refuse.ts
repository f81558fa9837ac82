// The stages at which a faulty vector has to be refused, by structure (../vectors/README.md).
// Left out, since the page has no such reader: gathering a hum (A's), writing a reply (the desk's),
// and sets of tokens (B's).

import { toHex } from '../../src/bytes.js';
import { chainValue, judge } from '../../src/wire/chain.js';
import { openBody, parseCell } from '../../src/wire/cell.js';
import { openInner, openSealA, openSealB, sealAOf } from '../../src/wire/hello.js';
import { checkText, openLetter } from '../../src/wire/letter.js';
import { openParcelBody, parseParcel } from '../../src/wire/parcel.js';
import { parseReceipts } from '../../src/wire/receipt.js';
import { parseRecord } from '../../src/wire/record.js';
import { joined, openPart, replyTable, wholeRuns } from '../../src/wire/reply.js';
import { parseHead, parseSegment } from '../../src/wire/segment.js';
import { fromPerson } from '../../src/wire/words.js';
import { verifyHead, verifySegment } from '../../src/trust/board.js';
import type { Pins } from '../../src/trust/pins.js';
import {
  type EpochRecord,
  verifyFollows,
  verifyInForce,
  verifyRecord,
} from '../../src/trust/record.js';
import { bytesIn, type Fields, hex, key, numberIn, recordNamed, textIn } from './files.js';
import { linkOf } from './read.js';

type Refuse = (inputs: Fields, data: Uint8Array) => unknown;

export const pinsWith = (root: Uint8Array): Pins => ({
  root,
  organisation: key('verify', 'organisation'),
  a: key('verify', 'a'),
  b: key('verify', 'b'),
  desk: 'desk',
  hurry: true,
  channel: 0,
  boards: [],
  film: { pieces: 0, bytes: 0 },
});

export function trusted(name: unknown): EpochRecord {
  const { bytes, body } = recordNamed(name);
  return verifyRecord(bytes, pinsWith(body.root));
}

async function helloAtB(i: Fields, data: Uint8Array): Promise<unknown> {
  const { hash, a, b } = recordNamed(i['record']);
  const cell = parseCell(data);
  const sealB = await openInner(await openSealA(a, hash, sealAOf(cell)), cell);
  return openSealB(b, hash, sealB);
}

async function parcelBody(i: Fields, data: Uint8Array): Promise<unknown> {
  const { hash, b } = recordNamed(i['record']);
  const found = parseParcel(data);
  const { keyB } = await openSealB(b, hash, found.sealB);
  return openParcelBody(keyB, found.body);
}

function letterOpen(i: Fields, data: Uint8Array): Promise<unknown> {
  const { desks } = recordNamed(i['record']);
  const seed = key('seeds', i['key']);
  const desk = desks.find((one) => toHex(one.seed) === toHex(seed)) ?? desks[0];
  if (!desk) throw new Error('the record has no desk');
  return openLetter(seed, desk.entry.week, desk.hash, data);
}

function recordTrust(i: Fields, data: Uint8Array): void {
  const record = verifyRecord(data, pinsWith(bytesIn(i, 'root')));
  verifyInForce(record, numberIn(i, 'now'));
  if (i['previous']) verifyFollows(record, trusted(i['previous']));
}

function replyJoin(i: Fields): unknown {
  const [e, week] = [bytesIn(i, 'e'), numberIn(i, 'week')];
  const table = replyTable(new Map([[week, e]]));
  const parts = (i['slots'] as string[]).map(hex).map((slot) => {
    const place = table.get(toHex(slot.slice(0, 16)));
    if (!place) throw new Error('a slot is not in the table');
    return openPart(e, week, place.index, slot);
  });
  return wholeRuns(parts).map(joined);
}

function segmentTrust(i: Fields, data: Uint8Array): unknown {
  const record = trusted(i['record']);
  if (i['what'] === 'head') return verifyHead(data, record);
  const expected = i['head']
    ? verifyHead(bytesIn(i, 'head'), record).segmentHash
    : i['next']
      ? parseSegment(bytesIn(i, 'next')).header.previous
      : parseSegment(data).hash;
  const follower = i['next'] ? parseSegment(bytesIn(i, 'next')).header : null;
  return verifySegment(data, expected, record, follower);
}

export const REFUSE: Readonly<Record<string, Refuse>> = {
  'cell parse': (_, data) => parseCell(data),
  'cell open': (i, data) => openBody(bytesIn(i, 'key_a'), parseCell(data)),
  'hello open-a': (i, data) => {
    const { hash, a } = recordNamed(i['record']);
    return openSealA(a, hash, sealAOf(parseCell(data)));
  },
  'hello open-inner': (i, data) => openInner(bytesIn(i, 'key_a'), parseCell(data)),
  'hello open-b': helloAtB,
  'parcel parse': (_, data) => parseParcel(data),
  'parcel open-seal': (i, data) => {
    const { hash, b } = recordNamed(i['record']);
    return openSealB(b, hash, parseParcel(data).sealB);
  },
  'parcel open-body': parcelBody,
  'letter open': letterOpen,
  'letter write': (i) => checkText(textIn(i, 'text')),
  'record parse': (_, data) => parseRecord(data),
  'record trust': recordTrust,
  'reply open': (i, data) =>
    openPart(bytesIn(i, 'e'), numberIn(i, 'week'), numberIn(i, 'index'), data),
  'reply join': replyJoin,
  'receipt parse': (_, data) => parseReceipts(data),
  'segment parse-segment': (_, data) => parseSegment(data),
  'segment parse-head': (_, data) => parseHead(data),
  'segment trust': segmentTrust,
  'chain value': (i) => chainValue(key('secrets', i['secret']), numberIn(i, 'week')),
  'chain judge': (i) =>
    judge(i['kept'] ? linkOf(i['kept'] as Fields) : null, linkOf(i['seen'] as Fields)),
  'words read': (i) => fromPerson(textIn(i, 'typed')),
};

export const ELSEWHERE: ReadonlySet<string> = new Set(['hum gather', 'reply write', 'token parse-set']);
