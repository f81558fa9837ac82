// "Bring a letter": the text of a letter that was taken along from another copy of the page.

import type { Session } from '../session.js';
import { fromPieces } from '../store/carrying.js';
import type { Slot } from '../store/image.js';
import type { Keeper } from '../store/keeper.js';
import { find, paragraph } from './dom.js';
import { sayFault } from './faults.js';
import { Field } from './field.js';
import { say, startOf } from './language.js';
import { sayKept } from './waiting.js';

/** Answers with what empties it again. */
export function startBringing(session: Session, keeper: Keeper): () => void {
  const field = new Field('bring-field');
  const [fault, status] = [paragraph('bring-fault'), paragraph('bring-status')];
  let brought: Slot | null = null;
  find('bring', HTMLButtonElement).addEventListener('click', () => {
    brought = null;
    say(fault, null);
    say(status, null);
    try {
      const slot = fromPieces(field.text);
      session.bringLetter(slot);
      field.clear();
      say(status, 'say.letter.keeping');
      const date = startOf(slot.day + 1);
      brought = slot;
      const tell = (kept: boolean): void => {
        if (brought === slot) sayKept(status, session, kept, 'say.letter.kept', { date });
      };
      void keeper.told(tell, () => session.holds(slot));
    } catch (error) {
      sayFault(fault, error);
      field.focus();
    }
  });
  return () => {
    field.clear();
    say(fault, null);
    say(status, null);
  };
}
