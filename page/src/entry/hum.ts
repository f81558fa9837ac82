// hum.js of the served shape: what runs in its Workers.

import { startWorker } from '../hum.js';

startWorker();
