// The reply slot: a table look-up for who knows the words, noise for all others. Spec: reply.md.

import { anySet, ascii, concat, decodeText, padded, toHex, toNumber, uint } from '../bytes.js';
import { openSealed, seal, Unopened } from '../crypto/aead.js';
import { hkdf, mac16, macs16 } from '../crypto/derive.js';
import { Refused } from '../refused.js';
import {
  REPLY_HEADER,
  REPLY_INDEXES,
  REPLY_SALT,
  REPLY_SLOT,
  REPLY_TAG,
  REPLY_TEXT,
} from './sizes.js';

/** One opened slot: part `part` of `of`; its text is still bytes and may end within a character. */
export interface Part {
  readonly week: number;
  readonly index: number;
  readonly part: number;
  readonly of: number;
  readonly text: Uint8Array;
}

export interface Reply {
  readonly week: number;
  readonly index: number;
  readonly text: string;
}

export interface Place {
  readonly week: number;
  readonly index: number;
  readonly e: Uint8Array;
}

/** The tag of slot `index` under e_w (reply 1.2). */
export const replyTag = (e: Uint8Array, index: number): Uint8Array => mac16(e, tagMessage(index));

const tagMessage = (index: number): Uint8Array => concat(ascii('tag'), uint(index, 1));

const keyOf = (e: Uint8Array, index: number, salt: Uint8Array): Uint8Array =>
  hkdf(e, salt, concat(ascii('reply'), uint(index, 1)), 32);

/** One slot of REPLY_SLOT bytes (reply 1.1). The page writes none; vectors and tests do. */
export function sealPart(
  e: Uint8Array,
  index: number,
  salt: Uint8Array,
  part: number,
  of: number,
  text: Uint8Array,
): Uint8Array {
  const tag = replyTag(e, index);
  const plain = concat(uint(text.length, 2), Uint8Array.of(part, of), padded(text, REPLY_TEXT));
  return concat(tag, salt, seal(keyOf(e, index, salt), 0, tag, plain));
}

/** tag (hex) -> place, for every slot that could be for these words (reply 2). */
export function replyTable(eByWeek: ReadonlyMap<number, Uint8Array>): Map<string, Place> {
  const table = new Map<string, Place>();
  for (const [week, e] of eByWeek) {
    const mac = macs16(e);
    for (let index = 0; index < REPLY_INDEXES; index++) {
      table.set(toHex(mac(tagMessage(index))), { week, index, e });
    }
  }
  return table;
}

/** Open one slot whose tag was found in the table, or Refused (reply 3). */
export function openPart(e: Uint8Array, week: number, index: number, slot: Uint8Array): Part {
  if (slot.length !== REPLY_SLOT) {
    throw new Refused('reply 3.1', 'A reply slot has the wrong length');
  }
  const tag = slot.slice(0, REPLY_TAG);
  const salt = slot.slice(REPLY_TAG, REPLY_TAG + REPLY_SALT);
  let plain: Uint8Array;
  try {
    plain = openSealed(keyOf(e, index, salt), 0, tag, slot.slice(REPLY_TAG + REPLY_SALT));
  } catch (error) {
    if (!(error instanceof Unopened)) throw error;
    throw new Refused('reply 3.2', 'A reply slot does not open');
  }
  const length = toNumber(plain.slice(0, 2));
  const [part, of] = [plain[2] as number, plain[3] as number];
  const text = plain.slice(REPLY_HEADER);
  if (length > REPLY_TEXT || anySet(text.slice(length)) || part < 1 || part > of) {
    throw new Refused('reply 3.3', "A reply slot's length or part is out of range");
  }
  return { week, index, part, of, text: text.slice(0, length) };
}

/** The parts of each whole reply, in order of week and index; parts whose others are missing wait
 * (reply 1.3). Replies that share an index are told apart by how many parts they have, and those of as many
 * by the order of `parts`, once all their parts are there; so `parts` holds each slot once, and two of one
 * text are two. */
export function wholeRuns(parts: Iterable<Part>): Part[][] {
  const placeOf = (week: number, index: number, of: number, part: number): string =>
    [week, index, of, part].join();
  const byPlace = new Map<string, Part[]>();
  for (const p of parts) {
    const place = placeOf(p.week, p.index, p.of, p.part);
    byPlace.set(place, [...(byPlace.get(place) ?? []), p]);
  }
  const begun = [...byPlace.values()].flatMap(([first]) => (first?.part === 1 ? [first] : []));
  return begun
    .sort((a, b) => a.week - b.week || a.index - b.index || a.of - b.of)
    .flatMap(({ week, index, of }) => {
      const places = Array.from({ length: of }, (_, n) => byPlace.get(placeOf(week, index + n, of, n + 1)) ?? []);
      const [firsts = []] = places;
      const whole = places.every((found) => found.length === firsts.length);
      return whole ? firsts.map((_, k) => places.map((found) => found[k] as Part)) : [];
    });
}

/** The reply that these parts are, or Refused (reply 3.4). */
export function joined(whole: readonly Part[]): Reply {
  const { week, index } = whole[0] as Part;
  try {
    return { week, index, text: decodeText(concat(...whole.map((p) => p.text))) };
  } catch {
    throw new Refused('reply 3.4', "A reply's text is not UTF-8");
  }
}
