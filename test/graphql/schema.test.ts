import { readFile } from 'node:fs/promises';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { expect, test } from 'vitest';
import { printedSchema, schema } from '../../src/graphql/schema.ts';

test('schema.graphql is what the code says', async () => {
  expect(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8')).toBe(
    printedSchema(),
  );
});

type Described = { description?: string | null | undefined };

const partsOf = (type: GraphQLNamedType): [string, Described][] => {
  const own: [string, Described][] = [[type.name, type]];
  if (isEnumType(type))
    return [
      ...own,
      ...type
        .getValues()
        .map((value): [string, Described] => [`${type.name}.${value.name}`, value]),
    ];
  if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return own;
  for (const field of Object.values(type.getFields())) {
    own.push([`${type.name}.${field.name}`, field]);
    if ('args' in field)
      for (const argument of field.args)
        own.push([`${type.name}.${field.name}(${argument.name})`, argument]);
  }
  return own;
};

test('every type, field, argument and enum value says what it means', () => {
  const published = Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__'),
  );
  const silent = published.flatMap(partsOf).filter(([, { description }]) => !description?.trim());
  expect(silent.map(([name]) => name)).toEqual([]);
});
