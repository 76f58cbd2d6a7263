// Recording events: the mutations `logEvent` and `logEvents`.

import { JejakError } from '../errors.ts';
import { type Warning, rejections } from '../events/complete.ts';
import { MAX_EVENTS_PER_CALL } from '../events/fields.ts';
import type { Outcome } from '../ingest/outcome.ts';
import { formatCursor } from '../live/cursor.ts';
import { builder } from './builder.ts';
import { Event, LogEventInput } from './event.ts';
import { enumValues } from './vocabulary.ts';

const outcomes = {
  STORED: {
    description: 'The event is in the log, as it was sent and completed from the catalog.',
  },
  REPAIRED: {
    description:
      'The event is in the log; the warnings say what was not as it should be and what was done.',
  },
  DUPLICATE: {
    description:
      'The event was in the log already, with the same eventId and content; it is the one that is returned.',
  },
  REJECTED: {
    description:
      'The event is not in the log; `rejectionCode` and `reason` say why and what to do.',
  },
} as const satisfies Record<Outcome['outcome'], { description: string }>;

const IngestOutcome = builder.enumType('IngestOutcome', {
  description: 'What became of one event that was sent.',
  values: outcomes,
});

export const RejectionCode = builder.enumType('RejectionCode', {
  description: 'Why an event was not stored.',
  values: enumValues(rejections, (about) => about),
});

const IngestWarning = builder.objectRef<Warning>('IngestWarning').implement({
  readers: ['events:write'],
  description: 'Something about an event that was not as it should be, and what was done.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'The field it is about.' }),
    message: t.exposeString('message', {
      description: 'What was wrong and what was done, to be read after the name of the field.',
    }),
  }),
});

export const LogEventPayload = builder.objectRef<Outcome>('LogEventPayload').implement({
  readers: ['events:write'],
  description: 'What became of one event. It is answered after the event is durable.',
  fields: (t) => ({
    event: t.field({
      type: Event,
      nullable: true,
      description: 'The event as it is stored; null where it was rejected.',
      resolve: (of) => ('event' in of ? of.event : null),
    }),
    outcome: t.expose('outcome', { type: IngestOutcome, description: 'Whether it was stored.' }),
    warnings: t.field({
      type: [IngestWarning],
      description:
        'What was repaired, a field each; empty where nothing was. Of an event that was rejected, what was found before, a hundred at most.',
      resolve: ({ warnings }) => [...warnings],
    }),
    rejectionCode: t.field({
      type: RejectionCode,
      nullable: true,
      description: 'Why it was rejected; null where it was not.',
      resolve: (of) => ('rejection' in of ? of.rejection.code : null),
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it was rejected, in words, and what to do; null where it was not.',
      resolve: (of) => ('rejection' in of ? of.rejection.reason : null),
    }),
    cursor: t.string({
      nullable: true,
      description:
        'Where it stands in the order of the log, for `after` of a subscription; null where it was rejected.',
      resolve: (of) => ('position' in of && of.position ? formatCursor(of.position) : null),
    }),
  }),
});

const LogEventsPayload = builder.objectRef<readonly Outcome[]>('LogEventsPayload').implement({
  readers: ['events:write'],
  description: 'What became of the events of one call. They are committed together.',
  fields: (t) => {
    const count = (description: string, ...wanted: Outcome['outcome'][]) =>
      t.int({
        description,
        resolve: (results) => results.filter(({ outcome }) => wanted.includes(outcome)).length,
      });
    return {
      results: t.field({
        type: [LogEventPayload],
        description: 'One for each event, in the order they were sent.',
        resolve: (results) => results,
      }),
      stored: count('How many were stored, repaired ones included.', 'STORED', 'REPAIRED'),
      duplicates: count('How many were in the log already.', 'DUPLICATE'),
      rejected: count('How many were rejected.', 'REJECTED'),
    };
  },
});

builder.mutationFields((t) => ({
  logEvent: t.field({
    type: LogEventPayload,
    description:
      'Records one event, and answers after it is durable. An eventId that belongs to another event is the error CONFLICT; anything else that cannot be stored is the outcome REJECTED.',
    scope: 'events:write',
    args: { input: t.arg({ type: LogEventInput, required: true, description: 'The event.' }) },
    resolve: async (_root, { input }, { log, viewer }) => {
      const [outcome] = await log([input], viewer!);
      if (outcome!.outcome === 'REJECTED' && outcome!.rejection.code === 'CONFLICT')
        throw new JejakError('CONFLICT', outcome!.rejection.reason);
      return outcome!;
    },
  }),
  logEvents: t.field({
    type: LogEventsPayload,
    description: `Records up to ${MAX_EVENTS_PER_CALL} events together, and answers after they are durable. Each has an outcome of its own: one that is rejected does not touch the others.`,
    scope: 'events:write',
    args: {
      input: t.arg({ type: [LogEventInput], required: true, description: 'The events, in order.' }),
    },
    resolve: (_root, { input }, { log, viewer }) => {
      if (input.length > MAX_EVENTS_PER_CALL)
        throw new JejakError(
          'BAD_USER_INPUT',
          `${input.length} events were sent; a call may carry at most ${MAX_EVENTS_PER_CALL}.`,
        );
      return log(input, viewer!);
    },
  }),
}));
