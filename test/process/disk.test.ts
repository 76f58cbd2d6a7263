import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fill, mountDisk, mountable } from '../../crash/faults/disk.ts';
import { startProgram } from '../support/process.ts';

const DAY_MS = 86_400_000;
/** Less than what logging stops at. */
const LEFT_MB = 100;
const [CALLS, PER_CALL] = [50, 100];

test.runIf(await mountable())(
  'A4: on a full disk logging is refused, reading goes on, and retention makes room',
  async () => {
    const disk = await mountDisk();
    onTestFinished(() => disk[Symbol.asyncDispose]());
    const { graphql } = await startProgram({ directory: disk.path });
    const free = async () => {
      const { bavail, bsize } = await statfs(disk.path);
      return bavail * bsize;
    };
    const log = () => graphql('mutation { logEvent(input: { code: "SYS-001" }) { outcome } }');
    const logMany =
      'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { outcome } } }';
    const old = Array.from({ length: PER_CALL }, () => ({
      code: 'SYS-001',
      severity: 'DEBUG',
      timestamp: new Date(Date.now() - 5 * DAY_MS).toISOString(),
      metadata: { filling: Array.from({ length: 300 }, () => Math.random()).join() },
    }));
    for (let call = 0; call < CALLS; call++) await graphql(logMany, { input: old });
    // The first run of its own, some seconds after the start, would stand in the way of the one below.
    await expect
      .poll(() => graphql('{ retentionRuns(first: 1) { finishedAt } }'), { timeout: 30_000 })
      .toEqual({ data: { retentionRuns: [{ finishedAt: expect.any(String) }] } });

    const ballast = join(disk.path, 'ballast');
    await fill(ballast, LEFT_MB);
    let noticed = 0; // what was logged until the disk was found full
    await expect
      .poll(async () => {
        const answer = await log();
        if (answer.data) noticed++;
        return answer;
      })
      .toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
    expect(await graphql('{ events(first: 1) { totalCount } }')).toMatchObject({
      data: { events: { totalCount: CALLS * PER_CALL + noticed } },
    });
    // What is done here is told in the log, for which there is still room.
    const { data } = await graphql('mutation { createApiKey(name: "k", scopes: [EVENTS_READ]) { apiKey { id } } }'); // oxfmt-ignore
    expect(await graphql(`mutation { revokeApiKey(id: "${data.createApiKey.apiKey.id}") { id } }`)).toMatchObject({ data: { revokeApiKey: {} } }); // oxfmt-ignore
    const before = await free();
    await graphql('mutation { setRetention(severity: DEBUG, days: 1) { days } }');
    const answer = await graphql('mutation { runRetention { error postponed events bytesFreed } }');
    expect(answer).toMatchObject({
      data: { runRetention: { error: null, postponed: 0, events: CALLS * PER_CALL } },
    });
    expect((await free()) - before).toBeGreaterThan(answer.data.runRetention.bytesFreed / 2);

    await rm(ballast);
    await expect
      .poll(log, { timeout: 30_000 })
      .toMatchObject({ data: { logEvent: { outcome: 'STORED' } } });
  },
  120_000,
);
