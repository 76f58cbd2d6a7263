// Arrays of PostgreSQL. postgres.js 3.4.9 asks each new connection which types they have, and where that question fails, as one that
// is cancelled or behind a lock, goes on without: lists came as texts then, scopes of keys among them. The numbers of built-in types
// never change, so it is told. (With its `fetch_types` off, `reserve` is never answered.)

import { parse } from 'postgres-array';
import type { Sql } from './connection.ts';

/** The number of a type, and that of its array. */
// oxfmt-ignore
const arrayTypes: readonly (readonly [element: number, array: number])[] = [
  [16, 1000], // boolean
  [17, 1001], // bytea
  [18, 1002], // "char"
  [19, 1003], // name
  [20, 1016], // bigint
  [21, 1005], // smallint
  [23, 1007], // integer
  [25, 1009], // text
  [26, 1028], // oid
  [114, 199], // json
  [650, 651], // cidr
  [700, 1021], // real
  [701, 1022], // double precision
  [869, 1041], // inet
  [1042, 1014], // character
  [1043, 1015], // character varying
  [1082, 1182], // date
  [1114, 1115], // timestamp
  [1184, 1185], // timestamptz
  [1700, 1231], // numeric
  [2205, 2210], // regclass
  [2950, 2951], // uuid
  [3802, 3807], // jsonb
];

type Options = {
  readonly parsers: Record<number, (text: string) => unknown>;
  readonly serializers: Record<number, (value: never) => unknown>;
  readonly shared: { readonly typeArrayMap: Record<number, number> };
};

/** Has a client read and write arrays as it does their elements. */
export const tellArrays = (sql: Sql): void => {
  const { parsers, serializers, shared } = sql.options as unknown as Options;
  for (const [element, array] of arrayTypes) {
    const [read, write] = [parsers[element], serializers[element]];
    parsers[array] = (text) => (read ? parse(text, read) : parse(text));
    serializers[array] = (value: unknown) =>
      Array.isArray(value) ? literalOf(value, (item) => String(write ? write(item) : item)) : value;
    shared.typeArrayMap[element] = array;
  }
};

const literalOf = (items: readonly unknown[], write: (item: never) => string): string =>
  `{${items.map((item) => (Array.isArray(item) ? literalOf(item, write) : item == null ? 'NULL' : quoted(write(item as never)))).join(',')}}`;

const special = /["\\]/g;
/** A text as an element of an array. */
export const quoted = (text: string): string =>
  `"${text.includes('"') || text.includes('\\') ? text.replace(special, String.raw`\$&`) : text}"`;
