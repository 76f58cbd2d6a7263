// What is told in the log of its own use: each operation in which a person saw personal data, before its answer leaves, and
// each act of an administrator. Nobody who asks can leave it out.

import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { isTold } from '../access/viewer.ts';
import type { Event, EventInput } from '../events/fields.ts';
import { bytesOf } from '../events/cut.ts';
import { cutText } from '../events/text.ts';
import {
  ANY_TYPE,
  type Subject as Named,
  LOG_RESOURCE,
  READ_CODE,
  subjectText,
} from '../query/trail.ts';
import type { Context } from './builder.ts';
import type { Rules } from './rules.ts';
import { withoutSecrets } from './unsaid.ts';

/** Whom something that is read is about: an event, or that alone. */
export type Subject = Pick<Event, 'resourceType' | 'resourceId'>;

/** What was read: of an event or a subject, a value alone, or an answer to a question about what is personal, and about whom it
 * was as far as the question or the answer names them. */
export type Seen = Subject | string | number | About;
export type About = { readonly about: readonly Named[] };

const isAbout = (of: Seen): of is About => typeof of === 'object' && 'about' in of;

/** An operation as it was asked. */
export type Asked = {
  readonly query: string | undefined;
  readonly variables: unknown;
};

/** By which a caller says why it asks; on a socket it is `connectionParams.purpose`. */
const PURPOSE_HEADER = 'jejak-purpose';
const MOST_PURPOSE = 200; // characters

export const purposeOf = (said: unknown): string | undefined =>
  typeof said === 'string' ? cutText(said, MOST_PURPOSE) : undefined;

/** As a header says it. Node reads those as Latin-1; most clients write UTF-8, which Latin-1 hardly ever is by chance. */
export const purposeIn = ({ [PURPOSE_HEADER]: said }: IncomingHttpHeaders): string | undefined => {
  if (typeof said !== 'string') return undefined;
  const bytes = Buffer.from(said, 'latin1');
  return purposeOf(isUtf8(bytes) ? bytes.toString() : said);
};

/** Of the subjects in one record, whose JSON has at most 32 KB. */
const MOST_SUBJECT_BYTES = 8_000;

/** Executes an operation; where a person saw personal data in its answer, that is in the log before it is given. Rejects where
 * it cannot be told. */
export const tellingReads = async <R>(
  context: Context,
  asked: Asked,
  run: (context: Context) => R | Promise<R>,
): Promise<R> => {
  if (!isTold(context.viewer)) return run(context);
  const read = new Set<Seen>();
  const result = await run({ ...context, read });
  if (read.size > 0) await tellRead(context, asked, [...read]);
  return result;
};

const tellRead = async (context: Context, asked: Asked, read: readonly Seen[]): Promise<void> => {
  const subjects = new Set(
    read.flatMap((of) => {
      if (typeof of !== 'object') return [];
      if (isAbout(of)) return of.about.map(subjectText);
      if (!of.resourceId) return [];
      return subjectText({ resourceType: of.resourceType || ANY_TYPE, resourceId: of.resourceId });
    }),
  );
  const findings = read.filter((of) => !isAbout(of)).length;
  const [some = [], ...others] = inParts([...subjects]);
  await tell(context, asked, {
    status: 'SUCCESS',
    responseData: { findings_count: findings },
    subjects: some,
  });
  for (const more of others) await tell(context, asked, { status: 'SUCCESS', subjects: more });
};

/** As many as a record holds at a time. */
const inParts = (subjects: readonly string[]): string[][] => {
  const parts: string[][] = [];
  let bytes = Infinity;
  for (const subject of subjects) {
    bytes += bytesOf(subject);
    if (bytes > MOST_SUBJECT_BYTES) {
      parts.push([]);
      bytes = bytesOf(subject);
    }
    parts.at(-1)!.push(subject);
  }
  return parts;
};

/** Tells that a person begins to follow what may be personal; of whom is not known yet, but by the filter. */
export const tellFollowed = async (
  context: Context,
  asked: Asked,
  filter: object | null | undefined,
): Promise<void> => {
  if (isTold(context.viewer)) await tell(context, { ...asked, filter }, { status: 'STARTED' });
};

type Told = Pick<EventInput, 'status' | 'responseData'> & { readonly subjects?: readonly string[] };

const tell = (
  { record, viewer, purpose, protection }: Context,
  { filter, ...asked }: Asked & { readonly filter?: object | null | undefined },
  { subjects = [], ...told }: Told,
): Promise<void> => {
  const { query, variables } = withoutSecrets(asked, protection);
  return record(viewer!, {
    code: READ_CODE,
    resourceType: LOG_RESOURCE,
    requestData: {
      audit_scope: query,
      audit_variables: variables,
      ...(filter && { filter }),
    },
    metadata: { subjects, ...(purpose !== undefined && { purpose }) },
    ...told,
  });
};

/** How an act of an administrator is told, beside its mutation in `extensions`: under this code in place of ADMIN-005, or by
 * itself, in one transaction with what it does. */
export type Telling = { readonly told: 'ADMIN-004' | 'byItself' };

/** From here on each mutation that needs the scope admin is told before it is done, and what became of it after, but for those
 * that tell themselves. What cannot be told is not done. */
export const tellActs = (schema: GraphQLSchema, rules: Rules): void => {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { told = 'ADMIN-005' } = field.extensions as Partial<Telling>;
    if (rules.get(`Mutation.${field.name}`) !== 'admin' || told === 'byItself') continue;
    const resolve = field.resolve!;
    field.resolve = async (root, args: object, context: Context, info) => {
      const tellAct = (status: 'STARTED' | 'SUCCESS' | 'FAILED'): Promise<void> =>
        context.record(context.viewer!, {
          code: told,
          resourceType: LOG_RESOURCE,
          status,
          requestData: { config_section: field.name, changes: args },
        });
      await tellAct('STARTED');
      let status: 'SUCCESS' | 'FAILED' = 'FAILED';
      try {
        const result: unknown = await resolve(root, args, context, info);
        status = 'SUCCESS';
        return result;
      } finally {
        // That it was begun is in the log; a key that was made must not be lost with the answer.
        await tellAct(status).catch((error: unknown) =>
          context.logger.error({ err: error }, 'How an act ended could not be told'),
        );
      }
    };
  }
};
