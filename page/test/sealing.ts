// A sealer that seals where it is asked, for tests that are about something else.

import type { Sealer } from '../src/sealing.js';
import { sealLetter } from '../src/wire/letter.js';

export const here: Sealer = {
  letter: sealLetter,
  hum: () => {
    throw new Error('no hum is sealed here');
  },
};
