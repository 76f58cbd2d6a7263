// `GET /api/export`: the events of a filter in bulk, as they are read, in constant memory. That somebody takes them is in the
// log before the first of them leaves (DATA-012, STARTED), and how it ended after the last.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import {
  type GraphQLError,
  type GraphQLInputType,
  coerceInputValue,
  validateInputValue,
} from 'graphql';
import { z } from 'zod';
import { LOOK_AT_CREDENTIALS_MS } from '../access/authenticate.ts';
import { type Viewer, maySeePersonal } from '../access/viewer.ts';
import { refusalOf } from '../database/failures.ts';
import { JejakError } from '../errors.ts';
import type { Event } from '../events/fields.ts';
import { selectionOf } from '../graphql/filter.ts';
import { schema } from '../graphql/schema.ts';
import { purposeIn } from '../graphql/told.ts';
import type { Recorder } from '../ingest/record.ts';
import { estimate, readAll } from '../query/export.ts';
import type { EventFilter } from '../query/filter.ts';
import { storedFilter } from '../query/stored.ts';
import { EXPORT_CODE, LOG_RESOURCE } from '../query/trail.ts';
import { admit } from './admit.ts';
import { parseJson } from './body.ts';
import { whileTaken } from './drained.ts';
import { type Format, formats } from './formats.ts';
import type { Parts } from './graphql.ts';
import { parametersOf } from './parameters.ts';
import { causeOf, placed } from './public-error.ts';

const MAX_EXPORTS = 4;
/** Of one viewer, so that a slow one does not keep others from theirs. */
const MAX_OWN_EXPORTS = 2;
const RETRY_AFTER_MS = 5_000;

const formatNames = Object.keys(formats) as [keyof typeof formats, ...(keyof typeof formats)[]];
const parametersSchema = z.strictObject({
  format: z.enum(formatNames).default('ndjson'),
  filter: z.string().optional(),
  timeZone: z.string().default('UTC'),
  after: z.string().optional(),
  estimate: z.enum(['yes', 'no']).default('no'),
  purpose: z.string().max(200).optional(),
});
type Parameters = z.output<typeof parametersSchema>;

type Exporting = Pick<
  Parts,
  | 'database'
  | 'record'
  | 'protection'
  | 'documents'
  | 'mask'
  | 'retention'
  | 'access'
  | 'clock'
  | 'logger'
  | 'pulse'
>;
type ExportDoor = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export const createExport = ({ access, logger, pulse, ...parts }: Exporting): ExportDoor => {
  const underWay: string[] = []; // whose they are

  return async (request, response) => {
    const viewer = await admit(request, response, {
      access,
      method: 'GET',
      scope: 'events:export',
    });
    const { purpose = purposeIn(request.headers), ...parameters } = readParameters(request.url!);
    const { after, timeZone } = parameters;
    const began = parts.clock();
    const filter = parameters.filter === undefined ? undefined : readFilter(parameters.filter, parts.documents.hidesSuggestions(viewer)); // oxfmt-ignore
    const selection = { ...selectionOf(filter, { ...parts, viewer }), after, began };
    const gzip = isGzipped(request, parameters);
    const own = underWay.filter((id) => id === viewer.id);
    if (own.length >= MAX_OWN_EXPORTS)
      throw busy(`${MAX_OWN_EXPORTS} exports with this credential`);
    if (underWay.length >= MAX_EXPORTS) throw busy(`${MAX_EXPORTS} exports`);
    underWay.push(viewer.id);
    const isGone = (): boolean => response.destroyed;
    try {
      const expected =
        parameters.estimate === 'yes'
          ? await pulse.guard(() =>
              parts.database.question(
                viewer.id,
                (question) => estimate(question, selection),
                isGone,
              ),
            )
          : undefined;
      const pages = readAll((ask) => parts.database.page(viewer.id, ask, isGone), selection);
      const first = await pulse.guard(() => pages.next()); // so that a filter which takes too long is an answer and not a cut
      const tell = teller(parts.record, viewer, { ...parameters, purpose }, filter && storedFilter(filter, parts.protection.storedForms)); // oxfmt-ignore
      await tell('STARTED');
      const format: Format = formats[parameters.format];
      response.writeHead(200, {
        'Content-Type': format.mediaType,
        'Content-Disposition': `attachment; filename="jejak-${began.toISOString().slice(0, 10)}.${format.extension}"`,
        'Jejak-Time-Zone': timeZone,
        ...(expected !== undefined && { 'Jejak-Estimated-Events': expected }),
        ...(gzip && { 'Content-Encoding': 'gzip' }),
      });
      const taken = { events: 0 };
      const holds = createHolds(() => access.assertHolds(request.headers.authorization));
      const body = format.write(counted(first, pages, taken, holds, maySeePersonal(viewer) ? undefined : parts.mask.event), { timeZone, resumed: after !== undefined }); // oxfmt-ignore
      const stages = gzip ? [createGzip()] : [];
      const outcome = await whileTaken(response, () =>
        pipeline([Readable.from(body), ...stages, response]),
      ).then(
        () => 'SUCCESS' as const,
        (error: unknown) => {
          logger.warn({ err: error, events: taken.events }, 'An export was cut');
          return 'FAILED' as const;
        },
      );
      await tell(outcome, taken.events).catch((error: unknown) =>
        logger.error({ err: error }, 'How an export ended could not be logged'),
      );
    } finally {
      underWay.splice(underWay.indexOf(viewer.id), 1);
    }
  };
};

const busy = (what: string): JejakError =>
  new JejakError('OVERLOADED', `${what} are under way; ask again when one has ended.`, {
    retryAfterMs: RETRY_AFTER_MS,
  });

const readParameters = (url: string): Parameters => {
  const given = Object.fromEntries(parametersOf(url));
  const { success, data, error } = parametersSchema.safeParse(given);
  if (success)
    return { ...data, timeZone: coerced('TimeZone', data.timeZone, 'timeZone') as string };
  const [{ path, message }] = error.issues as [z.core.$ZodIssue];
  const known = Object.keys(parametersSchema.shape).join(', ');
  throw new JejakError(
    'BAD_USER_INPUT',
    path.length > 0 ? `${path.join('.')}: ${message}.` : `The address: ${message}; it may have ${known}.`, // oxfmt-ignore
  );
};

const readFilter = (text: string, hideSuggestions: boolean): EventFilter =>
  coerced('EventFilter', parseJson(text, '`filter`'), 'filter', hideSuggestions) as EventFilter;

/** A value as GraphQL would take it for this type. */
const coerced = (type: string, value: unknown, name: string, hideSuggestions = true): unknown => {
  const inputType = schema.getType(type) as GraphQLInputType;
  const refuse = (error: GraphQLError, path: readonly (string | number)[]): never => {
    const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    const { message } = refusalOf(causeOf(error)) ?? error;
    throw new JejakError('BAD_USER_INPUT', placed(name + place) + message);
  };
  validateInputValue(value, inputType, refuse, hideSuggestions);
  return coerceInputValue(value, inputType);
};

/** Parquet is compressed already. */
const isGzipped = ({ headers }: IncomingMessage, { format }: Parameters): boolean =>
  format !== 'parquet' &&
  /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(headers['accept-encoding']?.toString() ?? '');

/** Whether who began may go on, looked at every few seconds: a key that is revoked takes nothing more. */
const createHolds = (look: () => Promise<void>): (() => Promise<void>) => {
  let lookedAt = performance.now();
  return async () => {
    if (performance.now() - lookedAt < LOOK_AT_CREDENTIALS_MS) return;
    lookedAt = performance.now();
    await look();
  };
};

/** To mask and to write out 1,000 events of 32 KB takes seconds; between parts of them others are served. */
const PART_EVENTS = 10;

async function* counted(
  first: IteratorResult<readonly Event[], void>,
  rest: AsyncGenerator<readonly Event[], void, void>,
  taken: { events: number },
  holds: () => Promise<void>,
  masked: ((event: Event) => Event) | undefined,
): AsyncGenerator<readonly Event[], void, void> {
  for (let page = first; !page.done; page = await rest.next()) {
    await holds();
    taken.events += page.value.length;
    for (let from = 0; from < page.value.length; from += PART_EVENTS) {
      const part = page.value.slice(from, from + PART_EVENTS);
      yield masked ? part.map(masked) : part;
      await setImmediate();
    }
  }
}

/** Tells in the log who takes what, and how it ended; rejects where that cannot be told. */
const teller = (
  record: Recorder,
  viewer: Viewer,
  { format, timeZone, after, purpose }: Parameters,
  filter: EventFilter | undefined,
) => {
  const exportId = randomUUID();
  return (status: 'STARTED' | 'SUCCESS' | 'FAILED', events?: number): Promise<void> =>
    record(viewer, {
      code: EXPORT_CODE,
      resourceType: LOG_RESOURCE,
      resourceId: exportId,
      status,
      requestData: {
        export_type: 'events',
        format,
        time_zone: timeZone,
        filter: filter ?? {},
        after,
      },
      ...(events !== undefined && { responseData: { record_count: events } }),
      ...(purpose !== undefined && { metadata: { purpose } }),
    });
};
