// What a reader is told for a refusal, by its rule. Reasons stay inside; the next step is said.

import { Refused } from '../refused.js';
import { numberOf, type Saying, say } from './language.js';

const SAYINGS: Readonly<Record<string, Saying>> = {
  'words 4.1': 'say.words.neither',
  'words 4.2': 'say.words.place',
  'words 4.3': 'say.words.check',
  'words 4.4': 'say.words.check',
  'letter 3.8': 'say.letter.empty',
  'letter 3.10': 'say.letter.oldkeys',
  'store 2.3': 'say.letter.full',
  'store 2.5': 'say.letter.marks',
  'store 6.1': 'say.bring.none',
  'store 6.2': 'say.bring.missing',
  'store 6.3': 'say.bring.stale',
  'store 6.4': 'say.bring.left',
  'record 2.5': 'say.letter.nokeys',
  'record 2.10': 'say.letter.nokeys',
};

export function sayFault(element: HTMLElement, error: unknown): void {
  const rule = error instanceof Refused ? error.rule : '';
  const place = numberOf((error instanceof Refused && error.place) || 0);
  say(element, SAYINGS[rule] ?? 'say.letter.failed', { place });
}
