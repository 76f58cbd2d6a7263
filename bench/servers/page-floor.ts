// What node:http and PostgreSQL cost by themselves of a page of 50: the call's JSON is read, one prepared statement is asked and
// its rows are printed as the page, with their cursors. No GraphQL, no key, no retention, nothing masked.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { openDatabase } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { formatPlace } from '../../src/query/events.ts';
import { serveHttp } from '../support/http.ts';
import { type Place, serve } from '../support/serve.ts';

const PAGE = 50;
type Row = { readonly id: number; readonly timestamp: string };
type Asked = { readonly variables: { readonly filter: Record<'category' | 'severity', string[]> } };

serve(async ({ databaseUrl }: Place) => {
  await migrate({ url: databaseUrl });
  const database = openDatabase({ url: databaseUrl });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { variables } = (await json(request)) as Asked;
    const { category, severity } = variables.filter;
    const rows = await database.read<Row[]>`
      SELECT id, event_id AS "eventId", "timestamp", severity, event_category AS category, code, event_name AS name, username, status
      FROM events WHERE event_category = ${category[0]!} AND severity = ${severity[0]!}
      ORDER BY "timestamp" DESC, id DESC LIMIT 51`;
    const edges = rows.slice(0, PAGE).map(({ id, ...node }) => ({ cursor: formatPlace({ id, ...node }), node })); // oxfmt-ignore
    const pageInfo = { hasNextPage: rows.length > PAGE, endCursor: edges.at(-1)?.cursor ?? null };
    const text = JSON.stringify({ data: { events: { edges, pageInfo } } });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }); // oxfmt-ignore
    response.end(text);
  };
  return serveHttp(
    (request, response) => void answer(request, response),
    () => database[Symbol.asyncDispose](),
  );
});
