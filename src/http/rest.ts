// The specification's REST door: `POST /api/events` takes one event or an array of them, under the specification's own
// names, as JSON or a line each as NDJSON. It is the same way into the log as the mutations: same rules, same outcomes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access/authenticate.ts';
import { JejakError, errorCodes } from '../errors.ts';
import { MAX_EVENTS_PER_CALL, fieldNames, fields } from '../events/fields.ts';
import { isKeyed } from '../events/text.ts';
import type { Log } from '../ingest/log.ts';
import type { Outcome } from '../ingest/outcome.ts';
import { formatCursor } from '../live/cursor.ts';
import type { Logger } from '../logger.ts';
import { admit } from './admit.ts';
import { parseJson, readBody } from './body.ts';
import type { DoorLimits } from './graphql.ts';
import { respond, respondError } from './respond.ts';

export type RestParts = {
  readonly log: Log;
  readonly access: Access;
  readonly limits: DoorLimits;
  readonly assertRoom: (viewerId: string) => void;
  readonly logger: Logger;
};

/** Answers 201 where every event was stored, 200 where some were before, 207 where only some are in the log, and 409 or 422
 * where none is, for one reason. */
export const handleEvents = (
  request: IncomingMessage,
  response: ServerResponse,
  parts: RestParts,
): Promise<void> =>
  answer(request, response, parts).catch((error: unknown) =>
    respondError(response, error, parts.logger, withColumns),
  );

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  { log, access, assertRoom, limits }: RestParts,
): Promise<void> => {
  const viewer = await admit(request, response, { access, method: 'POST', scope: 'events:write' });
  assertRoom(viewer.id); // before the body is parsed, or even sent
  const { text, lines } = await readBody(
    request,
    ['application/json', 'application/x-ndjson'],
    limits.bodyBytes,
  );
  const body = lines ? fewEnough(text.split('\n').filter((line) => line.trim() !== '')).map(parseLine) : parseJson(text); // oxfmt-ignore
  const sources = fewEnough(Array.isArray(body) ? body : [body]);
  const outcomes = await log(sources.map(withApiNames), viewer);
  const results = outcomes.map(resultOf);
  if (Array.isArray(body)) respond(response, statusOfAll(outcomes), { results });
  else respond(response, statusOf(outcomes[0]!), results[0]);
};

const fewEnough = <T>(sources: readonly T[]): readonly T[] => {
  if (sources.length <= MAX_EVENTS_PER_CALL) return sources;
  throw new JejakError(
    'BAD_USER_INPUT',
    `${sources.length} events were sent; a call may carry at most ${MAX_EVENTS_PER_CALL}.`,
  );
};

/** A line that is no JSON is an event that is refused; it does not take the others along. */
const parseLine = (line: string): unknown => {
  try {
    return parseJson(line);
  } catch {
    return line;
  }
};

const nameByColumn = new Map<string, string>(fieldNames.map((name) => [fields[name].column, name]));

/** The event under its API names, which are understood here too, but where the column is sent as well: then what is under the
 * name is of no field, and kept beside the event. Names that nobody knows stay as they are. */
const withApiNames = (source: unknown): unknown => {
  if (!isKeyed(source)) return source;
  const isSent = (key: string): boolean => Object.hasOwn(source, key) && source[key] !== null;
  const nameOf = (key: string): string => {
    const column = columnOf(key);
    return column !== key && isSent(column) ? `(${key})` : (nameByColumn.get(key) ?? key);
  };
  return Object.fromEntries(
    Object.entries(source)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [nameOf(key), value]),
  );
};

const columnOf = (field: string): string =>
  Object.hasOwn(fields, field) ? fields[field as keyof typeof fields].column : field;

/** A message names fields between backquotes, here by their columns. */
const withColumns = (message: string): string =>
  message.replaceAll(/`(\w+)`/g, (_, field: string) => `\`${columnOf(field)}\``);

const resultOf = (of: Outcome) => ({
  outcome: of.outcome,
  event_id: 'event' in of ? of.event.eventId : null,
  id: 'event' in of ? String(of.event.id) : null,
  cursor: 'position' in of && of.position ? formatCursor(of.position) : null,
  warnings: of.warnings.map(({ field, message }) => ({ field: columnOf(field), message })),
  ...('rejection' in of
    ? { code: of.rejection.code, reason: withColumns(of.rejection.reason) }
    : {}),
});

const statusOf = (of: Outcome): number => {
  if (of.outcome !== 'REJECTED') return of.outcome === 'DUPLICATE' ? 200 : 201;
  return of.rejection.code === 'CONFLICT' ? errorCodes.CONFLICT.status : 422;
};

const statusOfAll = (outcomes: readonly Outcome[]): number => {
  const statuses = new Set(outcomes.map(statusOf));
  return statuses.size === 1
    ? [...statuses][0]!
    : outcomes.every(({ outcome }) => outcome !== 'REJECTED')
      ? 200
      : 207;
};
