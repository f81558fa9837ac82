// The panel for reading: words in, what the board holds for them out. It makes no request, and what
// it shows is text and nothing else: no links, no pictures.

import { findAnswers, type LetterState, type WeekOfAnswers } from '../answers.js';
import { isComplete } from '../board.js';
import type { Session } from '../session.js';
import { dayOfWeek } from '../wire/days.js';
import { fromPerson } from '../wire/words.js';
import { fill, find, make, paragraph } from './dom.js';
import { sayFault } from './faults.js';
import { Field } from './field.js';
import { dateOf, say, type Saying } from './language.js';

const STATES: Readonly<Record<LetterState, Saying>> = {
  waiting: 'say.state.waiting',
  stale: 'say.state.stale',
  left: 'say.state.left',
  taken: 'say.state.taken',
  answered: 'say.state.answered',
};

export class ReadPanel {
  readonly #field = new Field('read-field');

  constructor(
    readonly session: Session,
    readonly thisWeek: () => number,
  ) {
    find('look', HTMLButtonElement).addEventListener('click', () => this.#look());
    find('read-close', HTMLButtonElement).addEventListener('click', () => this.#close());
  }

  #look(): void {
    say(paragraph('read-fault'), null);
    say(paragraph('read-status'), null);
    fill(paragraph('answers'));
    let secret: Uint8Array;
    try {
      secret = fromPerson(this.#field.text);
    } catch (error) {
      sayFault(paragraph('read-fault'), error);
      this.#field.focus();
      return;
    }
    const { board, slots, record } = this.session;
    const weeks = findAnswers(secret, this.thisWeek(), board, slots, record);
    const whole = board !== null && isComplete(board);
    const status = paragraph('read-status');
    say(status, weeks.length ? 'say.read.found' : 'say.read.nothing');
    if (!whole) {
      const more = make('span', '', 'more');
      say(more, 'say.read.incomplete');
      status.append(' ', more);
    }
    fill(paragraph('answers'), ...weeks.map(shown));
  }

  #close(): void {
    this.#field.clear();
    say(paragraph('read-fault'), null);
    say(paragraph('read-status'), null);
    fill(paragraph('answers'));
    find('read', HTMLDetailsElement).open = false;
  }
}

function shown(answers: WeekOfAnswers): HTMLElement {
  const week = make('section', '', 'week');
  const title = make('h3');
  say(title, 'say.read.week', { date: dateOf(dayOfWeek(answers.week)) });
  week.append(title);
  for (const state of answers.letters) {
    const line = make('p', '', `state ${state}`);
    say(line, STATES[state]);
    week.append(line);
  }
  for (const text of answers.replies) {
    const label = make('p', '', 'label');
    say(label, 'say.read.answer');
    const reply = make('blockquote', text, 'reply');
    reply.setAttribute('translate', 'no');
    reply.dir = 'auto';
    week.append(label, reply);
  }
  return week;
}
