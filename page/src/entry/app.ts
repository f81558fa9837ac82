// app.js of the served shape: its Workers are a neighbouring file.

import { startPage } from '../app.js';

startPage({ worker: () => new Worker('hum.js'), carried: false });
