// The page. It begins the visit, keeps the store's clock, and says how far things are.

import { draw } from './entropy.js';
import { sealerOf } from './sealing.js';
import { Session } from './session.js';
import { EVERY_MS, Keeper } from './store/keeper.js';
import { later, openShelf } from './store/shelf.js';
import { parsePins } from './trust/pins.js';
import { startBringing } from './ui/bring.js';
import { startChoice } from './ui/choice.js';
import { find, goTo, paragraph } from './ui/dom.js';
import { startForget } from './ui/forget.js';
import {
  current,
  dateOf,
  momentOf,
  numberOf,
  say,
  type Saying,
  startLanguages,
} from './ui/language.js';
import { startLeaving } from './ui/leave.js';
import { ReadPanel } from './ui/read.js';
import { Waiting } from './ui/waiting.js';
import { WritePanel } from './ui/write.js';
import { type Progress, type Shape, Visit } from './visit.js';
import { DAY_S } from './wire/days.js';

const progress: Progress = {
  hum(state, days) {
    const values = days && { device: momentOf(days.device), keys: dateOf(days.keys) };
    say(paragraph('hum-status'), `say.hum.${state}`, values);
  },
  board(state, done, all) {
    sayFar('board-status', `say.board.${state}`, done, all);
  },
  film(state, done, all) {
    const video = find('film', HTMLVideoElement);
    // A carried copy may have its film beside it, and then asks nobody for it.
    if (video.hasAttribute('src')) return sayFar('film-status', 'say.film.ready');
    video.hidden = state === 'none';
    sayFar('film-status', `say.film.${state}`, done, all);
  },
  filmReady(film) {
    const video = find('film', HTMLVideoElement);
    // Before there is anything to play, Chromium's would draw a turning wheel for a second.
    const show = (): void => void (video.controls = true);
    for (const told of ['loadedmetadata', 'error']) video.addEventListener(told, show, { once: true });
    video.src = URL.createObjectURL(film);
    sayFar('film-status', 'say.film.ready');
  },
};

/** Say how far something came. A screen reader says that it began and how it ended, and not each part:
 * for a minute or two nothing else could be heard. */
function sayFar(id: string, saying: Saying, done = 0, all = 0): void {
  const status = paragraph(id);
  status.setAttribute('aria-live', status.dataset['says'] === saying ? 'off' : 'polite');
  status.dataset['says'] = saying;
  say(status, saying, { done: numberOf(done), all: numberOf(all) });
}

async function visit(shape: Shape): Promise<void> {
  const meta = document.querySelector('meta[name="wallflower-pins"]');
  const pins = parsePins(meta?.getAttribute('content') ?? '');
  if (!pins) return progress.hum('foreign');
  const session = new Session(pins, draw, sealerOf(shape.worker('seal')), current().number);
  const files = shape.worker('hum');
  const keeper = new Keeper(session, later(openShelf(files, draw)));
  const visit = new Visit(session, keeper, progress, shape, files);
  const waiting = new Waiting(session, keeper);
  const today = (): number => Math.floor(visit.now() / DAY_S);
  const writing = new WritePanel(session, keeper, waiting, today);
  const reading = new ReadPanel(session, waiting, today);
  const emptyBrought = startBringing(session, keeper);
  const clear = (): void => {
    waiting.close();
    writing.forget();
    reading.clear();
    emptyBrought();
    say(paragraph('hum-choice-status'), null);
  };
  const forgetting = startForget(keeper, clear);
  // The browser may keep the page whole for Back, for whoever presses it next: to them, what is open here
  // says as much as what is written there.
  addEventListener('pagehide', () => {
    keeper.hush();
    clear();
    forgetting.unasked();
    for (const panel of document.querySelectorAll('details')) panel.open = false;
    say(paragraph('forget-status'), null);
  });
  say(paragraph('hum-status'), 'say.hum.waiting');
  await visit.begin();
  const showChoice = startChoice(session, keeper);
  const turned = (): void => {
    showChoice();
    forgetting.turned();
    sayStore(session, keeper);
  };
  turned();
  setInterval(() => void keeper.turn().then(turned), EVERY_MS / visit.pace);
}

function sayStore(session: Session, keeper: Keeper): void {
  if (!session.record) return;
  const saying = keeper.works ? (keeper.shared ? 'say.store.shared' : null) : 'say.store.no';
  const status = paragraph('store-status');
  if (status.dataset['says'] === (saying ?? '')) return;
  status.dataset['says'] = saying ?? '';
  status.hidden = !saying;
  say(status, saying);
}

/** Begin, in either shape. */
export function startPage(shape: Shape): void {
  startLanguages();
  startLeaving();
  goTo('go-write', 'write');
  goTo('go-read', 'read');
  goTo('go-device', 'device');
  // A page that is only prerendered was not visited: it asks for nothing until it is shown. There is
  // no handler for `pageshow`: a page out of the back-forward cache begins nothing new.
  const { prerendering } = document as { readonly prerendering?: boolean };
  const begin = (): void => void visit(shape);
  if (prerendering) document.addEventListener('prerenderingchange', begin, { once: true });
  else begin();
}
