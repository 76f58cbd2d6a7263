// What is told in the log of its own use: each operation in which a person saw personal data, before its answer leaves, and
// each act of an administrator. Nobody who asks can leave it out.

import type { GraphQLSchema } from 'graphql';
import { type Viewer, maySeePersonal } from '../access/viewer.ts';
import type { Event } from '../events/fields.ts';
import { LOG_RESOURCE, READ_CODE, subjectText } from '../query/trail.ts';
import type { Context } from './builder.ts';
import type { Rules } from './rules.ts';

/** Whom something that is read is about: an event, or that alone. */
export type Subject = Pick<Event, 'resourceType' | 'resourceId'>;

/** An operation as it was asked. */
export type Asked = {
  readonly query: string | undefined;
  readonly variables: unknown;
};

/** Whether a viewer is a person, known by a token, who sees what is personal. A key is a service's, which tells itself for whom
 * it asks. */
const isTold = (viewer: Viewer | null): viewer is Viewer => {
  const { userId, username } = viewer?.forced ?? {};
  return (userId != null || username != null) && maySeePersonal(viewer);
};

/** By which a caller says why it asks; on a socket it is `connectionParams.purpose`. */
export const PURPOSE_HEADER = 'jejak-purpose';
const MOST_PURPOSE = 200; // characters

export const purposeOf = (said: unknown): string | undefined =>
  typeof said === 'string' ? said.slice(0, MOST_PURPOSE) : undefined;

const MOST_SUBJECTS = 200;
const MOST_CHARACTERS = 4_000;

/** Executes an operation; where a person saw personal data in its answer, that is in the log before it is given. Rejects where
 * it cannot be told. */
export const tellingReads = async <R>(
  context: Context,
  asked: Asked,
  run: (context: Context) => R | Promise<R>,
): Promise<R> => {
  if (!isTold(context.viewer)) return run(context);
  const read = new Set<Subject | string>();
  const result = await run({ ...context, read });
  if (read.size > 0) await tellRead(context, asked, [...read]);
  return result;
};

/** Tells that a person begins to follow what may be personal. */
export const tellFollowed = async (context: Context, asked: Asked): Promise<void> => {
  if (isTold(context.viewer)) await tellRead(context, asked, undefined);
};

/** `read` is undefined where it is yet to come. */
const tellRead = (
  { record, viewer, purpose }: Context,
  { query, variables }: Asked,
  read: readonly (Subject | string)[] | undefined,
): Promise<void> => {
  const subjects = new Set(
    read?.flatMap((of) => {
      if (typeof of === 'string' || !of.resourceType || !of.resourceId) return [];
      return subjectText({ resourceType: of.resourceType, resourceId: of.resourceId });
    }),
  );
  return record(viewer!, {
    code: READ_CODE,
    resourceType: LOG_RESOURCE,
    status: read ? 'SUCCESS' : 'STARTED',
    requestData: { audit_scope: query?.slice(0, MOST_CHARACTERS), variables: shortened(variables) },
    ...(read && { responseData: { findings_count: read.length } }),
    metadata: {
      subjects: [...subjects].slice(0, MOST_SUBJECTS),
      ...(purpose !== undefined && { purpose }),
    },
  });
};

const shortened = (value: unknown): unknown => {
  const text = JSON.stringify(value) ?? 'null';
  return text.length > MOST_CHARACTERS ? text.slice(0, MOST_CHARACTERS) : value;
};

/** How an act of an administrator is told, beside its mutation in `extensions`: under this code in place of ADMIN-005, or by
 * itself, in one transaction with what it does. */
export type Telling = { readonly told: 'ADMIN-004' | 'byItself' };

/** From here on each mutation that needs the scope admin is told once it has succeeded, but for those that tell themselves. */
export const tellActs = (schema: GraphQLSchema, rules: Rules): void => {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { told = 'ADMIN-005' } = field.extensions as Partial<Telling>;
    if (rules.get(`Mutation.${field.name}`) !== 'admin' || told === 'byItself') continue;
    const resolve = field.resolve!;
    field.resolve = async (root, args: object, context: Context, info) => {
      const result: unknown = await resolve(root, args, context, info);
      await context.record(context.viewer!, {
        code: told,
        resourceType: LOG_RESOURCE,
        requestData: { config_section: field.name, changes: shortened(args) },
      });
      return result;
    };
  }
};
