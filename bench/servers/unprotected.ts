// The same server, but for one part: what it is sent is stored as it is.

import { exchange } from '../support/exchange.ts';

exchange('/events/protect.ts', new URL('./unprotected/protect.ts', import.meta.url));
await import('./jejak.ts');
