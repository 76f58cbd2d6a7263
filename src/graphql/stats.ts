// Statistics of events, by bucket and by group.

import type { FieldNode, GraphQLResolveInfo } from 'graphql';
import { maySeePersonal } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import { fields } from '../events/fields.ts';
import { MAX_BUCKETS, intervals } from '../query/buckets.ts';
import { namedIn, typeIn } from '../query/named.ts';
import { measures, numberMeasures } from '../database/measures.ts';
import { resolveRange } from '../query/range.ts';
import { percent } from '../query/reports.ts';
import {
  type EventStats as Stats,
  MAX_DIMENSIONS,
  MAX_PATHS,
  MAX_STATS,
  type Wanted,
  bases,
  dimensionNames,
  dimensions,
  eventStats,
} from '../query/stats.ts';
import { createBudget } from './budget.ts';
import { type Context, ask, builder } from './builder.ts';
import { shownTo, types } from './event.ts';
import { EventFilter, TimeRange, askPersonal, asked, keptOf } from './filter.ts';
import { fieldsBelow } from './selection.ts';
import type { About } from './told.ts';
import { enumValues } from './vocabulary.ts';

const StatsInterval = builder.enumType('StatsInterval', {
  description: 'How long a bucket is. It begins where the clocks of `timeZone` say so.',
  values: enumValues(intervals, ({ about }) => about),
});
const EventDimension = builder.enumType('EventDimension', {
  description: 'What events can be grouped by.',
  values: enumValues(dimensions, ({ about }) => about),
});
const StatsBasis = builder.enumType('StatsBasis', {
  description: 'Where figures come from. Events are kept for a time, roll-ups of them for years.',
  values: enumValues(bases, ({ about }) => about),
});

const NumberStats = builder.objectRef<Stats['times']>('NumberStats').implement({
  readers: ['events:read'],
  description:
    'Statistics of the numbers that some events have, in the unit of those numbers; null where no event has one, and where `basis` says that it is not known any more.',
  fields: (t) => {
    const figure = (name: keyof Stats['times'], description: string) =>
      t.float({ nullable: true, description, resolve: (numbers) => numbers[name] });
    return {
      count: figure('count', 'How many events have a number; 0 where none has.'),
      sum: t.float({
        nullable: true,
        description: 'Their sum.',
        resolve: ({ sum, count }) => (count ? sum : null),
      }),
      average: t.float({
        nullable: true,
        description: 'Their mean.',
        resolve: ({ sum, count }) => (count && sum != null ? sum / count : null),
      }),
      minimum: figure('minimum', 'The least.'),
      maximum: figure('maximum', 'The greatest.'),
      p50: figure('p50', 'The median.'),
      p95: figure('p95', 'What 95 of 100 stay under, interpolated.'),
      p99: figure('p99', 'What 99 of 100 stay under, interpolated.'),
    };
  },
});

const share = (part: number | undefined, { count }: Stats['events']): number | null =>
  count === 0 ? null : percent(part ?? 0, count);

/** Whom the question names, and the type of all that it asks about, as far as it says so. */
type Answered = Stats & { readonly named: About; readonly type: string };

const EventStats = builder.objectRef<Answered>('EventStats');
EventStats.implement({
  readers: ['events:read'],
  description:
    'What is known of the events of one group in one bucket. Fields of a dimension that `groupBy` does not name are null.',
  fields: (t) => ({
    start: t.expose('start', {
      type: 'DateTime',
      description: 'When the bucket begins; without `interval`, when the range does.',
    }),
    end: t.expose('end', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the next one begins; without `interval`, when the range ends, null where it is open.',
    }),
    basis: t.expose('basis', {
      type: StatsBasis,
      description: 'Where the figures come from, and whether any are missing.',
    }),
    count: t.float({ description: 'How many events.', resolve: ({ events }) => events.count }),
    errors: t.float({
      description: 'How many of them have the status ERROR.',
      resolve: ({ events }) => events.errors ?? 0,
    }),
    failures: t.float({
      description: 'How many of them are FAILED, ERROR, DENIED or BLOCKED.',
      resolve: ({ events }) => events.failures ?? 0,
    }),
    errorRate: t.float({
      nullable: true,
      description: 'The share of errors in percent, to two decimals; null without events.',
      resolve: ({ events }) => share(events.errors, events),
    }),
    failureRate: t.float({
      nullable: true,
      description: 'The share of failures in percent, to two decimals; null without events.',
      resolve: ({ events }) => share(events.failures, events),
    }),
    distinctUsers: t.float({
      nullable: true,
      description: 'How many different usernames they name; null where `basis` is ROLLUPS.',
      resolve: ({ events }) => events.distinctUsers,
    }),
    firstAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Timestamp of the first; null without events.',
      resolve: ({ events }) => events.firstAt,
    }),
    lastAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Timestamp of the last; null without events.',
      resolve: ({ events }) => events.lastAt,
    }),
    processingTimeMs: t.field({
      type: NumberStats,
      description: 'How long the actions took, in milliseconds, of those that say so.',
      resolve: ({ times }) => times,
    }),
    data: t.field({
      type: NumberStats,
      description: `The numbers at a path into the data of the events, as JSON numbers or as text that is one; whatever else stands there does not count, nor, without the scope events:read_personal, what may be of somebody: numbers of 1,000,000,000 or more, and texts but for scores and shares up to 100 with at most 6 digits behind the point (any of a confidence). More than ${MAX_PATHS} paths are TOO_EXPENSIVE.`,
      args: {
        path: t.arg.string({
          required: true,
          description:
            '`metadata`, `requestData` or `responseData` and keys, such as "responseData.confidence".',
        }),
      },
      resolve: ({ data }, { path }) => data[path] ?? {},
    }),
  }),
});
for (const dimension of dimensionNames) {
  const { name, about } = dimensions[dimension];
  builder.objectField(EventStats, name, (t) =>
    t.field({
      type: (name in fields ? types[fields[name as keyof typeof fields].kind] : 'Int') as 'String',
      nullable: true,
      description: `${about} Null unless grouped by ${dimension}.`,
      resolve: (row, _args, context) => {
        const value = row.group[name] ?? null;
        const whom = name === 'resourceId' ? ofGroup(row) : row.named;
        return (name in fields ? shownTo(context, name, value, whom) : value) as string | null;
      },
    }),
  );
}

/** Whom a group by RESOURCE_ID is about. */
const ofGroup = ({ group: { resourceType, resourceId }, type }: Answered): About =>
  resourceType === null
    ? { about: [] }
    : { about: [{ resourceType: String(resourceType ?? type), resourceId: String(resourceId) }] };

/** The measures behind the fields that need others. */
const behind: Readonly<Record<string, readonly string[]>> = {
  errorRate: ['errors'],
  failureRate: ['failures'],
  average: ['count', 'sum'],
  sum: ['count', 'sum'],
};

/** The names of the measures, of those in a table, that some fields need. */
const measuresFor = <M extends object>(nodes: readonly FieldNode[], table: M): Set<keyof M> => {
  const names = nodes.flatMap(({ name }) => behind[name.value] ?? name.value);
  return new Set(names.filter((name) => name in table)) as unknown as Set<keyof M>;
};

const wantedIn = (info: GraphQLResolveInfo, context: Context, { about }: About): Wanted => {
  const nodes = fieldsBelow(info.fieldNodes, info);
  const numbers = numberMeasures('');
  const below = (field: FieldNode) => measuresFor(fieldsBelow([field], info), numbers);
  const named = (name: string) => nodes.filter((node) => node.name.value === name);
  const data = new Map<string, ReturnType<typeof below>>();
  for (const node of named('data')) {
    const path = pathOf(node, info);
    if (context.mask.isHiddenPath(path.split('.'))) askPersonal(`\`${path}\``, context, about);
    data.set(path, (data.get(path) ?? new Set()).union(below(node)));
  }
  if (data.size > MAX_PATHS)
    throw new JejakError('TOO_EXPENSIVE', `\`data\` takes at most ${MAX_PATHS} paths at a time.`);
  return {
    events: measuresFor(nodes, measures),
    times: new Set(named('processingTimeMs').flatMap((node) => [...below(node)])),
    data,
    masked: !maySeePersonal(context.viewer),
  };
};

/** graphql-jit gives the values of variables as they are, graphql-js beside what they were made of. */
const pathOf = (node: FieldNode, { variableValues }: GraphQLResolveInfo): string => {
  const value = node.arguments?.find(({ name }) => name.value === 'path')?.value;
  if (value?.kind !== 'Variable') return value?.kind === 'StringValue' ? value.value : '';
  const { coerced = variableValues } = variableValues as { coerced?: object };
  return String((coerced as Record<string, unknown>)[value.name.value]);
};

const spendRows = createBudget(MAX_STATS, `All statistics of an operation together have more than ${MAX_STATS.toLocaleString('en')} rows; ask for one after the other.`); // oxfmt-ignore

builder.queryFields((t) => ({
  eventStats: t.field({
    type: [EventStats],
    description: `How many events there were, of which kinds, when, and how long they took: a row per bucket and group, in the order of time, the largest group first. Every group that occurs has a row in every bucket; more than ${MAX_STATS.toLocaleString('en')} rows in an operation, or ${MAX_BUCKETS.toLocaleString('en')} buckets, are TOO_EXPENSIVE.`,
    scope: 'events:read',
    args: {
      filter: t.arg({ type: EventFilter, description: 'Which events; all of them without it.' }),
      range: t.arg({
        type: TimeRange,
        required: true,
        description: 'Over which time, by the timestamp of the events.',
      }),
      interval: t.arg({
        type: StatsInterval,
        description: 'How long a bucket is; without it the range is the only one.',
      }),
      timeZone: t.arg({
        type: 'TimeZone',
        defaultValue: 'UTC',
        description: 'Whose clocks say where a bucket begins.',
      }),
      groupBy: t.arg({
        type: [EventDimension],
        description: `By what events are counted apart; more than ${MAX_DIMENSIONS} are TOO_EXPENSIVE.`,
      }),
    },
    resolve: async (_root, { filter, range, interval, timeZone, groupBy }, context, info) => {
      const now = context.clock();
      const by = [...new Set(groupBy)];
      if (by.length > MAX_DIMENSIONS)
        throw new JejakError(
          'TOO_EXPENSIVE',
          `\`groupBy\` takes at most ${MAX_DIMENSIONS} dimensions at a time.`,
        );
      const meant = asked(filter, context);
      const named: About = { about: namedIn(meant) };
      const type = typeIn(meant);
      const question = {
        filter: meant,
        range: resolveRange(range, now),
        kept: keptOf({ and: filter ? [filter] : null, range }, context, now),
        interval,
        timeZone: timeZone ?? 'UTC',
        groupBy: by,
        wanted: wantedIn(info, context, named),
      };
      const rows = await ask(context, (pool) => eventStats(pool, question, now));
      spendRows(context, rows.length);
      return rows.map((row) => ({ ...row, named, type }));
    },
  }),
}));
