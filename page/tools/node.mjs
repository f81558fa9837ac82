// Bundles TypeScript for Node and runs it: the tests (`node tools/node.mjs test`) or one tool.
// Node sees the same modules, bundled by the same tool, as the browser.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

import { spokenTexts } from './texts.mjs';

const [what] = process.argv.slice(2);
const tests = what === 'test';
const entryPoints = tests
  ? readdirSync('test').filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`)
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
  plugins: [spokenTexts],
});
const files = readdirSync(outdir).map((name) => `${outdir}/${name}`);
const run = spawnSync(process.execPath, [...(tests ? ['--test', '--test-reporter=dot'] : []), ...files], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
