// What each socket should have had and has had: how many events, and the sum of the numbers that they carry.

import type { Frame } from './frames.ts';
import type { Group, Latency, Watched } from '../watch.ts';

export type Account = { readonly group: number; events: number; sum: number };

type Arrived = Pick<Watched, 'frames' | 'deliveries' | 'fromSending' | 'fromAnswer'>;
export type Ledger = {
  readonly accounts: readonly Account[];
  /** These are on their way from now. */
  readonly send: (numbers: readonly number[]) => void;
  readonly acknowledge: (numbers: readonly number[]) => void;
  /** A frame with events has arrived. */
  readonly enter: (account: Account, frame: Frame) => void;
  /** How many events have not arrived, over all sockets. */
  readonly missing: () => number;
  /** What arrived since it was asked last; latencies are of frames, by the first event in each. */
  readonly take: () => Arrived;
  /** Throws where a socket had other events than it should. */
  readonly verify: () => void;
};

export const createLedger = (groups: readonly Group[], sockets: number): Ledger => {
  const accounts = Array.from({ length: sockets }, (_, index): Account => ({ group: index % groups.length, events: 0, sum: 0 })); // oxfmt-ignore
  const due = groups.map(() => ({ events: 0, sum: 0 }));
  const sizes = groups.map((_, group) => accounts.filter((one) => one.group === group).length);
  const templates = groups[0]!.passes.length;
  const wantedBy = Array.from({ length: templates }, (_, template) =>
    [...groups.keys()].filter((group) => groups[group]!.passes[template]),
  );
  const [sentAt, answeredAt]: [number[], number[]] = [[], []];
  let [frames, deliveries, missing] = [0, 0, 0];
  let [fromSending, fromAnswer]: [number[], number[]] = [[], []];

  return {
    accounts,
    send: (numbers) => {
      const now = performance.now();
      for (const number of numbers) {
        sentAt[number] = now;
        for (const group of wantedBy[number % templates]!) {
          due[group]!.events++;
          due[group]!.sum += number;
          missing += sizes[group]!;
        }
      }
    },
    acknowledge: (numbers) => {
      const now = performance.now();
      for (const number of numbers) answeredAt[number] = now;
    },
    enter: (account, { numbers, sum }) => {
      const now = performance.now();
      account.events += numbers.length;
      account.sum += sum;
      missing -= numbers.length;
      frames++;
      deliveries += numbers.length;
      fromSending.push(now - (sentAt[numbers[0]!] ?? now));
      fromAnswer.push(now - (answeredAt[numbers[0]!] ?? now));
    },
    missing: () => missing,
    take: () => {
      const arrived = { frames, deliveries, fromSending: latency(fromSending), fromAnswer: latency(fromAnswer) }; // oxfmt-ignore
      [frames, deliveries, fromSending, fromAnswer] = [0, 0, [], []];
      return arrived;
    },
    verify: () => {
      for (const [index, { group, events, sum }] of accounts.entries()) {
        const expected = due[group]!;
        if (events !== expected.events || sum !== expected.sum)
          throw new Error(
            `Socket ${index} had ${events} events with the sum ${sum} instead of ${expected.events} with ${expected.sum}.`,
          );
      }
    },
  };
};

const latency = (values: readonly number[]): Latency => {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
};
