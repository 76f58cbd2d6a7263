// The order of what is equal in all else, drawn by lot: by its values it would tell what they are to who sees them masked.

import { hash, randomUUID } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';

const salt = randomUUID();

/** The same for the same text as long as this process lives. */
export const lotOf = (text: string): string => hash('sha1', salt + text);

export const lotSql = (text: SQL): SQL => sql`md5(${salt} || ${text})`;
