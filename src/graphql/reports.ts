// The specification's monitoring reports 2 to 6. Report 1, `recentCriticalEvents`, is a page of events.

import { type TimeRange as Range, resolveRange } from '../query/range.ts';
import * as reports from '../query/reports.ts';
import { seenBy } from '../query/seen.ts';
import { type Context, ask, builder } from './builder.ts';
import { shownTo } from './event.ts';
import { DAY, TimeRange, keptOf } from './filter.ts';
import { fieldsBelow } from './selection.ts';

type RowOf<R extends (...args: never[]) => PromiseLike<readonly unknown[]>> = Awaited<
  ReturnType<R>
>[number];

const UserActivity = builder
  .objectRef<RowOf<typeof reports.userActivity>>('UserActivity')
  .implement({
    readers: ['events:read'],
    description: 'How much one user did.',
    fields: (t) => ({
      username: t.string({
        resolve: (row, _args, context) => shownTo(context, 'username', row.username),
        nullable: true,
        description: 'The user; null for all that was done without one.',
      }),
      userId: t.int({
        resolve: (row, _args, context) => shownTo(context, 'userId', row.userId),
        nullable: true,
        description: 'The number of the user; the highest where one name had several.',
      }),
      eventCount: t.exposeInt('eventCount', { description: 'How many events.' }),
      lastActivity: t.expose('lastActivity', {
        type: 'DateTime',
        description: 'Timestamp of the latest.',
      }),
    }),
  });

const EndpointErrorRate = builder
  .objectRef<RowOf<typeof reports.endpointErrorRates>>('EndpointErrorRate')
  .implement({
    readers: ['events:read'],
    description: 'How often requests to one endpoint went wrong.',
    fields: (t) => ({
      endpoint: t.string({
        resolve: (row, _args, context) => shownTo(context, 'endpoint', row.endpoint),
        description: 'The endpoint.',
      }),
      totalRequests: t.exposeInt('totalRequests', { description: 'How many events name it.' }),
      errorCount: t.exposeInt('errorCount', {
        description: 'How many of them have the status ERROR.',
      }),
      errorRate: t.exposeFloat('errorRate', {
        description: 'The share of status ERROR in percent, to two decimals.',
      }),
      failureRate: t.exposeFloat('failureRate', {
        description: 'The share of FAILED, ERROR, DENIED and BLOCKED in percent, to two decimals.',
      }),
    }),
  });

const SecuritySummary = builder
  .objectRef<RowOf<typeof reports.securitySummary>>('SecuritySummary')
  .implement({
    readers: ['events:read'],
    description: 'How often one kind of security event occurred.',
    fields: (t) => ({
      type: t.string({
        resolve: (row, _args, context) => shownTo(context, 'type', row.type),
        description: 'The family of the events.',
      }),
      code: t.expose('code', {
        type: 'EventCode',
        nullable: true,
        description: 'Their code; null for uncatalogued ones.',
      }),
      count: t.exposeInt('count', { description: 'How many.' }),
      latest: t.expose('latest', { type: 'DateTime', description: 'Timestamp of the latest.' }),
    }),
  });

const ModelPerformance = builder
  .objectRef<RowOf<typeof reports.modelPerformance>>('ModelPerformance')
  .implement({
    readers: ['events:read'],
    description: 'How sure individual predictions were in one hour.',
    fields: (t) => ({
      hour: t.expose('hour', { type: 'DateTime', description: 'When the hour begins.' }),
      averageConfidence: t.exposeFloat('averageConfidence', {
        nullable: true,
        description:
          'The average of `responseData.confidence`, in percent; null where no prediction had one.',
      }),
      predictionCount: t.exposeInt('predictionCount', {
        description: 'How many successful individual predictions; 0 for an hour without.',
      }),
    }),
  });

const SystemPerformance = builder
  .objectRef<RowOf<typeof reports.systemPerformance>>('SystemPerformance')
  .implement({
    readers: ['events:read'],
    description: 'How long the actions of one event name took, in milliseconds.',
    fields: (t) => ({
      name: t.string({
        resolve: (row, _args, context) => shownTo(context, 'name', row.name),
        description: 'The name of the events.',
      }),
      averageMs: t.exposeFloat('averageMs', { description: 'The average.' }),
      maxMs: t.exposeInt('maxMs', { description: 'The longest.' }),
      p50Ms: t.exposeFloat('p50Ms', { description: 'The median.' }),
      p95Ms: t.exposeFloat('p95Ms', { description: 'What 95 of 100 stayed under.' }),
      p99Ms: t.exposeFloat('p99Ms', { description: 'What 99 of 100 stayed under.' }),
      requestCount: t.exposeInt('requestCount', {
        description: 'How many events name a processing time.',
      }),
    }),
  });

const spanOf = (range: Range, context: Context): reports.Span => {
  const now = context.clock();
  const seen = seenBy(context.viewer, null);
  return { range: resolveRange(range, now), seen, kept: keptOf({ range }, context, now), now };
};

const HOUR = { last: 'PT1H' };

builder.queryFields((t) => {
  const rangeOf = (defaultValue: { last: string }) =>
    t.arg({
      type: TimeRange,
      defaultValue,
      description: 'Over which time, by the timestamp of the events.',
    });
  return {
    userActivity: t.field({
      type: [UserActivity],
      description: 'Report 2: events by user, the most active first.',
      scope: 'events:read',
      args: {
        range: rangeOf(DAY),
        includeAnonymous: t.arg.boolean({
          defaultValue: false,
          description: 'Whether what was done without a username is a row too.',
        }),
      },
      resolve: (_root, { range, includeAnonymous }, context) =>
        ask(context, (question) =>
          reports.userActivity(question, spanOf(range ?? DAY, context), includeAnonymous ?? false),
        ),
    }),
    endpointErrorRates: t.field({
      type: [EndpointErrorRate],
      description: 'Report 3: error rates by endpoint, the worst first.',
      scope: 'events:read',
      args: {
        range: rangeOf(HOUR),
        moreThan: t.arg.int({
          defaultValue: 10,
          description: 'Only endpoints with more requests than this.',
        }),
      },
      resolve: (_root, { range, moreThan }, context) =>
        ask(context, (question) =>
          reports.endpointErrorRates(question, spanOf(range ?? HOUR, context), moreThan ?? 10),
        ),
    }),
    securitySummary: t.field({
      type: [SecuritySummary],
      description:
        'Report 4: security events by type and code, the most frequent first; of those that are kept, as all reports. `eventStats` tells of older ones what roll-ups know.',
      scope: 'events:read',
      args: {
        range: rangeOf(DAY),
        includeRelated: t.arg.boolean({
          defaultValue: false,
          description:
            'Whether the security-relevant codes of other categories, such as AUTH-005, count too.',
        }),
      },
      resolve: (_root, { range, includeRelated }, context) =>
        ask(context, (question) =>
          reports.securitySummary(question, spanOf(range ?? DAY, context), includeRelated ?? false),
        ),
    }),
    modelPerformance: t.field({
      type: [ModelPerformance],
      description: `Report 5: successful individual predictions by the hour, the latest first, empty hours included; more than ${reports.MOST_DAYS} days are TOO_EXPENSIVE; of the events that are kept.`,
      scope: 'events:read',
      args: {
        range: rangeOf(DAY),
        timeZone: t.arg({ type: 'TimeZone', defaultValue: 'UTC', description: 'Whose hours.' }),
      },
      resolve: (_root, { range, timeZone }, context) =>
        ask(context, (question) =>
          reports.modelPerformance(question, spanOf(range ?? DAY, context), timeZone ?? 'UTC'),
        ),
    }),
    systemPerformance: t.field({
      type: [SystemPerformance],
      description: 'Report 6: processing times by event name, the slowest on average first.',
      scope: 'events:read',
      args: { range: rangeOf(HOUR) },
      resolve: (_root, { range }, context, info) => {
        const names = new Set(fieldsBelow(info.fieldNodes, info).map(({ name }) => name.value));
        const percentiles = (['p50', 'p95', 'p99'] as const).filter((each) =>
          names.has(`${each}Ms`),
        );
        return ask(context, (question) =>
          reports.systemPerformance(question, spanOf(range ?? HOUR, context), percentiles),
        );
      },
    }),
  };
});
