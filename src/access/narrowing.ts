// What a viewer is kept within: a filter of a few plain keys, every one of which must hold. It is added to whatever is asked,
// and what is logged must be within it too.

import { z } from 'zod';
import { definitionOf } from '../events/catalog.ts';
import type { Event } from '../events/fields.ts';
import { type Protection, isMarked } from '../events/protect.ts';
import { mendText } from '../events/text.ts';
import { categoryNames, severityNames } from '../events/vocabulary.ts';

const most = 100;
const text = z
  .string()
  .min(1)
  .max(50)
  .refine((value) => mendText(value) === value, 'must be text that can be stored');
const code = z
  .string()
  .refine((value) => definitionOf(value) !== undefined, 'is not in the catalog');
const anyOf = <T extends z.ZodType>(value: T) => {
  const size = `must have 1 to ${most} values`;
  return z.array(value).min(1, size).max(most, size).nullish();
};

export const narrowingSchema = z.strictObject({
  category: anyOf(z.enum(categoryNames)),
  code: anyOf(code),
  severity: anyOf(z.enum(severityNames)),
  resourceType: anyOf(text),
  resourceId: anyOf(text),
});
export type Narrowing = z.output<typeof narrowingSchema>;
export const narrowingKeys = narrowingSchema.keyof().options;

/** The same in terms of what is stored, where the policy hashes what tells resources apart. What it drops looks alike for all of
 * them, and nobody is narrowed to that. */
export const storedNarrowing = (
  narrowing: Narrowing,
  storedForms: Protection['storedForms'],
): Narrowing => {
  const stored = (name: 'resourceType' | 'resourceId') =>
    narrowing[name]?.flatMap((each) => storedForms(name, each).filter((form) => !isMarked(form)));
  return { ...narrowing, resourceType: stored('resourceType'), resourceId: stored('resourceId') };
};

/** Whether an event is within it. */
export const admits = (
  narrowing: Narrowing | undefined,
  event: Pick<Event, keyof Narrowing>,
): boolean =>
  narrowing === undefined ||
  narrowingKeys.every((key) => {
    const wanted: readonly (string | null)[] | null | undefined = narrowing[key];
    return !wanted || wanted.includes(event[key]);
  });
