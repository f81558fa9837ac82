// The page's texts: one flat file a language. `spoken` are those that the script says; all others
// stand in index.html, in every language at once, so that switching asks nobody for anything.

import { readFileSync } from 'node:fs';

const folder = new URL('../texts/', import.meta.url);

export const LANGUAGES = [
  { code: 'en', self: 'English' },
  { code: 'zh-Hans', self: '简体中文' },
];

export const texts = Object.fromEntries(
  LANGUAGES.map(({ code }) => [code, JSON.parse(readFileSync(new URL(`${code}.json`, folder)))]),
);

const spoken = Object.fromEntries(
  Object.entries(texts).map(([code, all]) => [
    code,
    Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith('say.'))),
  ]),
);

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
  if (found === undefined) throw new Error(`texts/${code}.json has no "${key}"`);
  return found;
}

const inOne = (html, { code, self }) =>
  html.replace(/\[\[(.+?)\]\]/g, (_, key) =>
    key === '@code' ? code : key === '@self' ? self : marked(text(code, key)),
  );

const inAll = (key) =>
  LANGUAGES.map(({ code }) => `<span lang="${code}">${marked(text(code, key))}</span>`).join('');

/**
 * index.html with its texts: a part between `<!--languages-->` once a language, `{{key}}` in all
 * languages side by side, `[[key]]` in one (outside of such a part: the first).
 */
export function withTexts(html) {
  return html
    .replace(/<!--languages-->([\s\S]*?)<!--\/languages-->/g, (_, part) =>
      LANGUAGES.map((language) => inOne(part, language)).join(''),
    )
    .replace(/\{\{(.+?)\}\}/g, (_, key) => inAll(key))
    .replace(/\[\[.+?\]\]/g, (mark) => inOne(mark, LANGUAGES[0]));
}
