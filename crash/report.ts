// What a run came to, in words and as the table that the README shows.

import { type Fault, faults } from './faults.ts';
import type { Happened, Report } from './run.ts';

const number = (value: number): string => Math.round(value).toLocaleString('en-US');

export const killsOf = (happened: readonly Happened[]): number =>
  happened.reduce((sum, { fault }) => sum + fault.kills, 0);

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const print = (report: Report): string => {
  const { options, happened, began, seconds } = report;
  const lines = [
    `Crash suite, profile ${options.profile}${options.negative ? ', negative control' : ''}, seed ${options.seed}, ${began.toISOString().slice(0, 10)}, ${number(seconds)} s`,
    '',
    `events sent          ${number(report.sent)}`,
    `events acknowledged  ${number(report.acknowledged)}`,
    `events stored        ${number(report.stored)}`,
    `events delivered     ${number(report.delivered)}`,
    `calls                ${number(report.calls)}, of which refused ${number(report.refused)} and cut off ${number(report.silent)}; slowest answer ${number(report.slowestMs)} ms`,
    `faults               ${happened.length}, of which ${killsOf(happened)} kills`,
    '',
    '| row | fault | times | acknowledged again after, median (most) | delivered again after, median |',
    '|---|---|---|---|---|',
    ...faults.flatMap((fault) => rowOf(fault, happened)),
    '',
    ...report.skipped.map((text) => `skipped: ${text}`),
    `anomalies            ${report.anomalies}`,
    ...report.examples.map((text) => `  ${text}`),
  ];
  return `${lines.join('\n')}\n`;
};

const rowOf = (fault: Fault, happened: readonly Happened[]): string[] => {
  const mine = happened.filter((of) => of.fault === fault);
  if (mine.length === 0) return [];
  const recovered = mine.map(({ recoveredMs }) => recoveredMs);
  const delivered = mine.map(({ recoveredMs, deliveredMs }) => recoveredMs + deliveredMs);
  return [
    `| ${fault.row} | ${fault.about} | ${mine.length} | ${number(median(recovered))} ms (${number(Math.max(...recovered))}) | ${number(median(delivered))} ms |`,
  ];
};
