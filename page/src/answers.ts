// What the board and this browser hold for one set of words: replies, and how far letters came.
// A table look-up; nothing is asked of anybody. Spec: reply.md 2, receipt.md 2.

import { type Board, receiptsOf } from './board.js';
import { toHex } from './bytes.js';
import { epochSecret } from './crypto/derive.js';
import { Refused } from './refused.js';
import { type Slot, SlotState } from './store/image.js';
import { isStale, marksIn } from './store/slots.js';
import type { EpochRecord } from './trust/record.js';
import { findMarks } from './wire/receipt.js';
import { joinParts, openPart, type Part, replyTable } from './wire/reply.js';
import { REPLY_TAG, REPLY_WEEKS } from './wire/sizes.js';

/** How far a letter came. `answered` is a week's: a reply names no letter. */
export type LetterState = 'waiting' | 'stale' | 'left' | 'taken' | 'answered';

export interface WeekOfAnswers {
  readonly week: number;
  readonly letters: readonly LetterState[];
  readonly replies: readonly string[];
}

/** Newest week first; weeks with nothing for these words are left out. */
export function findAnswers(
  secret: Uint8Array,
  thisWeek: number,
  board: Board | null,
  slots: readonly Slot[],
  record: EpochRecord | null,
): WeekOfAnswers[] {
  const secrets = new Map<number, Uint8Array>();
  for (let week = thisWeek; week > thisWeek - REPLY_WEEKS && week >= 0; week--) {
    secrets.set(week, epochSecret(secret, week));
  }
  const replies = repliesByWeek(board, secrets);
  const receipts = receiptsOf(board);
  const weeks: WeekOfAnswers[] = [];
  for (const [week, e] of secrets) {
    const texts = replies.get(week) ?? [];
    const taken = new Set(findMarks(e, receipts));
    const kept = marksIn(slots, e);
    const marks = [...new Set([...kept.keys(), ...taken])];
    const letters = marks.map((mark) =>
      taken.has(mark) ? (texts.length ? 'answered' : 'taken') : keptState(kept.get(mark), record),
    );
    if (letters.length || texts.length) weeks.push({ week, letters, replies: texts });
  }
  return weeks;
}

function keptState(slot: Slot | undefined, record: EpochRecord | null): LetterState {
  if (slot?.state !== SlotState.WAITING) return 'left';
  return record && isStale(slot, record) ? 'stale' : 'waiting';
}

function repliesByWeek(
  board: Board | null,
  secrets: ReadonlyMap<number, Uint8Array>,
): Map<number, string[]> {
  const table = replyTable(secrets);
  const parts: Part[] = [];
  for (const slot of board?.segments.flatMap((segment) => segment.replies) ?? []) {
    const place = table.get(toHex(slot.slice(0, REPLY_TAG)));
    const part = place && opened(() => openPart(place.e, place.week, place.index, slot));
    if (part) parts.push(part);
  }
  const byWeek = new Map<number, string[]>();
  for (const week of new Set(parts.map((part) => part.week))) {
    const whole = opened(() => joinParts(parts.filter((part) => part.week === week)));
    if (whole?.length) byWeek.set(week, whole.map((reply) => reply.text));
  }
  return byWeek;
}

/** A damaged slot is as good as none: it hides nothing that is whole. */
function opened<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}
