// What the board and this browser hold for one set of words: replies, and how far letters came.
// A table look-up; nothing is asked of anybody. Spec: reply.md 2, receipt.md 2.

import { type Board, isComplete, receiptsOf } from './board.js';
import { toHex } from './bytes.js';
import { epochSecret } from './crypto/derive.js';
import { Refused } from './refused.js';
import { type Slot, Waits } from './store/image.js';
import { isStale, marksIn, type Remembered } from './store/slots.js';
import type { EpochRecord } from './trust/record.js';
import { weekOfDay } from './wire/days.js';
import { findMarks } from './wire/receipt.js';
import { joined, openPart, type Part, replyTable, wholeRuns } from './wire/reply.js';
import { REPLY_TAG, REPLY_WEEKS } from './wire/sizes.js';

/** How far a letter came. Of several of one week none is called answered: a reply names no letter. */
export type LetterState =
  | 'waiting'
  | 'next'
  | 'stale'
  | 'left'
  | 'overdue'
  | 'taken'
  | 'answered';

/** So many days after it was sealed, a letter of which a whole board has no receipt is called overdue
 * (store 3.5). */
export const OVERDUE_DAYS = 8;

/** Weeks in which a letter's receipt or place is looked for. A desk key dies within a month and the
 * board is two weeks long, so nothing of an older letter can come; replies are looked for in all. */
const LETTER_WEEKS = 12;

export interface FoundLetter {
  readonly state: LetterState;
  /** The place of a letter that still waits here. */
  readonly slot: Slot | null;
}

export interface WeekOfAnswers {
  readonly week: number;
  readonly letters: readonly FoundLetter[];
  readonly replies: readonly string[];
}

/** What a letter's state is told by. */
interface Known {
  readonly record: EpochRecord | null;
  readonly today: number;
  /** Whether all of the board is here. */
  readonly whole: boolean;
}

/** Newest week first; weeks with nothing for these words are left out. They count from today's record, or
 * from `today`, the day by this device's clock, whichever is later: the clock may be behind. */
export function findAnswers(
  secret: Uint8Array,
  today: number,
  board: Board | null,
  slots: readonly Slot[],
  record: EpochRecord | null,
): WeekOfAnswers[] {
  const now = Math.max(today, record?.body.day ?? 0);
  const thisWeek = weekOfDay(now);
  const secrets = new Map<number, Uint8Array>();
  for (let week = thisWeek; week > thisWeek - REPLY_WEEKS && week >= 0; week--) {
    secrets.set(week, epochSecret(secret, week));
  }
  const replies = repliesByWeek(board, secrets);
  const receipts = receiptsOf(board);
  const by = { record, today: now, whole: board !== null && isComplete(board) };
  const weeks: WeekOfAnswers[] = [];
  for (const [week, e] of secrets) {
    const texts = replies.get(week) ?? [];
    const recent = week > thisWeek - LETTER_WEEKS;
    const taken = new Set(recent ? findMarks(e, receipts) : []);
    const kept = recent ? marksIn(slots, e) : new Map<number, readonly Remembered[]>();
    const marks = [...new Set([...kept.keys(), ...taken])];
    const answered = texts.length > 0 && taken.size === 1;
    const received: FoundLetter = { state: answered ? 'answered' : 'taken', slot: null };
    const letters = marks.flatMap((mark) =>
      lettersOf(kept.get(mark) ?? [], taken.has(mark) ? received : null, by),
    );
    if (letters.length || texts.length) weeks.push({ week, letters, replies: texts });
  }
  return weeks;
}

/** The letters of one mark. A receipt stands for all of them, but for one that still waits here where
 * another one left. */
function lettersOf(
  all: readonly Remembered[],
  received: FoundLetter | null,
  by: Known,
): FoundLetter[] {
  if (received && !all.length) return [received];
  const hasLeft = ({ slot }: Remembered): boolean => slot.waits === Waits.NOT;
  const stands = (one: Remembered): boolean => hasLeft(one) || !all.some(hasLeft);
  return all.map((one) => (received && stands(one) ? received : keptLetter(one, by)));
}

function keptLetter({ slot, sealedOn }: Remembered, { record, today, whole }: Known): FoundLetter {
  if (slot.waits === Waits.NOT) {
    // On what did not come of the board its receipt may stand: nobody is told to write it again.
    const overdue = whole && today - sealedOn > OVERDUE_DAYS;
    return { state: overdue ? 'overdue' : 'left', slot: null };
  }
  if (record && isStale(slot, record)) return { state: 'stale', slot: null };
  return { state: slot.waits === Waits.NEXT ? 'next' : 'waiting', slot };
}

function repliesByWeek(
  board: Board | null,
  secrets: ReadonlyMap<number, Uint8Array>,
): Map<number, string[]> {
  const table = replyTable(secrets);
  const parts = new Map<string, Part>(); // by their slots: one that stands on the board twice is one
  for (const slot of board?.segments.flatMap((segment) => segment.replies) ?? []) {
    const place = table.get(toHex(slot.slice(0, REPLY_TAG)));
    const part = place && opened(() => openPart(place.e, place.week, place.index, slot));
    if (part) parts.set(toHex(slot), part);
  }
  const byWeek = new Map<number, string[]>();
  for (const run of wholeRuns(parts.values())) {
    const reply = opened(() => joined(run));
    if (reply) byWeek.set(reply.week, [...(byWeek.get(reply.week) ?? []), reply.text]);
  }
  return byWeek;
}

/** A slot or a reply that is refused is as good as none: it hides nothing that is whole (reply 2). */
function opened<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}
