// Subscriptions as their subscribers are sent them. The document of a subscription is compiled once, and what comes is put
// into words once for all who ask the same of the same and may see the same; each connection only adds its envelope.

import { setImmediate } from 'node:timers/promises';
import { type ExecutionArgs, type ExecutionResult, type GraphQLError, createSourceEventStream, execute, getOperationAST, validateSubscriptionArgs } from 'graphql'; // oxfmt-ignore
import type { Payloads } from '../live/follow.ts';
import { leavable } from '../live/leavable.ts';
import type { Metrics } from '../metrics.ts';
import type { Context } from './builder.ts';
import { compile } from './compile.ts';

/** One answer of a subscription: its JSON, and the cursor to go on after it. */
export type Answer = { readonly cursor: string; readonly json: Buffer };

/** A subscription under way. It ends when the log's side does, by throwing, or when the consumer leaves. */
export type Delivery = AsyncGenerator<readonly Answer[], void, void>;

export type Deliveries = {
  /** Begins a subscription, or says what is wrong with it. */
  readonly open: (
    args: ExecutionArgs,
  ) => Promise<Delivery | { readonly errors: readonly GraphQLError[] }>;
};

type Words = {
  readonly of: (payloads: Payloads) => Promise<readonly Answer[]>;
  members: number;
};

/** For so long answers are made without a pause. */
const SLICE_MS = 1;

/** `print` puts a result into JSON, with errors as callers may see them. */
export const createDeliveries = (
  print: (result: ExecutionResult) => string,
  metrics: Metrics,
): Deliveries => {
  const shared = new Map<string, Words>();
  const put = (result: ExecutionResult): Buffer => {
    metrics.executions.inc();
    return Buffer.from(print(result));
  };

  const join = (args: ExecutionArgs): readonly [Words, leave: () => void] => {
    const name = nameOf(args);
    const words = shared.get(name) ?? { of: wordsFor(args, put), members: 0 };
    shared.set(name, words);
    words.members++;
    return [words, () => void (--words.members === 0 && shared.delete(name))];
  };

  return {
    open: async (args) => {
      const validated = validateSubscriptionArgs(args);
      if (!('schema' in validated)) return { errors: validated };
      const opened = await createSourceEventStream(validated);
      if (!(Symbol.asyncIterator in opened)) return { errors: opened.errors ?? [] };
      return delivered(opened as AsyncGenerator<Payloads>, () => join(args));
    },
  };
};

const delivered = (
  source: AsyncGenerator<Payloads>,
  join: () => readonly [Words, leave: () => void],
): Delivery => {
  async function* run(): Delivery {
    const [words, leave] = join();
    try {
      for await (const payloads of source) yield await words.of(payloads);
    } finally {
      leave();
    }
  }
  return leavable(run(), () => source.return(undefined));
};

/** What is put into words for one is right for another of the same name. */
const nameOf = ({
  document,
  operationName,
  variableValues,
  contextValue,
}: ExecutionArgs): string => {
  const start = startOf(document, operationName);
  const variables = Object.entries(variableValues ?? {}).filter(([name]) => name !== start);
  const { viewer } = contextValue as Context;
  const rights = [viewer?.scopes, viewer?.narrowing];
  return JSON.stringify([document.loc?.source.body, operationName, variables, rights]);
};

/** The variable that says where to begin: in it alone subscribers who want the same differ. */
const startOf = (
  document: ExecutionArgs['document'],
  operationName?: string | null,
): string | undefined => {
  const [field] = getOperationAST(document, operationName)?.selectionSet.selections ?? [];
  if (field?.kind !== 'Field') return undefined;
  const value = field.arguments?.find(({ name }) => name.value === 'after')?.value;
  return value?.kind === 'Variable' ? value.name.value : undefined;
};

const wordsFor = (args: ExecutionArgs, put: (result: ExecutionResult) => Buffer): Words['of'] => {
  const { schema, document, operationName, contextValue, variableValues } = args;
  const compiled = compile(schema, document, operationName);
  const run = async (rootValue: unknown): Promise<ExecutionResult> =>
    compiled
      ? compiled(rootValue, contextValue as Context, variableValues ?? {})
      : execute({ ...args, rootValue });
  const answer = async (payload: Payloads[number]): Promise<Answer> => ({
    cursor: payload.cursor,
    json: put(await run(payload)),
  });
  /** In slices, so that one who catches up keeps nobody waiting. */
  const answerAll = async (payloads: Payloads): Promise<readonly Answer[]> => {
    const answers: Answer[] = [];
    let begun = performance.now();
    for (const payload of payloads) {
      if (performance.now() - begun > SLICE_MS) {
        await setImmediate();
        begun = performance.now();
      }
      answers.push(await answer(payload));
    }
    return answers;
  };
  const known = new WeakMap<Payloads, Promise<readonly Answer[]>>();
  return (payloads) => {
    const answers = known.get(payloads) ?? answerAll(payloads);
    known.set(payloads, answers);
    return answers;
  };
};
