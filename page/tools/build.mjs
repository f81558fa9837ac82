// Builds both shapes of the page into ../src/wallflower/campaign/page, the same bytes on every
// machine: no date, no path, no source map. `wallflower campaign build` fills in a campaign's pins,
// ways and film afterwards.

import { build, transform } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { carriedFrom } from './carried.mjs';
import { spokenTexts, unreviewed, withTexts } from './texts.mjs';
import { unusedSuites } from './unused.mjs';

const page = fileURLToPath(new URL('..', import.meta.url));
const out = fileURLToPath(new URL('../../src/wallflower/campaign/page/', import.meta.url));

// Chromium keeps a script compiled, with the functions that were used until then: all of them at once
// tell nothing about who used what (claim 115).
const EAGER = '//# allFunctionsCalledOnLoad';

const bundled = async (name) => {
  const { outputFiles } = await build({
    absWorkingDir: page,
    entryPoints: [`src/entry/${name}.ts`],
    write: false,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    minify: true,
    legalComments: 'none',
    banner: { js: EAGER },
    plugins: [spokenTexts, unusedSuites],
  });
  return outputFiles[0].text;
};

const source = (name) => readFileSync(`${page}src/${name}`, 'utf8');
const { code: css } = await transform(source('style.css'), { loader: 'css', minify: true });
const [app, hum, seal, carried] = await Promise.all(['app', 'hum', 'seal', 'carried'].map(bundled));
const html = withTexts(source('index.html'));

const files = {
  'index.html': html,
  'style.css': css,
  'app.js': app,
  'hum.js': hum,
  'seal.js': seal,
  'carried.html': carriedFrom(html, css, carried),
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  writeFileSync(out + name, text);
  const bytes = Buffer.from(text);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const packed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}: ${bytes.length} B, ${packed} B gzip, sha256 ${hash}`);
}
for (const code of unreviewed) console.log(`reviewed = false: ${code} (X-Reviewed of its page.po)`);
