// The forms in which events leave in bulk: a line of JSON each; CSV for spreadsheets; Parquet
// for analysis. Columns have the specification's names; `cursor` says where an event stands, to go on after it.

import { stringify } from 'csv-stringify/sync';
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer';
import type { Event, FieldName, Kind } from '../events/fields.ts';
import { fieldNames, fields } from '../events/fields.ts';
import { microsOf } from '../events/time.ts';
import { inZone } from '../events/zone.ts';
import { formatPlace } from '../query/events.ts';

type Pages = AsyncIterable<readonly Event[]>;

export type Format = {
  readonly mediaType: string;
  readonly extension: string;
  /** `resumed` where what comes is put behind what came before. */
  readonly write: (
    pages: Pages,
    how: { readonly timeZone: string; readonly resumed: boolean },
  ) => AsyncIterable<string | Uint8Array>;
};

const columns = [...fieldNames.map((name) => fields[name].column), 'cursor'];

async function* ndjson(pages: Pages, { timeZone }: { timeZone: string }) {
  const local = inZone(timeZone);
  for await (const page of pages) {
    let text = '';
    for (const event of page) {
      const row: Record<string, unknown> = {};
      for (const name of fieldNames) {
        const { column, kind } = fields[name];
        const value = event[name];
        if (value !== null) row[column] = kind === 'time' ? local(value as string) : value;
      }
      row['cursor'] = formatPlace(event);
      text += `${JSON.stringify(row)}\n`;
    }
    yield text;
  }
}

/** What a spreadsheet would take for a formula has an apostrophe before it, and any line end within a cell is quoted. */
const csvOptions = {
  escape_formulas: true,
  record_delimiter: '\r\n',
  quote_record_delimiter: true,
} as const;

async function* csv(pages: Pages, { timeZone, resumed }: { timeZone: string; resumed: boolean }) {
  const local = inZone(timeZone);
  const cell = (event: Event, name: FieldName): unknown => {
    const value = event[name];
    if (value === null) return null;
    const { kind } = fields[name];
    if (kind === 'time') return local(value as string);
    return kind === 'json' || kind === 'tags' ? JSON.stringify(value) : value;
  };
  if (!resumed) yield stringify([columns], csvOptions);
  for await (const page of pages)
    yield stringify(
      page.map((event) => [...fieldNames.map((name) => cell(event, name)), formatPlace(event)]),
      csvOptions,
    );
}

const ROWS_A_GROUP = 5_000;

const parquetTypes: Partial<Record<Kind, object>> = {
  position: { type: 'INT64' },
  integer: { type: 'INT32' },
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON' },
  tags: { type: 'BYTE_ARRAY', converted_type: 'JSON' },
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MICROS' },
};
const parquetText = { type: 'BYTE_ARRAY', converted_type: 'UTF8' };

const parquetSchema = [
  { name: 'event', num_children: columns.length },
  ...fieldNames.map((name) => ({
    name: fields[name].column,
    repetition_type: 'required' in fields[name] ? 'REQUIRED' : 'OPTIONAL',
    ...(parquetTypes[fields[name].kind] ?? parquetText),
  })),
  { name: 'cursor', repetition_type: 'REQUIRED', ...parquetText },
];

const parquetRow = (event: Event): Record<string, unknown> => {
  const row: Record<string, unknown> = { cursor: formatPlace(event) };
  for (const name of fieldNames) {
    const { column, kind } = fields[name];
    const value = event[name];
    if (value === null) row[column] = null;
    else if (kind === 'time') row[column] = microsOf(value as string);
    else row[column] = kind === 'position' ? BigInt(value as number) : value;
  }
  return row;
};

/** The rows are written group by group; what the writer has is handed on before the next one is read. */
async function* parquet(pages: Pages, { timeZone }: { timeZone: string }) {
  const chunks = new TransformStream<Uint8Array, Uint8Array>();
  const out = chunks.writable.getWriter();
  const writer = new ByteWriter();
  const flush = async (): Promise<void> => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    await out.write(bytes);
  };
  const rows = async function* () {
    for await (const page of pages) for (const event of page) yield parquetRow(event);
  };
  const written = Promise.resolve(
    parquetWriteRows({
      writer: Object.assign(writer, { flush, finish: flush }),
      rows: rows(),
      columns: columns.map((name) => ({ name, offsetIndex: false })),
      schema: parquetSchema as never,
      rowGroupSize: ROWS_A_GROUP,
      kvMetadata: [{ key: 'time_zone', value: timeZone }],
      createdBy: 'jejak',
    }),
  ).then(
    () => out.close(),
    (error: unknown) => out.abort(error),
  );
  written.catch(() => {});
  yield* chunks.readable as unknown as AsyncIterable<Uint8Array>;
  await written;
}

export const formats = {
  ndjson: { mediaType: 'application/x-ndjson', extension: 'ndjson', write: ndjson },
  csv: { mediaType: 'text/csv', extension: 'csv', write: csv },
  parquet: { mediaType: 'application/vnd.apache.parquet', extension: 'parquet', write: parquet },
} as const satisfies Record<string, Format>;
