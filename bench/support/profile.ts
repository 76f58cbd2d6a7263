// A CPU profile in a page: which functions took the time, and which parts of the server they belong to.

import type { Profiler } from 'node:inspector';
import { percent, table } from './table.ts';

const SHOWN = 25;

// The first that matches.
const areas: readonly (readonly [name: string, address: RegExp])[] = [
  [
    'yoga and its fetch API',
    /node_modules\/(graphql-yoga|@graphql-yoga|@whatwg-node|@envelop|@graphql-tools)\//,
  ],
  ['graphql-js', /node_modules\/graphql\//],
  ['pothos', /node_modules\/@pothos\//],
  ['postgres.js', /node_modules\/postgres\//],
  ['zod', /node_modules\/zod\//],
  ['other packages', /node_modules\//],
  ['ours: completing (src/events)', /src\/events\//],
  ['ours: storing (src/ingest)', /src\/ingest\//],
  ['ours: following (src/live)', /src\/live\//],
  ['ours: the doors (src/http, src/access)', /src\/(http|access)\//],
  ['ours: the rest', /src\//],
  ['node: HTTP', /^node:_http|^node:internal\/http/],
  ['node: sockets and streams', /^node:(net|internal\/(streams|stream_base)|stream)/],
  ['node: the rest', /^node:/],
];

type Node = Profiler.ProfileNode & { readonly caller: Node | undefined; readonly micros: number };

/** Such as "complete  src/events/complete.ts:55"; a function of the engine is named with who called it. */
const nameOf = ({ callFrame: { functionName, url, lineNumber }, caller }: Node): string => {
  const name = functionName || '(anonymous)';
  if (url !== '')
    return `${name}  ${url.replace(/^.*\/(node_modules|src)\//, '$1/')}:${lineNumber + 1}`;
  return isOfEngine(name) || !caller ? name : `${name}, called by ${nameOf(caller)}`;
};

const isOfEngine = (name: string): boolean => /^\((?!anonymous)/.test(name);

/** That of the nearest caller which has an address, so that work done in the engine counts for whom it was done. */
const areaOf = ({ callFrame: { functionName, url }, caller }: Node): string => {
  if (url === '' && !isOfEngine(functionName)) return caller ? areaOf(caller) : 'node: the rest';
  return areas.find(([, address]) => address.test(url))?.[0] ?? functionName;
};

export const summarize = (profile: Profiler.Profile): string => {
  const nodes = nodesOf(profile).filter((node) => !isApart(node));
  const busy = nodes.reduce((sum, { micros }) => sum + micros, 0);
  const all = (profile.timeDeltas ?? []).reduce((sum, delta) => sum + delta, 0);
  const shares = (micros: ReadonlyMap<string, number>, shown = Infinity): string =>
    table(
      [...micros]
        .toSorted((a, b) => b[1] - a[1])
        .slice(0, shown)
        .map(([name, own]) => [name, `${((100 * own) / busy).toFixed(1)} %`]),
    );
  const own = (labelOf: (node: Node) => string) =>
    summed(nodes.map((node) => [labelOf(node), node.micros]));
  const within = summed(
    nodes.flatMap((node) =>
      [...new Set(stackOf(node).filter(isShownWhole).map(nameOf))].map((name): Entry => [
        name,
        node.micros,
      ]),
    ),
  );
  return [
    `Busy ${percent(busy / all)} of the time. Of that, by part:`,
    shares(own(areaOf)),
    `\nBy function, the time of its own:`,
    shares(own(nameOf), SHOWN),
    `\nBy function, with what it calls at once (not what it awaits):`,
    shares(within, SHOWN),
  ].join('\n');
};

const nodesOf = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Node[] => {
  const micros = summed(samples.map((id, index) => [id, timeDeltas[index] ?? 0]));
  const made = new Map<number, Node>();
  const make = (node: Profiler.ProfileNode, caller: Node | undefined): void => {
    const full = { ...node, caller, micros: micros.get(node.id) ?? 0 };
    made.set(node.id, full);
    for (const id of node.children ?? []) make(byId.get(id)!, full);
  };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  make(nodes[0]!, undefined);
  return [...made.values()];
};

const stackOf = (node: Node): Node[] => [node, ...(node.caller ? stackOf(node.caller) : [])];
/** Waiting, and the profiler itself. */
const isApart = (node: Node): boolean =>
  node.callFrame.functionName === '(idle)' ||
  stackOf(node).some(({ callFrame }) => callFrame.url === 'node:inspector');

// Besides our own functions: how the packages are entered.
const doorsOfPackages = new Set(['execute', 'getVariableValues', 'safeParse', 'parserOnHeadersComplete', 'handleWriteReq']); // oxfmt-ignore
const isShownWhole = ({ callFrame: { url, functionName } }: Node): boolean =>
  (/\/src\//.test(url) && functionName !== '') || doorsOfPackages.has(functionName);

type Entry<K = string> = readonly [key: K, micros: number];

const summed = <K>(entries: readonly Entry<K>[]): Map<K, number> => {
  const sums = new Map<K, number>();
  for (const [key, micros] of entries) sums.set(key, (sums.get(key) ?? 0) + micros);
  return sums;
};
