// The same server, but for one part: every call is an INSERT and a commit of its own.

import { exchange } from '../support/exchange.ts';

exchange('/ingest/batcher.ts', new URL('./commit-per-call/batcher.ts', import.meta.url));
await import('./jejak.ts');
