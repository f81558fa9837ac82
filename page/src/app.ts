// The page. It begins the visit, keeps the store's clock, and says how far things are.

import { draw } from './entropy.js';
import { Session } from './session.js';
import { EVERY_MS, Keeper } from './store/keeper.js';
import { localShelf } from './store/shelf.js';
import { parsePins } from './trust/pins.js';
import { find, goTo, paragraph } from './ui/dom.js';
import { numberOf, say, startLanguages } from './ui/language.js';
import { ReadPanel } from './ui/read.js';
import { WritePanel } from './ui/write.js';
import { type Progress, Visit } from './visit.js';
import { DAY_S, weekOfDay } from './wire/days.js';

const progress: Progress = {
  hum(state) {
    say(paragraph('hum-status'), `say.hum.${state}`);
  },
  board(state, done, all) {
    const counts = { done: numberOf(done), all: numberOf(all) };
    say(paragraph('board-status'), `say.board.${state}`, counts);
  },
  film(state, done, all) {
    const counts = { done: numberOf(done), all: numberOf(all) };
    say(paragraph('film-status'), `say.film.${state}`, counts);
  },
  filmReady(film) {
    find('film', HTMLVideoElement).src = URL.createObjectURL(film);
    say(paragraph('film-status'), 'say.film.ready');
  },
};

async function start(): Promise<void> {
  const meta = document.querySelector('meta[name="wallflower-pins"]');
  const pins = parsePins(meta?.getAttribute('content') ?? '');
  if (!pins) return progress.hum('none');
  const session = new Session(pins, draw);
  const keeper = new Keeper(session, localShelf);
  const visit = new Visit(session, keeper, progress);
  new WritePanel(session, () => keeper.kept());
  new ReadPanel(session, () => weekOfDay(Math.floor(visit.now() / DAY_S)));
  say(paragraph('hum-status'), 'say.hum.waiting');
  await visit.begin();
  if (session.record && !keeper.works) {
    paragraph('store-status').hidden = false;
    say(paragraph('store-status'), 'say.store.no');
  }
  setInterval(() => keeper.turn(), EVERY_MS / visit.pace);
}

startLanguages();
goTo('go-write', 'write');
goTo('go-read', 'read');
// A page that is only prerendered was not visited: it asks for nothing until it is shown. There is
// no handler for `pageshow`: a page out of the back-forward cache begins nothing new.
const { prerendering } = document as { readonly prerendering?: boolean };
if (prerendering) document.addEventListener('prerenderingchange', () => void start(), { once: true });
else void start();
