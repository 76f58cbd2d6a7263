// The secret of the keyed hashes: the operator's, or one that is made once and kept in the database. With another key
// sessions would be told apart that are the same, so another is refused.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { JejakError } from '../errors.ts';
import { type Sql } from './connection.ts';

const proofOf = (key: Uint8Array): Buffer => createHmac('sha256', key).update('jejak').digest();

/** Rejects with UNAVAILABLE where the key is not the one that this database was begun with. */
export const agreeOnHashKey = async (sql: Sql, given: string | undefined): Promise<Buffer> => {
  const key = given === undefined ? randomBytes(32) : Buffer.from(given);
  await sql`
    INSERT INTO hash_key (key, proof) VALUES (${given === undefined ? key : null}, ${proofOf(key)})
    ON CONFLICT DO NOTHING`;
  const [agreed] = await sql<[{ key: Buffer | null; proof: Buffer }]>`
    SELECT key, proof FROM hash_key`;
  if (timingSafeEqual(agreed.proof, proofOf(key))) return key;
  if (given === undefined && agreed.key) return agreed.key;
  throw new JejakError(
    'UNAVAILABLE',
    given === undefined
      ? 'The sessions in this database are hashed with a key that is not kept in it: set JEJAK_HASH_KEY to that key.'
      : `JEJAK_HASH_KEY is not the key that the sessions in this database are hashed with: ${agreed.key ? 'leave it out, the key is in the database' : 'set it to that key'}.`,
  );
};
