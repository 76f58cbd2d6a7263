// The same server, but for one part: every call is an INSERT and a commit of its own. The part is exchanged as the service
// imports it, so that all else is the service's own.

import { registerHooks } from 'node:module';

const standIn = new URL('./commit-per-call/batcher.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.endsWith('/ingest/batcher.ts') && context.parentURL?.endsWith('/src/service.ts')
      ? next(standIn, context)
      : next(specifier, context),
});

await import('./jejak.ts');
