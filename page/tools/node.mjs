// Bundles TypeScript for Node and runs it: the tests (`node tools/node.mjs test`) or one tool. Words
// after `test` go to Node's runner, `--only=trust` alone to us: it bundles test/trust.test.ts only.
// Node sees the same modules, bundled by the same tool, as the browser.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

import { spokenTexts } from './texts.mjs';
import { unusedSuites } from './unused.mjs';

const [what, ...words] = process.argv.slice(2);
const tests = what === 'test';
const only = words.find((word) => word.startsWith('--only='))?.slice('--only='.length);
const wanted = (name) => (only ? name === `${only}.test.ts` : name.endsWith('.test.ts'));
const rest = words.filter((word) => !word.startsWith('--only='));
const runner = ['--test', ...(rest.length ? rest : ['--test-reporter=dot'])];
const entryPoints = tests
  ? readdirSync('test').filter(wanted).map((name) => `test/${name}`)
  : [`tools/${what}.ts`];

const outdir = `dist/${what}`;
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints,
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
  plugins: [spokenTexts, unusedSuites],
});
const files = readdirSync(outdir).map((name) => `${outdir}/${name}`);
const run = spawnSync(process.execPath, [...(tests ? runner : []), ...files], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
