import { embeddedInUse } from '../locks.ts';
import { connect, within, type Connection } from './knock.ts';

/**
 * Every server on a database holds one lock together with the others, in a session that ends when its process does,
 * however that ends. Whoever can have the lock alone is alone.
 */
export type Membership = {
  /** Somebody else was here already. */
  readonly joined: boolean;
  /** False once the session was cut, and the lock with it. */
  readonly held: boolean;
  /** Gives up the lock; true when nobody else holds it. Then nobody can take it before the session has been closed. */
  leave(): Promise<boolean>;
  close(): Promise<void>;
};

const limitMs = 5_000;

/** Only in turn: between trying and taking, nobody else may come or go. `onCut` is not called for a close of ours. */
export const enter = async (connection: Connection, onCut: () => void): Promise<Membership> => {
  let held = false;
  const sql = connect(connection, () => {
    const cut = held;
    held = false;
    if (cut) onCut();
  });
  const close = () => {
    held = false; // before the end, which is no cut
    return sql.end({ timeout: 1 });
  };
  const ask = async (lock: string) => {
    const answer = within(
      sql,
      limitMs,
      () => sql<[{ granted: boolean }]>`select ${sql(lock)}(${embeddedInUse}::bigint) as granted`,
    );
    return (await answer)[0].granted;
  };

  try {
    const alone = await ask('pg_try_advisory_lock');
    await ask('pg_advisory_lock_shared');
    if (alone) await ask('pg_advisory_unlock');
    held = true;
    return {
      joined: !alone,
      get held() {
        return held;
      },
      async leave() {
        await ask('pg_advisory_unlock_shared');
        return ask('pg_try_advisory_lock');
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
