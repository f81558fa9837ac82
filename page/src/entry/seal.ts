// seal.js of the served shape: what seals, in a Worker of its own.

import { startSealing } from '../sealing.js';

startSealing();
