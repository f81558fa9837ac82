// A waiting letter as text, to be taken to any other copy of the page. Spec: store.md 6.
//
// One text, or pieces of it that each say their place, so that they can come by pictures in any order.

import { concat, equal, toNumber, uint } from '../bytes.js';
import { sha256 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import { HASH, LETTER } from '../wire/sizes.js';
import { Reader } from '../wire/reading.js';
import { type Slot, SLOT_NOTE, SLOT_TAG, SLOT_TOKENS, Waits } from './image.js';

const VERSION = 2;
const CHECK = 4;
const MARK = 'wallflower1';
/** Characters of a piece: with its head, a picture that cameras of cheap phones still read. */
const PIECE = 644;
const MOST_PIECES = 99;
const RULE = 'store 6.2';

const CARRIED = 1 + 4 + HASH + SLOT_TAG + SLOT_NOTE + SLOT_TOKENS + LETTER + CHECK;
export const CARRIED_TEXT = Math.ceil((CARRIED * 4) / 3);

function toBase64url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function fromBase64url(text: string): Uint8Array {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (sign) => sign.charCodeAt(0));
}

const checkOf = (body: Uint8Array): Uint8Array => sha256(body).slice(0, CHECK);

/** The pieces of a letter's text; joined by line breaks they are the text as a whole. */
export function toPieces(slot: Slot): string[] {
  const body = concat(
    Uint8Array.of(VERSION), uint(slot.day, 4), slot.recordHash, slot.tag, slot.note, slot.tokens,
    slot.letter,
  );
  const text = toBase64url(concat(body, checkOf(body)));
  const cut = text.match(new RegExp(`.{1,${PIECE}}`, 'g')) ?? [];
  return cut.map((piece, i) => `${MARK}.${i + 1}.${cut.length}.${piece}`);
}

/** The letter out of pieces in any order, or Refused; `place` of it is the first that is missing. */
export function fromPieces(typed: string): Slot {
  const pieces = new Map<number, string>();
  let of = 0;
  // Messengers break lines where they like, and never within the head of a piece.
  for (const [, index, all, piece] of typed.replace(/\s+/g, '').matchAll(PIECES)) {
    pieces.set(Number(index), piece as string);
    of = Math.max(of, Number(all));
  }
  if (!pieces.size || of > MOST_PIECES) throw new Refused('store 6.1', 'That is no letter');
  for (let i = 1; i <= of; i++) {
    if (!pieces.has(i)) throw new Refused(RULE, 'A piece of the letter is missing', i);
  }
  return parse(Array.from({ length: of }, (_, i) => pieces.get(i + 1)).join(''));
}

const PIECES = /wallflower1\.(\d{1,2})\.(\d{1,2})\.((?:(?!wallflower1\.)[A-Za-z0-9_-])+)/g;

function parse(text: string): Slot {
  let data: Uint8Array;
  try {
    data = fromBase64url(text);
  } catch {
    throw new Refused('store 6.1', 'That is no letter');
  }
  const body = data.slice(0, -CHECK);
  if (data.length !== CARRIED || data[0] !== VERSION || !equal(data.slice(-CHECK), checkOf(body))) {
    throw new Refused('store 6.1', 'The letter was damaged on the way');
  }
  const reader = new Reader(body, 'store 6.1');
  reader.take(1);
  const day = toNumber(reader.take(4));
  const [recordHash, tag, note] = [reader.take(HASH), reader.take(SLOT_TAG), reader.take(SLOT_NOTE)];
  const tokens = reader.take(SLOT_TOKENS);
  return { waits: Waits.LATER, day, recordHash, tag, note, tokens, letter: reader.take(LETTER) };
}
