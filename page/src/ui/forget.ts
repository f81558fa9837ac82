// "Forget": no letter of this browser is left, as if it had never been used for writing.

import type { Keeper } from '../store/keeper.js';
import { find, paragraph } from './dom.js';
import { say } from './language.js';

const STATUS = { write: 'letter-status', read: 'read-status', device: 'forget-status' } as const;

/** Another tab forgot: nothing of it stays in this document either. Who has a panel open is told in there;
 * in one that was closed nothing speaks of it to whoever opens it. */
function forgetHere(forgotten: () => void): void {
  const at = document.activeElement;
  const within = at?.closest('details');
  forgotten();
  for (const [panel, status] of Object.entries(STATUS)) {
    if (find(panel, HTMLDetailsElement).open) say(paragraph(status), 'say.forget.elsewhere');
  }
  // Who was at something that is gone would begin again at the top of the page.
  if (!at?.getClientRects().length) within?.querySelector('summary')?.focus();
}

/** Answers with what takes the question back, and with what follows a turn of the store: where another tab
 * forgot, nothing stays here; and where something was put away since, it is not said that all is forgotten. */
export function startForget(
  keeper: Keeper,
  forgotten: () => void,
): { readonly unasked: () => void; readonly turned: () => void } {
  const ask = find('forget', HTMLButtonElement);
  const panel = find('forget-panel', HTMLElement);
  const status = paragraph('forget-status');
  let done = false;
  let heard = keeper.session.forgotten;
  const open = (is: boolean): void => {
    panel.hidden = !is;
    ask.setAttribute('aria-expanded', String(is));
  };
  ask.addEventListener('click', () => open(panel.hidden === true));
  find('forget-not', HTMLButtonElement).addEventListener('click', () => {
    open(false);
    ask.focus();
  });
  find('forget-sure', HTMLButtonElement).addEventListener('click', () => {
    open(false);
    ask.focus();
    done = false;
    say(status, 'say.forget.keeping');
    forgotten();
    const tell = (kept: boolean): void => {
      done = kept;
      say(status, kept ? 'say.forget.done' : 'say.forget.unkept');
    };
    keeper.told(tell, undefined, keeper.forget()).catch(() => tell(false));
  });
  return {
    unasked: () => open(false),
    turned: () => {
      if (heard !== keeper.session.forgotten) {
        heard = keeper.session.forgotten;
        done = false;
        forgetHere(forgotten);
      }
      if (done && !keeper.session.unused) say(status, null);
    },
  };
}
