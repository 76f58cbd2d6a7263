// What may never happen, a line each; whatever finds one notes it here. None of them is what the suite is there to show.

export const kinds = {
  lost: 'acknowledged or stored, and missing from the table or from what a subscriber was sent',
  doubled: 'stored twice, or sent twice to one subscriber across all its connections',
  altered: 'stored or sent with other content, or at another place than the answer said',
  reordered: 'sent against the order of positions, or placed before what was answered earlier',
  unsent: 'stored or sent although nobody logged it',
  unstored: 'sent to a subscriber and not in the table',
  late: 'delivered again later than promised after a fault of the database',
  slow: 'answered later than the bound, whether the database was there or not',
  unclear: 'refused without a code that says what to do',
  dropped: 'a subscription that ended although its server lived',
  died: 'a server that ended, or did not start, without being told',
  stuck: 'service that did not resume after a fault was over',
} as const;

export type Kind = keyof typeof kinds;
export type Anomalies = {
  readonly note: (kind: Kind, text: string) => void;
  readonly count: (kind?: Kind) => number;
  /** The first of each kind, in words. */
  readonly examples: () => readonly string[];
};

const EXAMPLES_EACH = 8;

/** `say` is told of each example at once. */
export const createAnomalies = (say: (text: string) => void = () => {}): Anomalies => {
  const counts = new Map<Kind, number>();
  const examples: string[] = [];
  return {
    note: (kind, text) => {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count > EXAMPLES_EACH) return;
      examples.push(`${kind}: ${text}`);
      say(`${kind}: ${text}`);
    },
    count: (kind) =>
      kind ? (counts.get(kind) ?? 0) : [...counts.values()].reduce((sum, of) => sum + of, 0),
    examples: () => examples,
  };
};
