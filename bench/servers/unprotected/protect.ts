// In place of the protection: none.

import type { Protection } from '../../../src/events/protect.ts';

export const createProtection = (): Protection => ({
  protect: (source) => ({ source, warnings: [] }),
  storedForms: (_name, value) => [value],
});
