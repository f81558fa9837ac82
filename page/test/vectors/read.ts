// Each structure read to the fields of a vector by the page's own modules, whoever made the bytes.

import { concat, toHex } from '../../src/bytes.js';
import { epochSecret, sha256 } from '../../src/crypto/derive.js';
import * as hpke from '../../src/crypto/hpke.js';
import { verifies } from '../../src/crypto/sign.js';
import { type Cell, openBody, parseCell, position } from '../../src/wire/cell.js';
import { judge, type Link } from '../../src/wire/chain.js';
import { type BRecord, humId, openInner, openSealA, openSealB, sealAOf } from '../../src/wire/hello.js';
import { openLetter } from '../../src/wire/letter.js';
import { encodeParcel, openParcelBody, type Parcel, parseParcel } from '../../src/wire/parcel.js';
import { deskEntryHash, parseRecord } from '../../src/wire/record.js';
import { openPart, replyTable, replyTag } from '../../src/wire/reply.js';
import { parseHead, parseSegment } from '../../src/wire/segment.js';
import { CELL, POSITIONS } from '../../src/wire/sizes.js';
import { bound, classOf, earnedClass } from '../../src/wire/stamp.js';
import { fromPerson, toDigits, toWords, type WordList } from '../../src/wire/words.js';
import {
  bytesIn,
  type Fields,
  hex,
  key,
  numberIn,
  recordNamed,
  type Structure,
  textIn,
} from './files.js';

type Read = (inputs: Fields, data: Uint8Array) => Promise<Fields>;

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function cell(i: Fields, data: Uint8Array): Promise<Fields> {
  const found = parseCell(data);
  return {
    counter: found.counter,
    position: position(found.counter),
    record: found.record,
    header: toHex(found.header),
    sealed: toHex(found.sealed),
    hum_id: toHex(found.header.slice(4)),
    piece: toHex(openBody(bytesIn(i, 'key_a'), found)),
  };
}

const bRecordFields = ({ kind, token, stamp, report }: BRecord): Fields => ({
  kind,
  token: toHex(token),
  stamp_class: stamp.stampClass,
  stamp: toHex(stamp.value),
  report: report.channel,
  language: report.language,
});

async function hello(i: Fields, data: Uint8Array): Promise<Fields> {
  const [found, { hash, a, b }] = [parseCell(data), recordNamed(i['record'])];
  const sealA = sealAOf(found);
  const keyA = await openSealA(a, hash, sealA);
  const sealB = await openInner(keyA, found);
  const { keyB, record } = await openSealB(b, hash, sealB);
  return {
    counter: found.counter,
    record: found.record,
    ...bRecordFields(record),
    key_a: toHex(keyA),
    key_b: toHex(keyB),
    hum_id: toHex(humId(sealA)),
    seal_a: toHex(sealA),
    inner: toHex(found.sealed.slice(sealA.length)),
    seal_b: toHex(sealB),
  };
}

async function parcelFields(i: Fields, found: Parcel): Promise<Fields> {
  const { hash, b } = recordNamed(i['record']);
  const { keyB, record } = await openSealB(b, hash, found.sealB);
  return {
    key_b: toHex(keyB),
    ...bRecordFields(record),
    letter: toHex(openParcelBody(keyB, found.body)),
  };
}

async function parcel(i: Fields, data: Uint8Array): Promise<Fields> {
  const found = parseParcel(data);
  const fields = await parcelFields(i, found);
  return { ...fields, seal_b: toHex(found.sealB), body: toHex(found.body) };
}

/** A's work on one copy of each position. */
async function openCopy(cells: readonly Cell[], seed: Uint8Array, hash: Uint8Array): Promise<Parcel> {
  const [first, ...bodies] = cells;
  if (!first || bodies.length !== POSITIONS - 1) throw new Error('a position is missing');
  const keyA = await openSealA(seed, hash, sealAOf(first));
  const sealB = await openInner(keyA, first);
  return { sealB, body: concat(...bodies.map((one) => openBody(keyA, one))) };
}

async function hum(i: Fields, data: Uint8Array): Promise<Fields> {
  const { hash, a } = recordNamed(i['record']);
  const cells = Array.from({ length: data.length / CELL }, (_, n) =>
    parseCell(data.slice(n * CELL, (n + 1) * CELL)),
  );
  const copies: string[] = [];
  for (let at = 0; at < cells.length; at += POSITIONS) {
    const opened = await openCopy(cells.slice(at, at + POSITIONS), a, hash);
    copies.push(toHex(encodeParcel(opened)));
  }
  const whole = hex(copies[0]);
  must(copies.every((copy) => copy === copies[0]), 'the three copies differ');
  const sealA = sealAOf(cells[0] as Cell);
  return {
    ...(await parcelFields(i, parseParcel(whole))),
    key_a: toHex(await openSealA(a, hash, sealA)),
    hum_id: toHex(humId(sealA)),
    parcel: toHex(whole),
  };
}

async function letter(i: Fields, data: Uint8Array): Promise<Fields> {
  const { desks } = recordNamed(i['record']);
  const desk = desks.find(({ entry }) => entry.week === (i['week'] ?? desks[0]?.entry.week));
  if (!desk) throw new Error('the record has no desk of that week');
  const plain = toHex(await hpke.openSealed(desk.seed, hpke.info('desk', desk.hash), data));
  const found = await openLetter(desk.seed, desk.entry.week, desk.hash, data);
  if (!found) return { kind: 0, plain };
  const { conversation, e, x, ...rest } = found;
  return { ...rest, conversation: toHex(conversation), e: toHex(e), x: toHex(x), plain };
}

async function record(_: Fields, data: Uint8Array): Promise<Fields> {
  const { body, signed, signatures } = parseRecord(data);
  ['organisation', 'a', 'b'].forEach((who, n) => {
    const signature = signatures[n] as Uint8Array;
    must(verifies(key('verify', who), 'record', signed, signature), 'a signature is wrong');
  });
  const { meanA, meanB, pace, ...sizes } = body.parameters;
  return {
    number: body.number,
    day: body.day,
    not_before: body.notBefore,
    ancestors: body.ancestors.map(toHex),
    hop_a: toHex(body.hopA),
    hop_b: toHex(body.hopB),
    drop: toHex(body.dropKey),
    drop_verify: toHex(body.dropVerify),
    board_verify: toHex(body.boardVerify),
    root: toHex(body.root),
    parameters: {
      mean_a: meanA, mean_b: meanB, ...sizes,
      pace_days: pace.days, pace_hums: pace.hums, anchor_ms: pace.anchorMs,
    },
    desks: body.desks.map(({ name, week, key: raw }) => ({ name, week, key: toHex(raw) })),
    ways: body.ways,
    week: body.week,
    not_after: body.notAfter,
    hash: toHex(sha256(signed)),
    desk_hashes: body.desks.map((desk) => toHex(deskEntryHash(body.root, desk))),
  };
}

async function reply(i: Fields, data: Uint8Array): Promise<Fields> {
  const week = numberIn(i, 'week');
  const e = epochSecret(key('secrets', i['secret']), week);
  const place = replyTable(new Map([[week, e]])).get(toHex(data.slice(0, 16)));
  must(place?.index === i['index'], 'the table does not find the slot');
  const found = openPart(e, week, numberIn(i, 'index'), data);
  const tag = toHex(replyTag(e, numberIn(i, 'index')));
  return { tag, part: found.part, of: found.of, text: toHex(found.text) };
}

async function segment(i: Fields, data: Uint8Array): Promise<Fields> {
  const board = key('verify', 'board');
  if (i['what'] === 'head') {
    const head = parseHead(data);
    must(verifies(board, 'head', head.signed, head.signature), 'the signature is wrong');
    return {
      number: head.number, period: head.period, first: head.first,
      segment_hash: toHex(head.segmentHash), drop_head: toHex(head.dropHead),
      record_hash: toHex(head.recordHash),
    };
  }
  const { header, replies, receipts, hash, signed, signature } = parseSegment(data);
  must(verifies(board, 'segment', signed, signature), 'the signature is wrong');
  return {
    number: header.number, period: header.period, previous: toHex(header.previous),
    drop_head: toHex(header.dropHead), replies: replies.map(toHex),
    receipts: receipts.map(toHex), record_hash: toHex(header.recordHash), hash: toHex(hash),
  };
}

const link = (value: Fields): Link => ({
  week: numberIn(value, 'week'),
  e: bytesIn(value, 'e'),
  x: bytesIn(value, 'x'),
});

async function chain(i: Fields, data: Uint8Array): Promise<Fields> {
  if (!('seen' in i)) return { x: toHex(data) };
  const kept = i['kept'] ? link(i['kept'] as Fields) : null;
  return { continuity: judge(kept, link(i['seen'] as Fields)) };
}

async function words(i: Fields): Promise<Fields> {
  if ('typed' in i) return { secret: toHex(fromPerson(textIn(i, 'typed'))) };
  const [secret, list] = [bytesIn(i, 'secret'), textIn(i, 'list')];
  const shown = list === 'digits' ? toDigits(secret) : toWords(secret, list as WordList);
  return { typed: shown.join(' ') };
}

async function stamp(i: Fields, data: Uint8Array): Promise<Fields> {
  const [{ hash }, letter] = [recordNamed(i['record']), bytesIn(i, 'letter')];
  if (i['what'] === 'check') {
    const said = { stampClass: numberIn(i, 'said'), value: bytesIn(i, 'stamp') };
    return { class: earnedClass(hash, letter, said) };
  }
  return { class: classOf(sha256(concat(bound(hash, letter), data))), stamp: toHex(data) };
}

export const linkOf = link;

export const READ: Readonly<Record<Structure, Read>> = {
  cell, hello, hum, parcel, letter, record, reply, segment, chain, words,
  receipt: async (_, data) => ({ receipt: toHex(data) }),
  token: async (_, data) => ({ token: toHex(data) }),
  stamp,
};

/** Fields that are sealed bytes: they differ between the files of one structure. */
export const SEALED: Readonly<Partial<Record<Structure, readonly string[]>>> = {
  hello: ['hum_id', 'seal_a', 'inner', 'seal_b'],
  hum: ['hum_id', 'parcel'],
  parcel: ['seal_b', 'body'],
};
