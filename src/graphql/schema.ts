// The schema, put together from the files that each define a part of it.

import { printSchema } from 'graphql';
import { builder } from './builder.ts';
import { enforce, rulesOf } from './rules.ts';
import { tellActs } from './told.ts';
import './scalars.ts';
import './vocabulary.ts';
import './events.ts';
import './reports.ts';
import './stats.ts';
import './trail.ts';
import './log-event.ts';
import './quarantine.ts';
import './retention.ts';
import './drift.ts';
import './subscriptions.ts';
import './keys.ts';

export const schema = builder.toSchema({ sortSchema: false });

/** Who may ask what; without a rule for everything there is no schema. */
export const rules = rulesOf(schema);
tellActs(schema, rules);
enforce(schema, rules); // before all else

/** The text of schema.graphql. */
export const printedSchema = (): string => `${printSchema(schema)}\n`;
