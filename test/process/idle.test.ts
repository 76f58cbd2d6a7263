import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startProgram, temporaryDirectory } from '../support/process.ts';

const SOCKETS = 3_000;
const AT_ONCE = 100;

/** Resident, in MB; nothing elsewhere than on Linux. */
const memoryOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
};

test(`B5: ${SOCKETS} sockets that never say who they are cost little, hold up nobody, and are closed with 4408`, async () => {
  const { url, graphql, process: server } = await startProgram({ directory: await temporaryDirectory() }); // oxfmt-ignore
  const log = async () => {
    const began = performance.now();
    const answer = await graphql('mutation { logEvent(input: { code: "AUTH-001" }) { outcome } }');
    expect(answer).toMatchObject({ data: { logEvent: { outcome: 'STORED' } } });
    return performance.now() - began;
  };
  for (let times = 0; times < 50; times++) await log();
  const before = await memoryOf(server.pid!);

  const closed: Promise<number>[] = [];
  let [slowest, most] = [0, 0];
  while (closed.length < SOCKETS) {
    const sockets = Array.from({ length: AT_ONCE }, () => new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')); // oxfmt-ignore
    closed.push(...sockets.map((socket) => once(socket, 'close').then(([code]) => code as number)));
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    slowest = Math.max(slowest, await log());
    most = Math.max(most, await memoryOf(server.pid!));
  }
  expect(most - before).toBeLessThan(150);
  expect(slowest).toBeLessThan(2_000);
  expect(new Set(await Promise.all(closed))).toEqual(new Set([4408]));
  await log();
}, 120_000);
