/** A process that runs retention once, at a moment that it is told, to be killed at it. */
import { connect } from '../../src/database/connection.ts';
import { retention } from '../../src/database/locks.ts';
import { runRetention } from '../../src/retention/run.ts';

const [url = '', at = ''] = process.argv.slice(2);
const sql = connect({ url }, { name: 'victim', max: 1 });
await sql`SELECT pg_advisory_lock(${retention})`;
await runRetention(sql, () => new Date(at), new AbortController().signal);
await sql.end();
