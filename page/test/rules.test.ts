// The lint of the built page finds what it is there for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

type Files = Readonly<Record<string, string>>;
interface Rules {
  readonly rulesBroken: (built: Files, sources: Files) => readonly string[];
}
const { rulesBroken } = (await import(pathToFileURL('tools/rules.mjs').href)) as Rules;

const directives = ['img-src', 'media-src', 'worker-src', 'connect-src', 'base-uri', 'form-action'];
const policy = `default-src 'none'; script-src 'self'; style-src 'self'; ${directives.map((one) => `${one} 'none'`).join('; ')}`;
const html = (body = '', said = policy): string =>
  `<meta http-equiv="Content-Security-Policy" content="${said}"><script src="app.js" defer></script>${body}`;

test('a page that keeps the rules breaks none', () => {
  assert.deepEqual(rulesBroken({ 'index.html': html(), 'app.js': 'let a=1', 'style.css': 'a{}' }, {}), []);
});

const BAD: readonly (readonly [string, Files])[] = [
  ['eval', { 'app.js': 'eval("1")' }],
  ['new Function', { 'app.js': 'new Function("1")' }],
  ['innerHTML', { 'app.js': 'a.innerHTML="<b>"' }],
  ['document.write', { 'app.js': 'document.write(a)' }],
  ['insertAdjacentHTML', { 'hum.js': 'a.insertAdjacentHTML("x",b)' }],
  ['dynamic import', { 'app.js': 'await import("./b.js")' }],
  ['service worker', { 'app.js': 'navigator.serviceWorker.register("a")' }],
  ['source map', { 'app.js': '//# sourceMappingURL=a.map' }],
  ['address in a style', { 'style.css': 'a{background:url(a.png)}' }],
  ['web font', { 'style.css': '@font-face{}' }],
  ['inline script', { 'index.html': html('<script>1</script>') }],
  ['inline handler', { 'index.html': html('<b onclick="a()">') }],
  ['inline style', { 'index.html': html('<b style="a:b">') }],
  ['textarea', { 'index.html': html('<textarea></textarea>') }],
  ['text input', { 'index.html': html('<input type="text">') }],
  ['lazy image', { 'index.html': html('<img loading="lazy">') }],
  ['third party', { 'index.html': html('<img src="https://a.example/">') }],
  ['preload', { 'index.html': html('<link rel="preload" href="a">') }],
  ['unguarded field', { 'index.html': html('<div role="textbox"></div>') }],
  ['wide policy', { 'index.html': html('', policy.replace("'self'", "'unsafe-inline'")) }],
  ['missing directive', { 'index.html': html('', policy.replace('worker-src', 'x-src')) }],
];
for (const [name, files] of BAD) {
  test(`${name} is found`, () => assert.equal(rulesBroken(files, {}).length > 0, true));
}

test('a request from another module than the two is found', () => {
  assert.equal(rulesBroken({}, { 'src/ui/read.ts': 'void fetch("a")' }).length, 1);
  assert.equal(rulesBroken({}, { 'src/hum/sending.ts': 'void fetch("a")' }).length, 0);
  assert.equal(rulesBroken({}, { 'src/ui/read.ts': 'new Worker("a")' }).length, 1);
});
