// Refused events: an administrator lists them, mends them and logs them again.

import { JejakError } from '../errors.ts';
import type { Quarantined } from '../ingest/quarantine.ts';
import { builder } from './builder.ts';
import { LogEventInput } from './event.ts';
import { LogEventPayload, RejectionCode } from './log-event.ts';
import { DEFAULT_PAGE, MAX_PAGE, pageSize } from './page-size.ts';

const QuarantinedEvent = builder.objectRef<Quarantined>('QuarantinedEvent').implement({
  readers: ['admin'],
  description: 'An event that was refused, as it was sent. It waits 7 days to be mended.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its number, for `replayQuarantined`.' }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it was refused.' }),
    keyName: t.exposeString('keyName', { description: 'The name of the key it came with.' }),
    rejectionCode: t.expose('code', { type: RejectionCode, description: 'Why it was refused.' }),
    reason: t.exposeString('reason', { description: 'Why it was refused, in words.' }),
    source: t.field({
      type: 'JSON',
      nullable: true,
      resolve: ({ source }, _args, { read }) => {
        const { resourceType, resourceId } = (source ?? {}) as Partial<Record<string, unknown>>;
        const isSubject = typeof resourceType === 'string' && typeof resourceId === 'string';
        read?.add(isSubject ? { resourceType, resourceId } : { about: [] });
        return source;
      },
      description:
        'The event as it was sent, under the names of LogEventInput; text where it was no JSON, null where it was that. Where it is longer than 64 KB its largest values are cut: of a text there is the beginning, of a list or an object how many bytes it had, and "…" after it. Where that is not enough, it is such a beginning as a whole. What is nested deeper than 32 levels is `["…"]`.',
    }),
  }),
});

const numberOf = (id: string): number => {
  if (!/^\d{1,15}$/.test(id))
    throw new JejakError('BAD_USER_INPUT', `"${id}" is no number of a quarantined event.`);
  return Number(id);
};

builder.queryFields((t) => ({
  quarantinedEvents: t.field({
    type: [QuarantinedEvent],
    description:
      'Events that were refused and wait to be mended, the latest first. Needs the scope `admin`.',
    scope: 'admin',
    args: {
      first: t.arg.int({ defaultValue: DEFAULT_PAGE, description: `How many, 1 to ${MAX_PAGE}.` }),
      before: t.arg.id({
        description: 'Only those refused before this one: the `id` of the last of the page before.',
      }),
    },
    resolve: (_root, { first, before }, { quarantine }) =>
      quarantine.list(pageSize(first), before ? numberOf(before) : undefined),
  }),
}));

builder.mutationFields((t) => ({
  replayQuarantined: t.field({
    type: LogEventPayload,
    description:
      'Logs a refused event again, with some of its fields replaced. Where it is stored it leaves the quarantine; where it is refused again it stays. Without a timestamp of its own it has the time it was refused. Needs the scope `admin`.',
    scope: 'admin',
    args: {
      id: t.arg.id({ required: true, description: 'Its number.' }),
      changes: t.arg({
        type: LogEventInput,
        description: 'The fields to replace; null removes one.',
      }),
    },
    resolve: async (_root, { id, changes }, { quarantine, log, viewer }) => {
      const waiting = await quarantine.find(numberOf(id));
      if (!waiting)
        throw new JejakError(
          'BAD_USER_INPUT',
          `There is no quarantined event ${id}; \`quarantinedEvents\` lists them.`,
        );
      const original = typeof waiting.source === 'object' ? waiting.source : {};
      const mended = { ...original, ...changes };
      mended.timestamp ??= waiting.receivedAt;
      // Asked twice, or at once, it is one event.
      const eventId = mended.eventId ?? `quarantined-${waiting.id}-${waiting.tail}`;
      const [outcome] = await log([{ ...mended, eventId }], viewer!, { replay: true });
      if (outcome!.outcome !== 'REJECTED') await quarantine.release(waiting.id);
      return outcome!;
    },
  }),
}));
