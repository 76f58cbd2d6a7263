// The scalars. Each refuses what it is not with BAD_USER_INPUT and says what it wants.

import { type ValueNode, Kind, valueFromASTUntyped } from 'graphql';
import { JejakError } from '../errors.ts';
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
        throw new JejakError(
          'BAD_USER_INPUT',
          `${JSON.stringify(value)?.slice(0, 60)} is no ${name}: ${description}`,
        );
      return result;
    },
  });
};

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
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone &&
      /^[A-Za-z]/.test(text)
      ? text
      : undefined;
  } catch {
    return undefined;
  }
});

builder.scalarType('JSON', {
  description: 'Any JSON value: object, list, text, number, boolean or null.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node: ValueNode, variables) => {
    if (node.kind === Kind.ENUM)
      throw new JejakError('BAD_USER_INPUT', `${node.value} is not JSON; put text in quotes.`);
    return valueFromASTUntyped(node, variables);
  },
});
