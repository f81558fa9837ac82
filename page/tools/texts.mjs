// The page's texts, out of the catalogues that Python's tools read too
// (../src/wallflower/campaign/locale/<language>/LC_MESSAGES/page.po). `spoken` are those that the
// script says, and those of the parts that are nothing without script (`data-say`); the others stand
// in index.html, in every language at once. A campaign's own texts are no part of this: where they go,
// index.html has marks (`@TEXT ru@`) that `wallflower campaign build` fills. So switching asks nobody for
// anything. A catalogue that is not whole stops the build.

import { readFileSync } from 'node:fs';
import { po } from 'gettext-parser';

const folder = new URL('../../src/wallflower/campaign/locale/', import.meta.url);
const SOURCE = 'en';

export const LANGUAGES = [
  { code: 'en', locale: 'en', self: 'English', all: 'Language', dir: 'ltr', script: 'Latin' },
  { code: 'zh-Hans', locale: 'zh_Hans', self: '简体中文', all: '语言', dir: 'ltr', script: 'Han' },
  { code: 'fa', locale: 'fa', self: 'فارسی', all: 'زبان', dir: 'rtl', script: 'Arabic' },
  { code: 'ru', locale: 'ru', self: 'Русский', all: 'Язык', dir: 'ltr', script: 'Cyrillic' },
  { code: 'es', locale: 'es', self: 'Español', all: 'Idioma', dir: 'ltr', script: 'Latin' },
];

/** Words of another script that may stand in a text, by language; anything else is taken for a text
 * that was left untranslated. */
const FOREIGN = { en: [], 'zh-Hans': ['Cookie', 'kB', 'MB', 'Esc'], fa: ['Esc'], ru: ['Esc'], es: [] };
/** Texts that may be the same as the English ones. */
const SAME = {};

/** What is wrong with one catalogue, measured against the English one; no entry, no fault. */
export function faultsOf(code, catalogue, english) {
  const { script } = LANGUAGES.find((one) => one.code === code);
  const others = LANGUAGES.map((one) => one.script).filter((one) => one !== script);
  const foreign = new RegExp(others.map((one) => `\\p{Script=${one}}`).join('|'), 'u');
  const listed = new RegExp(FOREIGN[code].map((word) => `\\b${word}\\b`).join('|') || '$^', 'g');
  const places = (text) => (text.match(/\{\w+\}|\*\*/g) ?? []).sort().join(' ');
  const faults = [];
  for (const [key, source] of Object.entries(english)) {
    const text = catalogue[key];
    if (!text?.trim()) faults.push(`${key}: missing, fuzzy, or of another English text`);
    else if (places(text) !== places(source)) faults.push(`${key}: other places to fill in`);
    else if (foreign.test(text.replace(/\{\w+\}/g, '').replace(listed, ''))) {
      faults.push(`${key}: holds another language's script`);
    } else if (code !== SOURCE && text === source && !SAME[code]?.includes(key)) {
      faults.push(`${key}: left in English`);
    }
  }
  return faults;
}

/** A catalogue's texts by their place, without the fuzzy ones and those of an older English text. */
function read({ code, locale }, english) {
  const file = readFileSync(new URL(`${locale}/LC_MESSAGES/page.po`, folder));
  const { headers, translations } = po.parse(file, { validation: true });
  const found = {};
  for (const [key, messages] of Object.entries(translations)) {
    if (!key) continue;
    const [message, ...more] = Object.values(messages);
    if (more.length) throw new Error(`${locale}/page.po has "${key}" twice`);
    if (message.comments?.flag?.includes('fuzzy')) continue;
    if (english && english[key] !== message.msgid) continue;
    found[key] = code === SOURCE ? message.msgid : message.msgstr[0];
  }
  const extra = english ? Object.keys(found).filter((key) => !(key in english)) : [];
  if (extra.length) throw new Error(`${locale}/page.po has texts of nobody: ${extra}`);
  return { texts: found, reviewed: headers['X-Reviewed'] === 'yes' };
}

const source = read(LANGUAGES[0], null);
const catalogues = new Map(
  LANGUAGES.map((one) => [one.code, one.code === SOURCE ? source : read(one, source.texts)]),
);
for (const [code, { texts }] of catalogues) {
  const faults = faultsOf(code, texts, source.texts);
  if (faults.length) throw new Error(`The ${code} texts are not whole:\n  ${faults.join('\n  ')}`);
}

export const texts = Object.fromEntries([...catalogues].map(([code, one]) => [code, one.texts]));
export const unreviewed = [...catalogues].filter(([, one]) => !one.reviewed).map(([code]) => code);

const said = readFileSync(new URL('../src/index.html', import.meta.url), 'utf8');
const inScript = new Set(Array.from(said.matchAll(/data-say="(.+?)"/g), ([, key]) => key));
const unknown = [...inScript].filter((key) => !(key in source.texts));
if (unknown.length) throw new Error(`index.html says what no catalogue has: ${unknown}`);
const sayings = Object.keys(source.texts).filter(
  (key) => key.startsWith('say.') || inScript.has(key),
);
const spoken = Object.fromEntries(
  [...catalogues].map(([code, one]) => [
    code,
    Object.fromEntries(sayings.map((key) => [key, one.texts[key]])),
  ]),
);

/** The types of `spoken`; a test compares them with the file that lies there. */
export const spokenTypes = `// Made by \`npm run texts\` out of the catalogues.
declare module 'spoken' {
  export type Saying =
${sayings.map((key) => `    | '${key}'`).join('\n')};
  const spoken: { readonly [code: string]: { readonly [saying: string]: string } };
  export default spoken;
}
`;

/** Lets scripts import 'spoken' without carrying the texts that stand in the page already. */
export const spokenTexts = {
  name: 'spoken',
  setup(build) {
    build.onResolve({ filter: /^spoken$/ }, () => ({ path: 'spoken', namespace: 'spoken' }));
    build.onLoad({ filter: /.*/, namespace: 'spoken' }, () => ({
      contents: JSON.stringify(spoken),
      loader: 'json',
    }));
  },
};

const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);

const marked = (text) => escaped(text).replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>');

function text(code, key) {
  const found = texts[code][key];
  if (found === undefined) throw new Error(`page.po of ${code} has no "${key}"`);
  return found;
}

const inOne = (html, language) =>
  html.replace(/\[\[(.+?)\]\]/g, (_, key) => {
    if (key === '@all') return LANGUAGES.map(({ all }) => all).join(' / ');
    if (/^@[A-Z]/.test(key)) return `${key} ${language.code}@`;
    return key.startsWith('@') ? language[key.slice(1)] : marked(text(language.code, key));
  });

/** A part that the build keeps only in a campaign that has the language (`in`), or where its texts
 * are `unreviewed` or `outdated`. */
const kept = (when, code, part) => `<!--${when} ${code}-->${part}<!--/${when} ${code}-->`;

const inAll = (key, when = () => 'in') =>
  LANGUAGES.map(({ code, dir }) => {
    const direction = dir === 'ltr' ? '' : ` dir="${dir}"`;
    const said = key.startsWith('@') ? `${key} ${code}@` : marked(text(code, key));
    return kept(when(code), code, `<span lang="${code}"${direction}>${said}</span>`);
  }).join('');

/**
 * index.html with its texts: a part between `<!--languages-->` once a language, `{{key}}` in all
 * languages side by side, `[[key]]` in one (outside of such a part: the first), `{{?unreviewed}}` in
 * those whose texts no reader has checked, the page's or the campaign's, `{{?outdated}}` in those
 * whose campaign's text is older than its source. `@NAME` becomes the mark `@NAME ru@`.
 */
export function withTexts(html) {
  const checked = (code) => (unreviewed.includes(code) ? 'in' : 'unreviewed');
  return html
    .replace(/<!--languages-->([\s\S]*?)<!--\/languages-->/g, (_, part) =>
      LANGUAGES.map((language) => kept('in', language.code, inOne(part, language))).join(''),
    )
    .replaceAll('{{?unreviewed}}', () => inAll('foot.unreviewed', checked))
    .replaceAll('{{?outdated}}', () => inAll('foot.outdated', () => 'outdated'))
    .replace(/\{\{(.+?)\}\}/g, (_, key) => inAll(key))
    .replace(/\[\[.+?\]\]/g, (mark) => inOne(mark, LANGUAGES[0]));
}
