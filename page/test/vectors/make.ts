// Each structure that the page makes, made from the inputs of a vector by the page's own modules.

import { concat } from '../../src/bytes.js';
import { conversationId, epochSecret } from '../../src/crypto/derive.js';
import type { Draw } from '../../src/entropy.js';
import { encodeCell, sealBody } from '../../src/wire/cell.js';
import { chainValue } from '../../src/wire/chain.js';
import {
  type BRecord,
  helloCell,
  type Kind,
  sealForA,
  sealForB,
  SILENT,
} from '../../src/wire/hello.js';
import { makeHum } from '../../src/wire/hum.js';
import {
  encodeLetter,
  FILLER,
  type Letter,
  type LetterKind,
  sealLetter,
} from '../../src/wire/letter.js';
import { encodeParcel, sealParcelBody } from '../../src/wire/parcel.js';
import { receipt } from '../../src/wire/receipt.js';
import { makeStamp } from '../../src/wire/stamp.js';
import { tokenKey, tokenOf } from '../../src/wire/token.js';
import {
  bytesIn,
  type Fields,
  key,
  MADE,
  numberIn,
  recordNamed,
  textIn,
} from './files.js';

type Make = (inputs: Fields) => Promise<Uint8Array>;

const NOTHING = new Uint8Array(0);

const inB = (i: Fields): BRecord => ({
  kind: numberIn(i, 'kind') as Kind,
  token: bytesIn(i, 'token'),
  stamp: { stampClass: numberIn(i, 'stamp_class'), value: bytesIn(i, 'stamp') },
  report: { channel: numberIn(i, 'report'), language: numberIn(i, 'language') },
});

async function hello(i: Fields): Promise<Uint8Array> {
  const { body, hash } = recordNamed(i['record']);
  const keyA = bytesIn(i, 'key_a');
  const sealB = await sealForB(body.hopB, hash, bytesIn(i, 'key_b'), inB(i));
  const sealA = await sealForA(body.hopA, hash, keyA);
  return encodeCell(helloCell(sealA, keyA, numberIn(i, 'counter'), body.number, sealB));
}

/** Gives the drawn bytes of a vector in the order in which a hum draws them (hum 1.1). */
function drawn(...values: readonly Uint8Array[]): Draw {
  const left = [...values];
  return (size) => {
    const next = left.shift();
    if (next?.length !== size) throw new Error('a hum drew something else than its vector has');
    return next;
  };
}

async function hum(i: Fields): Promise<Uint8Array> {
  const { body, hash } = recordNamed(i['record']);
  const keys = { number: body.number, hash, hopA: body.hopA, hopB: body.hopB };
  const draw = drawn(bytesIn(i, 'key_a'), bytesIn(i, 'key_b'), bytesIn(i, 'start'));
  const kind = numberIn(i, 'kind') as Kind;
  const [letter, token] = [bytesIn(i, 'letter'), bytesIn(i, 'token')];
  const carried = { kind, letter, token, report: SILENT };
  return concat(...(await makeHum(keys, carried, draw)));
}

async function parcel(i: Fields): Promise<Uint8Array> {
  const { body, hash } = recordNamed(i['record']);
  const keyB = bytesIn(i, 'key_b');
  const sealB = await sealForB(body.hopB, hash, keyB, inB(i));
  return encodeParcel({ sealB, body: sealParcelBody(keyB, bytesIn(i, 'letter')) });
}

function openLetterOf(i: Fields): Letter {
  const secret = key('secrets', i['secret']);
  const week = numberIn(i, 'week');
  return {
    kind: numberIn(i, 'kind') as LetterKind,
    language: numberIn(i, 'language'),
    conversation: conversationId(secret),
    e: epochSecret(secret, week),
    x: chainValue(secret, week),
    week,
    mark: numberIn(i, 'mark'),
    text: textIn(i, 'text'),
    part: numberIn(i, 'part'),
    of: numberIn(i, 'of'),
  };
}

async function letter(i: Fields): Promise<Uint8Array> {
  const { desks } = recordNamed(i['record']);
  const week = i['week'] ?? desks[0]?.entry.week;
  const desk = desks.find(({ entry }) => entry.week === week);
  if (!desk) throw new Error('the record has no desk of that week');
  const plain = numberIn(i, 'kind') ? encodeLetter(openLetterOf(i)) : FILLER;
  return sealLetter(desk.entry.key, desk.hash, plain);
}

export const MAKE: Readonly<Record<(typeof MADE)[number], Make>> = {
  cell: async (i) =>
    encodeCell(
      sealBody(
        bytesIn(i, 'key_a'),
        numberIn(i, 'counter'),
        numberIn(i, 'record'),
        bytesIn(i, 'hum_id'),
        bytesIn(i, 'piece'),
      ),
    ),
  hello,
  hum,
  parcel,
  letter,
  receipt: async (i) =>
    receipt(epochSecret(key('secrets', i['secret']), numberIn(i, 'week')), numberIn(i, 'mark')),
  chain: async (i) =>
    'seen' in i ? NOTHING : chainValue(key('secrets', i['secret']), numberIn(i, 'week')),
  words: async () => NOTHING,
  token: async (i) => {
    const conversation = conversationId(key('secrets', i['secret']));
    return tokenOf(tokenKey(conversation), numberIn(i, 'week'), numberIn(i, 'index'));
  },
  stamp: async (i) =>
    i['what'] === 'make'
      ? makeStamp(recordNamed(i['record']).hash, bytesIn(i, 'letter'), bytesIn(i, 'start')).value
      : NOTHING,
};
