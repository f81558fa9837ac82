// The rules of WEBCAT and WAICT for pages, and our own, over what was built and what it was built
// from: `npm run lint`. A rule is a name, files, and what must not (or must) stand in them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { rulesBroken } from './rules.mjs';

const page = fileURLToPath(new URL('..', import.meta.url));
const out = fileURLToPath(new URL('../../src/wallflower/campaign/page/', import.meta.url));
const NAMES = ['index.html', 'style.css', 'app.js', 'hum.js', 'seal.js', 'carried.html'];

if (!existsSync(`${out}index.html`)) {
  console.error('The page is not built: npm run build');
  process.exit(1);
}
const built = Object.fromEntries(NAMES.map((name) => [name, readFileSync(out + name, 'utf8')]));
const sources = Object.fromEntries(
  readdirSync(`${page}src`, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`src/${name}`, readFileSync(`${page}src/${name}`, 'utf8')]),
);
const faults = rulesBroken(built, sources);
for (const fault of faults) console.error(fault);
console.log(`${faults.length} rules of the page are broken`);
process.exit(faults.length ? 1 : 0);
