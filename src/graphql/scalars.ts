// The scalars. Each refuses what it is not with BAD_USER_INPUT and says what it wants.

import { type ConstValueNode, type ValueNode, GraphQLFloat, Kind } from 'graphql';
import { JejakError } from '../errors.ts';
import { WrittenNumber, numberOf } from '../events/number.ts';
import { parseInstant, subtractDuration } from '../events/time.ts';
import { builder } from './builder.ts';

type Text = 'DateTime' | 'Duration' | 'EventCode' | 'TimeZone';

const textScalar = (
  name: Text,
  description: string,
  read: (text: string) => string | undefined,
): void => {
  builder.scalarType(name, {
    description,
    serialize: (value) => value,
    parseValue: (value) => {
      const result = typeof value === 'string' ? read(value) : undefined;
      if (result === undefined)
        throw new JejakError('BAD_USER_INPUT', `${shown(value)} is no ${name}: ${description}`);
      return result;
    },
  });
};

/** A list or an object may be nested too deeply to be printed. */
const shown = (value: unknown): string =>
  value !== null && typeof value === 'object' && !(value instanceof WrittenNumber)
    ? `A ${Array.isArray(value) ? 'list' : 'object'}`
    : (JSON.stringify(value) ?? 'undefined').slice(0, 60);

textScalar(
  'DateTime',
  'ISO 8601 date and time with an offset, such as 2025-06-19T14:30:52.123+07:00; kept to the microsecond and given back in UTC.',
  (text) => {
    const instant = parseInstant(text);
    return instant?.zoned ? instant.text : undefined;
  },
);
textScalar('Duration', 'ISO 8601 duration, such as PT24H or P7D.', (text) =>
  subtractDuration(new Date(), text) ? text : undefined,
);
textScalar('EventCode', 'Code of a catalogued event, such as AUTH-001.', (text) =>
  /^[A-Z]+-\d{3}$/.test(text) ? text : undefined,
);
textScalar('TimeZone', 'IANA time zone, such as Asia/Jakarta.', (text) => {
  try {
    // The full name: abbreviations such as IST mean one zone here and another to PostgreSQL.
    return /^[A-Za-z]/.test(text)
      ? new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
      : undefined;
  } catch {
    return undefined;
  }
});

/** The double that is nearest to a number as it was written. */
const nearest = (written: string): number => {
  const number = Number(written);
  if (Number.isFinite(number)) return number;
  throw new JejakError(
    'BAD_USER_INPUT',
    `${written.slice(0, 60)} is no Float: none is beyond 1.8e308 either way.`,
  );
};

// A variable may have as many digits as a literal. Pothos knows no Float but that of graphql-js, so that one is told.
const { coerceInputValue, coerceInputLiteral } = GraphQLFloat.toConfig();
const readFloat = (value: unknown): number =>
  value instanceof WrittenNumber ? nearest(value.text) : coerceInputValue(value);
Object.assign(GraphQLFloat, {
  parseValue: readFloat,
  coerceInputValue: readFloat,
  coerceInputLiteral: (node: ConstValueNode) =>
    node.kind === Kind.INT || node.kind === Kind.FLOAT
      ? nearest(node.value)
      : coerceInputLiteral!(node),
});

builder.scalarType('JSON', {
  description: 'Any JSON value: object, list, text, number, boolean or null.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node: ValueNode, variables) => jsonOf(node, variables ?? {}),
});

const jsonOf = (node: ValueNode, variables: Record<string, unknown>): unknown => {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return numberOf(node.value);
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.VARIABLE:
      return variables[node.name.value];
    case Kind.LIST:
      return node.values.map((value) => jsonOf(value, variables) ?? null);
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields
          .map(({ name, value }) => [name.value, jsonOf(value, variables)])
          .filter(([, value]) => value !== undefined),
      );
    default:
      throw new JejakError('BAD_USER_INPUT', `${node.value} is not JSON; put text in quotes.`);
  }
};
