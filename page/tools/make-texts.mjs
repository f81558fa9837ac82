// Writes src/ui/spoken.d.ts, the types of what the script may say.

import { writeFileSync } from 'node:fs';

import { spokenTypes } from './texts.mjs';

writeFileSync(new URL('../src/ui/spoken.d.ts', import.meta.url), spokenTypes);
