// The service with one part exchanged for another as it imports it, so that all else is the service's own.

import { registerHooks } from 'node:module';

/** `part` is the end of the module's address; from here on the service that is imported gets `standIn` in its place. */
export const exchange = (part: string, standIn: URL): void =>
  void registerHooks({
    resolve: (specifier, context, next) =>
      specifier.endsWith(part) && context.parentURL?.endsWith('/src/service.ts')
        ? next(standIn.href, context)
        : next(specifier, context),
  });
