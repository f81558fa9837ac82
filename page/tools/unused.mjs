// Leaves out of a bundle what the library of post-quantum suites makes as it is loaded, and nobody here
// uses: it marks nearly all of its suites as free to leave out, and these alone would keep curves in
// the page that it never computes on, a third of what a Worker loads.

import { readFileSync } from 'node:fs';

const MADE = /(?<=[=,] )(?=(?:QSF|createKitchenSink|ecdhKem)\()/g;

function marked(path) {
  const text = readFileSync(path, 'utf8');
  const free = text.replace(MADE, '/* @__PURE__ */ ');
  if (free === text) throw new Error(`${path} makes no suite any more that could be left out`);
  return free;
}

export const unusedSuites = {
  name: 'unused suites',
  setup(build) {
    const filter = /[\\/]post-quantum[\\/]hybrid\.js$/;
    build.onLoad({ filter }, ({ path }) => ({ contents: marked(path) }));
  },
};
