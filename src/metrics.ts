// What operators watch, for Prometheus: a line each. Nothing in here says what an event was about.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers });
  collectDefaultMetrics({ register: registry });

  // oxfmt-ignore
  return {
    registry,
    events: counter('jejak_events_total', 'Events that were sent, by what became of them', ['outcome']),
    commitSeconds: histogram('jejak_commit_seconds', 'How long a batch takes to be durable', [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
    batchEvents: histogram('jejak_batch_events', 'Events in a batch', [1, 4, 16, 64, 256, 1024]),
    partitionsMissing: counter('jejak_partitions_missing_total', 'Partitions that should have been there when an event came, and were made then'),
    lagSeconds: histogram('jejak_live_lag_seconds', 'From the commit of a batch until this server had it for its subscribers', [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]),
    frames: counter('jejak_live_frames_total', 'Messages sent to subscribers', ['transport']),
    executions: counter('jejak_live_executions_total', 'Payloads put into words; each serves all subscribers of a group'),
    replays: counter('jejak_live_replays_total', 'Pages read from the table for subscribers behind what is in memory'),
    slowCloses: counter('jejak_live_slow_closes_total', 'Subscribers disconnected because they took nothing for 30 s'),
    cursorErrors: counter('jejak_live_cursor_errors_total', 'Subscriptions refused or ended for their cursor', ['code']),
    rollupEvents: counter('jejak_rollup_events_total', 'Events that this server added to the roll-ups'),
    retentionRuns: counter('jejak_retention_runs_total', 'Runs of retention on this server, by how they ended', ['outcome']),
    retentionSeconds: histogram('jejak_retention_seconds', 'How long a run of retention takes', [0.1, 0.5, 1, 5, 10, 60, 600]),
    retentionRemoved: counter('jejak_retention_removed_total', 'Events that runs on this server removed', ['severity']),
    retentionDropped: counter('jejak_retention_dropped_total', 'Partitions that runs on this server dropped'),
    /** A figure that is looked at when it is asked for. */
    watch: (name: string, help: string, look: () => number) =>
      new Gauge({ name, help, registers, collect() { this.set(look()); } }),
  };
};
