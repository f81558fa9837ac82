// A QR picture of a piece of text, drawn as one path. No image is fetched or made by the browser.

import encodeQR from 'qr';

import { find } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const QUIET = 4; // light modules around it, which readers need

export function drawCode(id: string, text: string): void {
  const rows = encodeQR(text, 'raw', { ecc: 'low', border: QUIET });
  const path = rows
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  const size = String(rows.length);
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
  picture.setAttribute('shape-rendering', 'crispEdges');
  const ground = document.createElementNS(SVG, 'path');
  ground.setAttribute('class', 'light');
  ground.setAttribute('d', `M0 0h${size}v${size}h-${size}z`);
  const dark = document.createElementNS(SVG, 'path');
  dark.setAttribute('d', path);
  picture.append(ground, dark);
  find(id, HTMLElement).replaceChildren(picture);
}
