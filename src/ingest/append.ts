// Puts one batch of events into the log: one statement of constant text, prepared once, that claims the ids callers
// supplied, inserts the rows and takes the commit ticket as its last act. When it returns, the batch is durable and has
// its place in the order; events whose id was taken are left out and named.

import { type Prepared, isServerId } from '../events/complete.ts';
import { type InputName, fields, inputNames } from '../events/fields.ts';
import { categoryNames, severityNames } from '../events/vocabulary.ts';
import { quoted } from '../database/arrays.ts';
import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN } from '../database/schema.ts';

/** Where a batch came to stand, and the places of the events that were left out because their id is taken. */
export type Appended = {
  readonly key: string;
  /** Its number in the order of commits; null where every event was left out. */
  readonly seq: number | null;
  readonly number: number;
  readonly createdAt: string;
  readonly taken: readonly number[];
};

/** A batch on its way: the key is made once, so that a retry of a batch which was committed after all is recognised. */
export type Batch = {
  readonly key: string;
  readonly events: readonly Prepared[];
  /** Of each event, the hash of whose it is. */
  readonly owners: readonly string[];
};

type Kind = (typeof fields)[InputName]['kind'];
type Write = (value: never) => string;

// The rows travel as one array per column. Measured here on these tables, batches of 1,000, two writers: arrays 30–33 k
// rows/s, one JSON parameter 21–24 k (json_to_recordset alone took 25 of its 47 ms). COPY can neither leave out
// duplicates nor return rows.
const text: readonly [string, Write] = ['text[]', quoted];
const kinds: Readonly<Record<Kind, readonly [type: string, write: Write]>> = {
  identifier: text,
  text,
  integer: ['int[]', String],
  address: ['inet[]', quoted],
  json: ['jsonb[]', (value) => JSON.stringify(JSON.stringify(value))], // nothing else is to be escaped
  tags: ['text[]', (tags: readonly string[]) => quoted(`{${tags.map(quoted).join(',')}}`)], // arrays of arrays may not differ in length
  time: ['timestamptz[]', quoted],
  code: text,
  category: text,
  severity: text,
  status: text,
};

const column = (name: InputName): string => `"${fields[name].column}"`;
const columns = inputNames.map(column).join(', ');
const parameters = inputNames.map((name, index) => `$${index + 5}::${kinds[fields[name].kind][0]}`);
const unpacked = inputNames.map(
  (name) => column(name) + (fields[name].kind === 'tags' ? '::text[]' : ''),
);

/** A sum in which each value that occurs sets its bit. */
const bits = (of: string, values: readonly string[]): string =>
  values
    .map((value, bit) => `bit_or(CASE ${of} WHEN '${value}' THEN ${1 << bit} ELSE 0 END)`)
    .join(' | ');

const statement = `
WITH batch AS MATERIALIZED (
  SELECT nextval('batch_numbers') AS number, clock_timestamp() AS now
), input AS MATERIALIZED (
  SELECT number * ${BATCH_SPAN} + place - 1 AS id, now, place - 1 AS place, named, echoed, owner, ${unpacked.join(', ')}
  FROM batch, unnest($2::bool[], $3::bool[], $4::text[], ${parameters.join(', ')})
    WITH ORDINALITY AS row(named, echoed, owner, ${columns}, place)
), claimed AS (
  INSERT INTO event_ids (event_id, id, owner)
  SELECT event_id, id, owner FROM input
  WHERE CASE WHEN named AND echoed THEN NOT is_logged(event_id) ELSE named END
  ORDER BY event_id, id -- one order for all, so that two batches with the same ids wait and never deadlock
  ON CONFLICT DO NOTHING RETURNING id
), stored AS (
  INSERT INTO events (id, created_at, updated_at, ${columns})
  SELECT id, now, now, ${columns} FROM input
  WHERE NOT named OR id IN (SELECT id FROM claimed)
  RETURNING severity, event_category, "timestamp"
), total AS MATERIALIZED (
  SELECT count(*) AS size,
         ${bits('severity', severityNames)} AS severities,
         ${bits('event_category', categoryNames)} AS categories,
         min("timestamp") AS earliest, max("timestamp") AS latest
  FROM stored
)
SELECT number, now AS "createdAt",
       ARRAY(SELECT place::int FROM input WHERE named AND id NOT IN (SELECT id FROM claimed)) AS taken,
       CASE WHEN size > 0 THEN take_ticket(number, $1::uuid, size, severities, categories, earliest, latest) END AS seq
FROM batch, total`;

/** Appends a batch; it is committed when this resolves. Rejects with PostgreSQL's error and has then stored nothing. */
export const append = async (sql: Sql, { key, events, owners }: Batch): Promise<Appended> => {
  const rows = inputNames.map((name) => columnText(events, name));
  const named = arrayText(events, (event) => String(event.named));
  const echoed = arrayText(events, (event) =>
    String(event.named && isServerId(event.draft.eventId)),
  );
  const owned = arrayText(events, (event, place) =>
    event.named ? quoted(owners[place]!) : 'NULL',
  );
  const [appended] = await sql.unsafe<[Omit<Appended, 'key'>]>(
    statement,
    [key, named, echoed, owned, ...rows],
    { prepare: true },
  );
  return { key, ...appended };
};

const arrayText = (
  events: readonly Prepared[],
  element: (event: Prepared, place: number) => string,
): string => `{${events.map(element).join(',')}}`;

const columnText = (events: readonly Prepared[], name: InputName): string => {
  const [, write] = kinds[fields[name].kind];
  return arrayText(events, ({ draft }) =>
    draft[name] === null ? 'NULL' : write(draft[name] as never),
  );
};
