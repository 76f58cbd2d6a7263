// In place of the roll-ups: none.

export const createRollups = (): AsyncDisposable => ({ [Symbol.asyncDispose]: async () => {} });
