// Whether a credential still holds, for what it opened and what lives on: sockets and streams.

import { refusalOf } from '../database/failures.ts';
import type { Keys } from './keys.ts';

/** How often to look. A revoked key is believed for five seconds more, so what it opened ends within ten. */
export const LOOK_AT_CREDENTIALS_MS = 4_000;

/** Rejects with UNAUTHENTICATED where the credential no longer holds. While that cannot be looked up nobody knows better. */
export const assertHolds = async (
  { authenticate }: Pick<Keys, 'authenticate'>,
  authorization: string | undefined,
): Promise<void> => {
  try {
    await authenticate(authorization);
  } catch (error) {
    if (refusalOf(error)?.code === 'UNAUTHENTICATED') throw error;
  }
};
