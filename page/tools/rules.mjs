// What the built page must not hold, as tables. Pure: texts in, broken rules out.

const SCRIPT = [
  ['text becomes code', /\beval\s*\(|new Function\b|\bFunction\s*\(\s*["'`]|setTimeout\s*\(\s*["'`]|setInterval\s*\(\s*["'`]/],
  ['text becomes markup', /\.(innerHTML|outerHTML)\s*=|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc/],
  ['code is loaded later', /[^.\w]import\s*\(|importScripts/],
  ['a service worker', /serviceWorker/],
  ['another way to send than fetch', /sendBeacon|XMLHttpRequest|WebSocket|EventSource|RTCPeerConnection|WebTransport/],
  ['WebAssembly', /WebAssembly/],
  ['a source map', /sourceMappingURL/],
  ['weak chance', /Math\.random/],
  ['a message to a console', /console\./],
];
const STYLE = [
  ['an address in a style', /url\(\s*(?!["']?data:)/],
  ['an import', /@import/],
  ['a web font', /@font-face/],
];
const MARKUP = [
  ['a text field that is a form control', /<textarea|<input(?![^>]*type="checkbox")/],
  ['a form', /<form/],
  ['lazy loading', /loading=/],
  ['a handler in markup', /\son\w+\s*=/],
  ['a style in markup', /\sstyle=/],
  ['a frame or plugin', /<(iframe|frame|object|embed)\b/],
  ['a hint that fetches', /<link(?![^>]*rel="(icon|stylesheet)")/],
  ['another origin', /(?:src|href|action|poster|data)\s*=\s*["']?(?:https?:)?\/\//],
  ['a base address', /<base/],
  ['a refresh', /http-equiv="refresh"/i],
];
const GUARDS = ['autocomplete="off"', 'autocapitalize="off"', 'spellcheck="false"', 'translate="no"'];
const DIRECTIVES = [
  'default-src', 'script-src', 'style-src', 'img-src', 'media-src', 'worker-src', 'connect-src',
  'base-uri', 'form-action',
];
/** The only modules that may start a request. */
const ASKS = ['src/files/fetching.ts', 'src/hum/sending.ts'];
const WORKERS = ['src/entry/app.ts', 'src/entry/carried.ts'];

const search = (name, text, rules) =>
  rules.filter(([, pattern]) => pattern.test(text)).map(([rule]) => `${name}: ${rule}`);

const scriptsOf = (html) => Array.from(html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g));
const stylesOf = (html) => Array.from(html.matchAll(/<style([^>]*)>([\s\S]*?)<\/style>/g));
const without = (html) =>
  html.replace(/(<script[^>]*>)[\s\S]*?(<\/script>)/g, '$1$2').replace(/(<style>)[\s\S]*?(<\/style>)/g, '$1$2');

function policyBroken(name, html) {
  const [, text = ''] = html.match(/Content-Security-Policy" content="([^"]*)"/) ?? [];
  const policy = Object.fromEntries(
    text.split(';').map((part) => part.trim().replace('@', ' @').split(/\s+(.*)/)),
  );
  const faults = DIRECTIVES.filter((one) => !(one in policy)).map((one) => `${name}: no ${one}`);
  if (policy['default-src'] !== "'none'") faults.push(`${name}: default-src is not 'none'`);
  if (/unsafe|\*|https?:|blob:|data:/.test(policy['script-src'] ?? '*')) {
    faults.push(`${name}: script-src is too wide`);
  }
  return faults;
}

function shapeBroken(name, html, inline) {
  const scripts = scriptsOf(html);
  const faults = scripts.length === 1 ? [] : [`${name}: not exactly one script`];
  for (const [, attributes, code] of scripts) {
    const named = / src="app\.js"/.test(attributes);
    if (inline ? named || !code : !named || code) faults.push(`${name}: script of the other shape`);
  }
  if (stylesOf(html).length !== Number(inline)) faults.push(`${name}: style of the other shape`);
  const fields = html.match(/<[^>]*role="textbox"(?![^>]*aria-readonly)[^>]*>/g) ?? [];
  for (const field of fields) {
    if (!GUARDS.every((guard) => field.includes(guard))) faults.push(`${name}: an unguarded field`);
  }
  return faults;
}

export function rulesBroken(built, sources) {
  const faults = [];
  for (const [name, text] of Object.entries(built)) {
    if (name.endsWith('.js')) faults.push(...search(name, text, SCRIPT));
    if (name.endsWith('.css')) faults.push(...search(name, text, STYLE));
    if (!name.endsWith('.html')) continue;
    faults.push(...search(name, without(text), MARKUP), ...policyBroken(name, text));
    faults.push(...shapeBroken(name, text, name === 'carried.html'));
    for (const [, , code] of scriptsOf(text)) faults.push(...search(name, code, SCRIPT));
    for (const [, , style] of stylesOf(text)) faults.push(...search(name, style, STYLE));
  }
  for (const [name, text] of Object.entries(sources)) {
    if (/(?<![\w.#])fetch\(/.test(text) && !ASKS.includes(name)) faults.push(`${name}: starts a request`);
    if (/new Worker\(/.test(text) && !WORKERS.includes(name)) faults.push(`${name}: starts a Worker`);
  }
  return faults;
}
