// Leaving in a hurry: one button, and the Escape key. A blank document takes the place of the page in
// the history's last entry; nothing is asked for. It ends the hum, as closing the page does.

import { find } from './dom.js';

const BLANK = 'about:blank';

export function startLeaving(): void {
  const leave = (): void => {
    document.documentElement.hidden = true; // before the browser comes round to it
    location.replace(BLANK);
  };
  find('leave', HTMLButtonElement).addEventListener('click', leave);
  document.addEventListener('keydown', (event) => {
    // An input method uses Escape for its own list.
    if (event.key === 'Escape' && !event.isComposing) leave();
  });
}
