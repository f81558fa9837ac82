// What a day is called on devices whose clock is ahead of UTC or behind it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { momentOf, startOf } from '../src/ui/language.js';
import { DAY_S } from '../src/wire/days.js';

const DAY = 20788; // 2026-12-01
const zone = process.env['TZ'];
after(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const told = (saying: ReturnType<typeof startOf>, code: 'en' | 'fa'): string =>
  typeof saying === 'string' ? saying : saying(code);

for (const [where, en, fa] of [
  ['Asia/Shanghai', 'December 1, 2026 at 8:00 AM', '۱۰ آذر ۱۴۰۵ ساعت ۸:۰۰'],
  ['Asia/Tehran', 'December 1, 2026 at 3:30 AM', '۱۰ آذر ۱۴۰۵ ساعت ۳:۳۰'],
  ['UTC', 'December 1, 2026', '۱۰ آذر ۱۴۰۵'],
  ['America/Bogota', 'December 1, 2026', '۱۰ آذر ۱۴۰۵'],
] as const) {
  test(`nobody in ${where} is told of a date on which a letter does not leave yet`, () => {
    process.env['TZ'] = where;
    const plain = (text: string): string => text.replace(/[\u202f\u00a0]/g, ' ');
    assert.equal(plain(told(startOf(DAY), 'en')), en);
    assert.equal(plain(told(startOf(DAY), 'fa')), fa);
  });
}

test('what this device says of the time is what it shows itself', () => {
  process.env['TZ'] = 'Asia/Shanghai';
  const night = (DAY * DAY_S - 6 * 3600) * 1000; // still the day before by UTC
  assert.match(told(momentOf(night), 'en'), /^December 1, 2026 at 2:00.AM$/);
});
