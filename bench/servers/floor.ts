// What node:http and PostgreSQL cost by themselves: a call's JSON is read, a row that was made before is inserted together with
// those of the calls that came meanwhile, and the call is answered after the commit. No GraphQL, no rules, no ids, no order.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { WRITERS, connect } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { serveHttp } from '../support/http.ts';
import { type Place, serve } from '../support/serve.ts';
import { sampleRows, writers } from '../support/writers.ts';

const ANSWER = '{"stored":"true"}';
const rows = sampleRows(8_192).map(({ draft }) => draft);

serve(async ({ databaseUrl }: Place) => {
  await migrate({ url: databaseUrl });
  const sql = connect({ url: databaseUrl }, { name: 'floor', max: WRITERS });
  let [next, writing] = [0, 0];
  let waiting: (() => void)[] = [];
  const write = async (): Promise<void> => {
    writing++;
    while (waiting.length > 0) {
      const answers = waiting;
      waiting = [];
      await writers.arrays(sql, answers.map(() => rows[next++ % rows.length]!)); // oxfmt-ignore
      for (const answer of answers) answer();
    }
    writing--;
  };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await json(request);
    waiting.push(() => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }); // oxfmt-ignore
      response.end(ANSWER);
    });
    if (writing < WRITERS) setImmediate(() => writing < WRITERS && void write());
  };
  return serveHttp(
    (request, response) => void take(request, response),
    () => sql.end(),
  );
});
