// The same server, but for one part: what it is sent is stored as it is.

import { registerHooks } from 'node:module';

const standIn = new URL('./unprotected/protect.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.endsWith('/events/protect.ts') && context.parentURL?.endsWith('/src/service.ts')
      ? next(standIn, context)
      : next(specifier, context),
});

await import('./jejak.ts');
