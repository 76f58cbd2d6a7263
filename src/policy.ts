// The operator's part of the privacy policy: a JSON file, checked to the letter so that a misspelt rule is not taken for a
// protection.

import { z } from 'zod';
import { readSettings } from './config.ts';
import { type InputName, fields, inputNames } from './events/fields.ts';
import { type PolicyChanges, type Rule, type RuleName, actions, rules } from './events/privacy.ts';

const action = z.enum(actions);

/** Texts can be anything that fits them; of the others only what the column can hold, and be counted by. */
const ofField = (name: InputName) => {
  const { kind, ...field } = fields[name];
  if (kind === 'tags' || (kind === 'text' && 'required' in field)) return z.enum(['keep', 'mask']);
  if (kind === 'text') return action;
  return kind === 'integer' || kind === 'address' ? z.enum(['keep', 'mask', 'drop']) : undefined;
};
const ofRule = (rule: Rule) => (rule.always ? z.literal(rule.action) : action);

const partly = <S extends z.ZodType>(entries: readonly (readonly [string, S | undefined])[]) =>
  z.strictObject(
    Object.fromEntries(entries.flatMap(([name, schema]) => (schema ? [[name, schema.optional()]] : []))), // oxfmt-ignore
  );

const schema = z.strictObject({
  fields: partly(inputNames.map((name) => [name, ofField(name)] as const)).optional(),
  rules: partly(
    Object.entries(rules).map(([name, rule]) => [name as RuleName, ofRule(rule)] as const),
  ).optional(),
  keys: z.record(z.string().regex(/^=?[\p{L}\p{N}_*-]+(\.=?[\p{L}\p{N}_*-]+)*$/u), action).optional(), // oxfmt-ignore
});

export const readPolicy = (path: string): Promise<PolicyChanges> =>
  readSettings('JEJAK_PRIVACY_POLICY', path, schema);
