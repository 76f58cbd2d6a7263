// A pool that forgets what broke. postgres.js 3.4.9 does not survive the loss of a connection: a query issued between the
// error and the close is never answered, or later with the rows of another one, and a write that was pending keeps the next
// start-up message from being sent (its issues 1193 and 1208; `closed` in its connection.js). Under the crash suite a reader
// stood still so for minutes. So when a connection ends, its pool takes nothing more: what is under way there may finish,
// what hangs is rejected soon, and whatever comes next goes to a fresh pool. The same where nothing is heard of the database:
// a connection over which nothing comes and goes, as after a failover that told nobody, never ends by itself.

import type { Sql } from './connection.ts';

/** How long what is under way on the other connections may take. */
const GRACE_S = 2;

export type Pool = Sql & {
  /** Has what comes next go over fresh connections. */
  readonly renew: () => void;
};

/** `create` makes a pool that calls back whenever one of its connections ends. */
export const createPool = (create: (ended: () => void) => Sql): Pool => {
  const fresh = (): Sql => {
    const pool = create(() => replace(pool));
    return pool;
  };
  const replace = (pool: Sql): void => {
    if (stopped || pool !== current) return;
    current = fresh();
    void pool.end({ timeout: GRACE_S });
  };
  let stopped = false;
  let current = fresh();
  const end: Sql['end'] = async (options) => {
    stopped = true;
    await current.end(options);
  };
  return new Proxy(current, {
    apply: (_pool, _this, parameters) => Reflect.apply(current, undefined, parameters),
    get: (_pool, name) => {
      if (name === 'end') return end;
      if (name === 'renew') return () => replace(current);
      return Reflect.get(current, name) as unknown;
    },
  }) as Pool;
};
