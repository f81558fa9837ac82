// The carried shape out of the served one: one file, with one inline script and one inline style that
// its policy names by their hashes.

import { createHash } from 'node:crypto';

const POLICY = /(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)/;
const STYLE = '<link rel="stylesheet" href="style.css">';
const SCRIPT = '<script src="app.js" defer></script>\n';

const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function replaced(html, old, put) {
  if (html.split(old).length !== 2) throw new Error(`index.html has not exactly one ${old}`);
  return html.replace(old, () => put);
}

export function carriedFrom(html, css, script) {
  // Either would end the script early, and the browser would hash something else.
  if (/<\/script|<!--|\r/i.test(script) || /<\/style|\r/i.test(css)) {
    throw new Error('The script or the style cannot stand inline');
  }
  const policy = [
    "default-src 'none'", `script-src ${hashOf(script)}`, `style-src ${hashOf(css)}`,
    'img-src data:', 'media-src@MEDIA@', 'worker-src blob:', 'connect-src@CONNECT@',
    "base-uri 'none'", "form-action 'none'",
  ].join('; ');
  const named = html.replace(POLICY, (_, before, after) => before + policy + after);
  const styled = replaced(named, STYLE, `<style>${css}</style>`);
  const still = replaced(styled, SCRIPT, '');
  const filmed = replaced(still, '<video id="film"', '<video id="film"@FILM@');
  // At the end: `defer` is nothing to an inline script, and the document has to be there.
  return replaced(filmed, '</body>', `<script>${script}</script>\n</body>`);
}
