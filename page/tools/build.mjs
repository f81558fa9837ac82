// Builds the page into ../src/wallflower/campaign/page, the same bytes on every machine: no date, no
// path, no source map. `python -m wallflower` fills the pins and ways of a campaign in afterwards.

import { build, transform } from 'esbuild';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { spokenTexts, withTexts } from './texts.mjs';

const page = fileURLToPath(new URL('..', import.meta.url));
const out = fileURLToPath(new URL('../../src/wallflower/campaign/page/', import.meta.url));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

await build({
  absWorkingDir: page,
  entryPoints: ['src/app.ts', 'src/hum.ts'],
  outdir: out,
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  charset: 'utf8',
  minify: true,
  legalComments: 'none',
  plugins: [spokenTexts],
});

const css = await transform(readFileSync(`${page}src/style.css`, 'utf8'), {
  loader: 'css',
  minify: true,
});
writeFileSync(`${out}style.css`, css.code);
writeFileSync(`${out}index.html`, withTexts(readFileSync(`${page}src/index.html`, 'utf8')));

for (const name of ['index.html', 'style.css', 'app.js', 'hum.js']) {
  const bytes = readFileSync(out + name);
  console.log(`${name}: ${bytes.length} B, ${gzipSync(bytes, { level: 9 }).length} B gzip`);
}
