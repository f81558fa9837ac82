// Tabs of one browser in any order: what was said to be kept is kept, what left or was forgotten does
// not wait again. A model of what a person was told, beside the real store. Spec: store.md 3.4, 4.3.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toHex } from '../src/bytes.js';
import { draw } from '../src/entropy.js';
import { Refused } from '../src/refused.js';
import { Session } from '../src/session.js';
import { Keeper, readImage } from '../src/store/keeper.js';
import { type Slot, Waits } from '../src/store/image.js';
import { leaving } from '../src/store/slots.js';
import { type EpochRecord, verifyInForce } from '../src/trust/record.js';
import { LETTER } from '../src/wire/sizes.js';
import { Memory } from './memory.js';
import { here } from './sealing.js';
import { pinsWith, trusted } from './vectors/refuse.js';

const [today, tomorrow] = [trusted('today'), trusted('tomorrow')];
const WALKS = Number(process.env['WALKS'] ?? 6);
const STEPS = 24;
const TABS = 3;
const PLACES = 4;
const SECRET = new Uint8Array(16).fill(7);

let state = 4_022;
const whole = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** A session whose fillers cost nothing; what is sealed is not the question. */
class Cheap extends Session {
  held = Promise.resolve();

  override async filler(): Promise<Uint8Array> {
    await this.held;
    return draw(LETTER);
  }
}

/** Hold the next filler of a session until what this gives is called. */
function hold(session: Cheap): () => void {
  let letGo = (): void => undefined;
  session.held = new Promise((resolve) => (letGo = resolve));
  return () => letGo();
}

interface Tab {
  readonly session: Cheap;
  readonly keeper: Keeper;
  /** Letters that left from here since the last turn. */
  left: string[];
  forgets: boolean;
}

const waitingIn = (slots: readonly Slot[]): string[] =>
  slots.filter(({ waits }) => waits !== Waits.NOT).map(({ tag }) => toHex(tag));

const letterOfToday = (): Slot => ({
  waits: Waits.LATER, day: today.body.day, recordHash: today.hash, tag: draw(16), note: draw(4),
  tokens: draw(64), letter: draw(LETTER),
});

/** One browser, and what its person was told. */
class Walk {
  readonly disk = new Memory();
  tabs: Tab[] = [];
  readonly promised = new Set<string>();
  readonly gone = new Set<string>();

  stored(): string[] {
    return waitingIn(readImage(this.disk.bytes)?.slots ?? []);
  }

  async open(record: EpochRecord): Promise<void> {
    const session = new Cheap(pinsWith(record.body.root), draw, here);
    const keeper = new Keeper(session, this.disk.tab());
    const image = await keeper.load();
    session.record = record;
    if (image) [session.slots, session.lineage, session.hums] = [image.slots, image.lineage, image.hums];
    await session.fillSlots(record);
    this.tabs.push({ session, keeper, left: [], forgets: false });
    await this.turn(this.tabs.at(-1) as Tab);
  }

  write({ session, keeper }: Tab): void {
    const all = [this.stored(), ...this.tabs.map((tab) => waitingIn(tab.session.slots))].flat();
    if (new Set(all).size >= PLACES) return; // of five one is lost, as the threat model says
    const slot = letterOfToday();
    session.bringLetter(slot);
    const tell = (kept: boolean): void => void (kept && this.promised.add(toHex(slot.tag)));
    void keeper.told(tell, () => session.holds(slot));
  }

  leave(tab: Tab): void {
    const slot = leaving(tab.session.slots, tomorrow);
    if (!slot) return;
    const filler = { ...slot, waits: Waits.NOT, letter: draw(LETTER) };
    const none = { kind: 0, token: draw(16), report: { channel: 0, language: 0 } } as const;
    tab.session.letterLeft({ ...none, letter: slot.letter, filler });
    tab.left.push(toHex(slot.tag));
  }

  async forget(tab: Tab): Promise<void> {
    void tab.keeper.forget();
    await new Promise(setImmediate);
    tab.forgets = true;
  }

  async turn(tab: Tab): Promise<void> {
    if (tab.forgets) for (const tag of [...this.stored(), ...this.promised]) this.gone.add(tag);
    tab.forgets = false;
    await tab.keeper.turn();
    for (const tag of tab.left.splice(0)) this.gone.add(tag);
    await Promise.resolve();
  }

  async step(): Promise<void> {
    const tab = this.tabs[whole(this.tabs.length)];
    const act = whole(12);
    if (!tab || (act === 0 && this.tabs.length < TABS)) return this.open(whole(2) ? today : tomorrow);
    if (act < 4) return this.write(tab);
    if (act < 6) return this.leave(tab);
    if (act === 6) return this.forget(tab);
    if (act === 7) return void (this.tabs = this.tabs.filter((one) => one !== tab));
    return this.turn(tab);
  }
}

test('whatever two or three tabs do, what a person was told stays true', async () => {
  let kept = 0;
  for (let n = 0; n < WALKS; n++) {
    const walk = new Walk();
    await walk.open(today);
    for (let i = 0; i < STEPS; i++) await walk.step();
    for (const tab of [...walk.tabs, ...walk.tabs]) await walk.turn(tab);
    const waiting = walk.stored();
    for (const tag of walk.promised) {
      assert.equal(waiting.includes(tag), !walk.gone.has(tag), `walk ${n}: ${tag}`);
      kept += Number(waiting.includes(tag));
    }
    assert.ok(waiting.every((tag) => !walk.gone.has(tag)), `walk ${n}`);
  }
  assert.ok(kept > 0);
});

test('a turn that comes while forgetting seals its fillers is like any other', async () => {
  const walk = new Walk();
  await walk.open(today);
  const [tab] = walk.tabs as [Tab];
  const { keeper, session } = tab;
  walk.write(tab);
  await walk.turn(tab);
  const before = walk.disk.writes;
  const letGo = hold(session);
  const forgotten = keeper.forget();
  let said = false; // that a letter is put away, which was finished meanwhile
  void keeper.kept().then(() => (said = true));
  await keeper.turn();
  assert.ok(keeper.works, 'the page does not say that this browser keeps nothing');
  assert.equal(walk.disk.writes, before + 1);
  letGo();
  await new Promise(setImmediate);
  await keeper.turn();
  assert.ok(await forgotten);
  assert.equal(said, false, 'nobody hears that a forgotten letter is kept');
  assert.deepEqual(walk.stored(), []);
});

test('who presses forget twice is not told that a letter is kept which the second press forgets', async () => {
  const walk = new Walk();
  await walk.open(today);
  const [{ keeper, session }] = walk.tabs as [Tab];
  const first = hold(session);
  void keeper.forget();
  const second = hold(session);
  const forgotten = keeper.forget();
  session.held = Promise.resolve(); // only the first filler of each is held
  first();
  await new Promise(setImmediate);
  await session.keepLetter(SECRET, 'x', 1, today.body.day);
  let said = false;
  void keeper.kept().then(() => (said = true));
  second();
  await new Promise(setImmediate);
  await keeper.turn();
  assert.ok(await forgotten);
  assert.equal(said, false);
  assert.deepEqual(walk.stored(), []);
});

/** A mark is drawn out of six bytes: here the same ones in every tab, as in one case of 64. */
const oneMark = (size: number): Uint8Array => (size === 6 ? new Uint8Array(6).fill(99) : draw(size));

test('two letters that two tabs gave one mark are both kept as was said, and each leaves by itself', async () => {
  const disk = new Memory();
  const tab = async (): Promise<Tab> => {
    const session = new Cheap(pinsWith(today.body.root), oneMark, here);
    const keeper = new Keeper(session, disk.tab());
    const image = await keeper.load();
    session.record = today;
    if (image) [session.slots, session.lineage] = [image.slots, image.lineage];
    await session.fillSlots(today);
    await keeper.turn();
    return { session, keeper, left: [], forgets: false };
  };
  const [one, two] = [await tab(), await tab()];
  const first = await one.session.keepLetter(SECRET, 'first', 1, today.body.day);
  const second = await two.session.keepLetter(SECRET, 'second', 1, today.body.day);
  assert.deepEqual(first.tag, second.tag);
  const told = [one.keeper.kept(), two.keeper.kept()];
  await one.keeper.turn();
  await two.keeper.turn();
  await one.keeper.turn();
  assert.deepEqual(await Promise.all(told), [true, true]);
  const waiting = (slots: readonly Slot[]): string[] =>
    slots.filter(({ waits }) => waits !== Waits.NOT).map(({ letter }) => toHex(letter)).sort();
  const stored = (): string[] => waiting(readImage(disk.bytes)?.slots ?? []);
  assert.deepEqual(stored(), waiting([first, second]));
  // One leaves from the one tab, and the other tab hears of it.
  two.session.hurry(second.letter);
  assert.equal(leaving(two.session.slots, today)?.letter, second.letter);
  const choice = await two.session.chooseForHum(verifyInForce(today, today.body.notBefore));
  two.session.letterLeft(choice);
  await two.keeper.turn();
  await one.keeper.turn();
  assert.deepEqual(stored(), waiting([first]));
  assert.deepEqual(waiting(one.session.slots), waiting([first]));
  // Brought back, the one that waits is no news, and the one that left is refused.
  one.session.bringLetter(first);
  assert.throws(() => one.session.bringLetter(second), Refused);
  assert.deepEqual(waiting(one.session.slots), waiting([first]));
});

test('a letter that is brought where another one of its mark waits is kept beside it', async () => {
  const walk = new Walk();
  await walk.open(today);
  const [{ session }] = walk.tabs as [Tab];
  const kept = await session.keepLetter(SECRET, 'x', 1, today.body.day);
  session.bringLetter({ ...kept, letter: draw(LETTER) });
  assert.equal(waitingIn(session.slots).length, 2);
});

test('a letter that is sealed takes the place of none that was sealed under newer keys meanwhile', async () => {
  const walk = new Walk();
  await walk.open(today);
  await walk.open(tomorrow);
  const [one, two] = walk.tabs as [Tab, Tab];
  const newer = { waits: Waits.LATER, day: tomorrow.body.day, recordHash: tomorrow.hash };
  for (let n = 0; n < PLACES; n++) {
    const letter = { tag: draw(16), note: draw(4), tokens: draw(64), letter: draw(LETTER) };
    two.session.bringLetter({ ...newer, ...letter });
  }
  await walk.turn(two);
  let sealed = (_: Uint8Array): void => undefined;
  const sealing = new Promise<Uint8Array>((resolve) => (sealed = resolve));
  Object.assign(one.session, { sealer: { ...here, letter: () => sealing } });
  const refused = assert.rejects(one.session.keepLetter(SECRET, 'x', 1, today.body.day), Refused);
  await walk.turn(one);
  sealed(draw(LETTER));
  await refused;
  assert.equal(walk.stored().length, PLACES);
  assert.deepEqual(waitingIn(one.session.slots), walk.stored());
});

test('who left the page is told nothing later, of a turn that runs already neither', async () => {
  const walk = new Walk();
  await walk.open(today);
  const [{ keeper }] = walk.tabs as [Tab];
  const heard: string[] = [];
  void keeper.kept().then(() => heard.push('of a turn that runs'));
  const running = keeper.turn();
  await Promise.resolve();
  void keeper.kept().then(() => heard.push('of the next one'));
  keeper.hush();
  void keeper.kept().then(() => heard.push('of what came after'));
  await running;
  await keeper.turn();
  await Promise.resolve();
  assert.deepEqual(heard, ['of what came after']);
});

test('who was told that a letter is not kept hears once of a later turn that keeps it', async () => {
  const walk = new Walk();
  await walk.open(today);
  await walk.open(today);
  const [one, two] = walk.tabs as [Tab, Tab];
  const heard: boolean[] = [];
  const write = (): void => {
    const slot = letterOfToday();
    one.session.bringLetter(slot);
    void one.keeper.told((kept) => void heard.push(kept), () => one.session.holds(slot));
  };
  const turnThrice = async (): Promise<void> => {
    for (let turns = 0; turns < 3; turns++) await walk.turn(one);
  };
  write();
  walk.disk.refuses = true;
  await turnThrice();
  assert.deepEqual(heard, [false]);
  walk.disk.refuses = false;
  await turnThrice();
  assert.deepEqual(heard, [false, true]);
  // One that another tab forgot is kept by no later turn.
  write();
  await walk.forget(two);
  await walk.turn(two);
  await turnThrice();
  assert.deepEqual(heard, [false, true, false]);
});

test('who left the page while it forgot is not told later that it did', async () => {
  const walk = new Walk();
  await walk.open(today);
  const [{ keeper, session }] = walk.tabs as [Tab];
  const letGo = hold(session);
  let told = false;
  void keeper.forget().then(() => (told = true));
  keeper.hush();
  letGo();
  await new Promise(setImmediate);
  await keeper.turn();
  await Promise.resolve();
  assert.equal(told, false);
  assert.deepEqual(walk.stored(), []);
});

test('what was forgotten is not taken over again where the turn that forgets fails', async () => {
  const walk = new Walk();
  await walk.open(today);
  await walk.open(today);
  const [one, two] = walk.tabs as [Tab, Tab];
  walk.write(one);
  await walk.turn(one);
  await walk.turn(two);
  assert.equal(walk.stored().length, 1);
  const forgotten = one.keeper.forget();
  await new Promise(setImmediate);
  walk.disk.refuses = true;
  await one.keeper.turn();
  assert.equal(await forgotten, false);
  walk.disk.refuses = false;
  await walk.turn(two); // of the lineage that was forgotten
  await one.keeper.turn();
  assert.deepEqual(walk.stored(), []);
  await walk.turn(two);
  assert.deepEqual(walk.stored(), []);
});

test('a choice that a failed turn did not keep is not undone by what another tab wrote meanwhile', async () => {
  const walk = new Walk();
  await walk.open(today);
  await walk.open(today);
  const [one, two] = walk.tabs as [Tab, Tab];
  Object.assign(one.session, { hums: false, chosen: true });
  walk.disk.refuses = true;
  await walk.turn(one);
  walk.disk.refuses = false;
  await walk.turn(two);
  await walk.turn(one);
  assert.equal(readImage(walk.disk.bytes)?.hums, false);
  // Once kept it is as old as what lies there: a later choice of the other tab counts.
  Object.assign(two.session, { hums: true, chosen: true });
  await walk.turn(two);
  await walk.turn(one);
  assert.equal(readImage(walk.disk.bytes)?.hums, true);
});

test('who presses forget once more while the first is written leaves nothing of what came between', async () => {
  const walk = new Walk();
  await walk.open(today);
  await walk.open(today);
  const [one, two] = walk.tabs as [Tab, Tab];
  void one.keeper.forget();
  await new Promise(setImmediate);
  const letGo = walk.disk.hold();
  const first = one.keeper.turn();
  await new Promise(setImmediate); // what is written is composed
  const second = one.keeper.forget();
  await new Promise(setImmediate);
  letGo();
  await first;
  await walk.turn(two);
  walk.write(two);
  await walk.turn(two);
  assert.equal(walk.stored().length, 1);
  await one.keeper.turn();
  assert.ok(await second);
  assert.deepEqual(walk.stored(), []);
});

test('a tab learns once that another one forgot, and neither who forgot nor who is new does', async () => {
  const walk = new Walk();
  await walk.open(today);
  await walk.open(today);
  const [one, two] = walk.tabs as [Tab, Tab];
  const heard = (): number[] => walk.tabs.map(({ session }) => session.forgotten);
  walk.write(one);
  for (const tab of [one, two, one]) await walk.turn(tab);
  assert.deepEqual(heard(), [0, 0]);
  await walk.forget(one);
  for (const tab of [one, two, one, two]) await walk.turn(tab);
  await walk.open(today);
  for (const tab of walk.tabs) await walk.turn(tab);
  assert.deepEqual(heard(), [0, 1, 0]);
  await walk.forget(two);
  for (const tab of [two, one]) await walk.turn(tab);
  assert.deepEqual(heard(), [1, 1, 0]);
});

test('of two tabs that are opened at once in a new browser none hears that all was forgotten', async () => {
  const disk = new Memory();
  const tab = async (): Promise<Cheap> => {
    const session = new Cheap(pinsWith(today.body.root), draw, here);
    const keeper = new Keeper(session, disk.tab());
    await keeper.load();
    session.record = today;
    await session.fillSlots(today);
    turns.push(() => keeper.turn());
    return session;
  };
  const turns: (() => Promise<void>)[] = [];
  const sessions = [await tab(), await tab()];
  for (const turn of [...turns, ...turns]) await turn();
  assert.deepEqual(sessions.map(({ forgotten }) => forgotten), [0, 0]);
});
