// Retention: an administrator sets how long events are kept, holds what must stay, sees beforehand what would go and afterwards
// what went.

import { and } from 'drizzle-orm';
import { JejakError } from '../errors.ts';
import { type Severity, severityNames } from '../events/vocabulary.ts';
import { MOST_COUNTED, countUpToMost } from '../query/events.ts';
import { filterSql, foundSql } from '../query/filter.ts';
import type { PlannedPartition, RetentionPlan as Plan } from '../retention/plan.ts';
import { type RetentionRun as Run, removedBy } from '../retention/run.ts';
import {
  type Hold as StoredHold,
  MAX_DAYS,
  MAX_HOLDS,
  type Rule,
  isSeverity,
} from '../retention/settings.ts';
import { ask, builder } from './builder.ts';
import { EventFilter, storable } from './filter.ts';
import { DEFAULT_PAGE, MAX_PAGE, pageSize } from './page-size.ts';
import type { Telling } from './told.ts';
import { SeverityEnum } from './vocabulary.ts';

const ADMIN = 'Needs the scope `admin`.';

const RetentionRule = builder.objectRef<Rule>('RetentionRule').implement({
  readers: ['admin'],
  description: 'How long events of a severity or a code are kept, where it was set.',
  fields: (t) => ({
    severity: t.field({
      type: SeverityEnum,
      nullable: true,
      description: 'Whose events; null where it is a code.',
      resolve: ({ target }) => (isSeverity(target) ? target : null),
    }),
    code: t.field({
      type: 'EventCode',
      nullable: true,
      description: 'Whose events, whatever their severity; null where it is a severity.',
      resolve: ({ target }) => (isSeverity(target) ? null : target),
    }),
    days: t.exposeInt('days', { description: 'How many days, counted from their timestamp.' }),
    setAt: t.expose('setAt', { type: 'DateTime', description: 'When it was set.' }),
    setBy: t.exposeString('setBy', { description: 'The name of the key it was set with.' }),
  }),
});

const Hold = builder.objectRef<StoredHold>('Hold').implement({
  readers: ['admin'],
  description: 'Events that are kept whatever their age, until the hold is released.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its number, for `releaseHold`.' }),
    name: t.exposeString('name', { description: 'Its name, such as that of a case.' }),
    reason: t.exposeString('reason', { description: 'Why it was placed.' }),
    filter: t.field({
      type: 'JSON',
      description:
        'Which events, as an EventFilter in terms of what is stored; ranges are fixed to when it was placed.',
      resolve: ({ filter }) => filter,
    }),
    placedAt: t.expose('placedAt', { type: 'DateTime', description: 'When it was placed.' }),
    placedBy: t.exposeString('placedBy', {
      description: 'The name of the key it was placed with.',
    }),
    releasedAt: t.expose('releasedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was released; null while it is in force.',
    }),
    releasedBy: t.exposeString('releasedBy', {
      nullable: true,
      description: 'The name of the key it was released with; null while it is in force.',
    }),
    eventCount: t.float({
      description: `How many events in the log match now, old and new; ${MOST_COUNTED.toLocaleString('en')} where there are more. Counted when it is asked for.`,
      resolve: async ({ filter }, _args, context) => {
        const where = and(filterSql(filter, context.clock()), foundSql(filter));
        return (await ask(context, (question) => countUpToMost(question, where))).count;
      },
    }),
  }),
});

const RetentionPlanPartition = builder
  .objectRef<PlannedPartition>('RetentionPlanPartition')
  .implement({
    readers: ['admin'],
    description: 'Events of one severity and time that are stored together, and go together.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'The table in the database.' }),
      severity: t.expose('severity', {
        type: SeverityEnum,
        description: 'The severity of its events.',
      }),
      from: t.expose('from', { type: 'DateTime', description: 'The first instant it is for.' }),
      to: t.expose('to', { type: 'DateTime', description: 'The first instant it is not for.' }),
      bytes: t.exposeFloat('bytes', { description: 'What it takes on disk, in bytes.' }),
      expired: t.exposeBoolean('expired', {
        description:
          'Whether it is dropped, what is kept of it being put in its place; otherwise single events of it are deleted.',
      }),
      events: t.exposeFloat('events', { description: 'How many events would go.' }),
      kept: t.exposeFloat('kept', { description: 'How many would stay.' }),
      held: t.exposeFloat('held', { description: 'How many of those that stay match a hold.' }),
    }),
  });

const RetentionPlan = builder.objectRef<Plan>('RetentionPlan').implement({
  readers: ['admin'],
  description: 'What a run of retention would remove. Nothing is touched.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it would run.' }),
    events: t.float({
      description: 'How many events would go in all.',
      resolve: ({ partitions }) => partitions.reduce((sum, { events }) => sum + events, 0),
    }),
    partitions: t.field({
      type: [RetentionPlanPartition],
      description: 'From where, the oldest first.',
      resolve: ({ partitions }) => [...partitions],
    }),
  }),
});

type Removed = { readonly severity: Severity; readonly events: number };
const RemovedEvents = builder.objectRef<Removed>('RemovedEvents').implement({
  readers: ['admin'],
  description: 'How many events of a severity were removed.',
  fields: (t) => ({
    severity: t.expose('severity', { type: SeverityEnum, description: 'The severity.' }),
    events: t.exposeFloat('events', { description: 'How many.' }),
  }),
});

const RetentionRun = builder.objectRef<Run>('RetentionRun').implement({
  readers: ['admin'],
  description:
    'One run of retention. Where it removed anything it is told in the log too, as ADMIN-007.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its number.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null while it runs.',
    }),
    events: t.float({ description: 'How many events were removed.', resolve: removedBy }),
    bySeverity: t.field({
      type: [RemovedEvents],
      description: 'How many of each severity, the least first; severities without are left out.',
      resolve: ({ removed }) =>
        severityNames.flatMap((severity) =>
          removed[severity] ? [{ severity, events: removed[severity] }] : [],
        ),
    }),
    kept: t.exposeFloat('kept', {
      description: 'How many events were moved out of partitions that went, to stay.',
    }),
    partitionsDropped: t.exposeInt('partitionsDropped', {
      description: 'How many partitions were dropped.',
    }),
    partitionsMade: t.exposeInt('partitionsMade', {
      description: 'How many partitions were made for events to come.',
    }),
    postponed: t.exposeInt('postponed', {
      description: 'How many partitions were in use all the time and were left to the next run.',
    }),
    bytesFreed: t.exposeFloat('bytesFreed', {
      description:
        'What the dropped partitions took on disk, less what was kept of them, in bytes.',
    }),
    refusedRemoved: t.exposeInt('refusedRemoved', {
      description: 'How many refused events had waited too long in the quarantine.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why it ended early; null where it did not. The next run goes on.',
    }),
  }),
});

builder.queryFields((t) => ({
  retentionPlan: t.field({
    type: RetentionPlan,
    description: `What the next run of retention would remove, counted. ${ADMIN}`,
    scope: 'admin',
    args: {
      at: t.arg({
        type: 'DateTime',
        description:
          'If it ran then, under the rules and holds of today; without it, or where it is past, now.',
      }),
    },
    resolve: (_root, { at }, { retention }) => retention.plan(at ? new Date(at) : undefined),
  }),
  retentionRuns: t.field({
    type: [RetentionRun],
    description: `What retention did, the latest run first. ${ADMIN}`,
    scope: 'admin',
    args: {
      first: t.arg.int({ defaultValue: DEFAULT_PAGE, description: `How many, 1 to ${MAX_PAGE}.` }),
    },
    resolve: (_root, { first }, { retention }) => retention.runs(pageSize(first)),
  }),
  retentionRules: t.field({
    type: [RetentionRule],
    description: `The periods that were set in place of the specification's; \`severities\` and \`eventDefinitions\` say what holds for each. ${ADMIN}`,
    scope: 'admin',
    resolve: (_root, _args, { retention }) => retention.rules(),
  }),
  holds: t.field({
    type: [Hold],
    description: `The holds, the latest first. ${ADMIN}`,
    scope: 'admin',
    args: {
      includeReleased: t.arg.boolean({
        defaultValue: false,
        description: 'Whether those that were released are listed too.',
      }),
    },
    resolve: (_root, { includeReleased }, { retention }) =>
      retention.holds(includeReleased ?? false),
  }),
}));

builder.mutationFields((t) => ({
  setRetention: t.field({
    type: [RetentionRule],
    description: `Sets how long events of a severity, or of a code whatever its severity, are kept; a code's period counts before its severity's. It holds on every server within 5 seconds, for what is logged, shown and removed alike, and is told in the log as ADMIN-005. A shorter period removes at the next run: \`retentionPlan\` says what. Gives the rules that are then set. ${ADMIN}`,
    scope: 'admin',
    extensions: { told: 'byItself' } satisfies Telling,
    args: {
      severity: t.arg({ type: SeverityEnum, description: 'This, or `code`.' }),
      code: t.arg({
        type: 'EventCode',
        description: 'A code of the catalog. ADMIN-007 is kept as long as the longest period.',
      }),
      days: t.arg.int({
        description: `How many days, 1 to ${MAX_DAYS}; null, which must be said, goes back to the specification's period.`,
      }),
    },
    resolve: async (_root, { severity, code, days }, { retention, viewer }) => {
      const target = severity ?? code;
      if (!target || (severity && code))
        throw new JejakError('BAD_USER_INPUT', 'Give a `severity` or a `code`, and not both.');
      if (days === undefined)
        throw new JejakError('BAD_USER_INPUT', 'Say how many `days`; null goes back to the specification’s period.'); // oxfmt-ignore
      await retention.setRule(target, days, viewer!.name);
      return retention.rules();
    },
  }),
  placeHold: t.field({
    type: Hold,
    description: `Keeps events whatever their age, those that come later too, within their period, until the hold is released; past their period they are found by queries and replayed to subscriptions as ever. At most ${MAX_HOLDS} are in force at a time. It is told in the log as ADMIN-005. ${ADMIN}`,
    scope: 'admin',
    extensions: { told: 'byItself' } satisfies Telling,
    args: {
      name: t.arg.string({
        required: true,
        description: 'A name that no other hold in force has; 1 to 100 characters.',
      }),
      reason: t.arg.string({ required: true, description: 'Why; 1 to 2,000 characters.' }),
      filter: t.arg({
        type: EventFilter,
        required: true,
        description: 'Which events; at least one key. A range with `last` is counted from now.',
      }),
    },
    resolve: (_root, { filter, ...hold }, { retention, protection, viewer }) =>
      retention.placeHold({ ...hold, filter: storable(filter, protection) }, viewer!.name),
  }),
  releaseHold: t.field({
    type: Hold,
    description: `Releases a hold; what it alone kept goes at the next run. It is told in the log as ADMIN-005. ${ADMIN}`,
    scope: 'admin',
    extensions: { told: 'byItself' } satisfies Telling,
    args: { id: t.arg.id({ required: true, description: 'Its number.' }) },
    resolve: async (_root, { id }, { retention, viewer }) => {
      const hold = /^\d{1,9}$/.test(id)
        ? await retention.releaseHold(Number(id), viewer!.name)
        : undefined;
      if (!hold)
        throw new JejakError('BAD_USER_INPUT', `There is no hold ${id} in force; \`holds\` lists them.`); // oxfmt-ignore
      return hold;
    },
  }),
  runRetention: t.field({
    type: RetentionRun,
    description: `Runs retention now, and answers when it is done; OVERLOADED while it runs elsewhere, or the roll-ups are counted anew. Who had it run is told in the log as ADMIN-005. ${ADMIN}`,
    scope: 'admin',
    extensions: { told: 'byItself' } satisfies Telling,
    resolve: async (_root, _args, { retention, viewer }) => {
      const run = await retention.run({ now: true, by: viewer!.name });
      if (!run)
        throw new JejakError('OVERLOADED', 'Another server is at it; `retentionRuns` says how far it came.', { retryAfterMs: 5_000 }); // oxfmt-ignore
      return run;
    },
  }),
}));
