// What a benchmark is: a file that exports one of these, and a line in main.ts.

import type { Postgres } from './postgres.ts';

export type Setting = {
  readonly postgres: Postgres;
  /** How long each measurement takes, after the warm-up. */
  readonly seconds: number;
  readonly runs: number;
  /** For how long `steady` looks, and over how many rows it and `replay` do. */
  readonly minutes: number;
  readonly rows: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
};

export type Benchmark = {
  readonly about: string;
  /** How long a measurement takes where nobody says; 5 otherwise. */
  readonly seconds?: number;
  /** How many rows it is about where nobody says; 200,000 otherwise. */
  readonly rows?: number;
  readonly run: (setting: Setting) => Promise<void>;
  /** Where the server's time goes. */
  readonly profile?: (setting: Setting) => Promise<void>;
};
