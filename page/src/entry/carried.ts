// The one script of the carried shape. The same bytes are the page and, out of a blob, its Workers:
// from `file:` neither a Worker nor a fetch of a neighbouring file is allowed.

import { startPage } from '../app.js';
import { startWorker } from '../hum.js';
import { startSealing } from '../sealing.js';

if (typeof document === 'undefined') {
  startSealing();
  startWorker();
} else {
  const source = new Blob([document.currentScript?.textContent ?? ''], { type: 'text/javascript' });
  const address = URL.createObjectURL(source);
  startPage({ worker: () => new Worker(address), carried: true });
}
