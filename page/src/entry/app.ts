// app.js of the served shape: its Workers are neighbouring files.

import { startPage } from '../app.js';

startPage({ worker: (name) => new Worker(`${name}.js`), carried: false });
