// A consumer leaves an async generator by `return`, which waits for what the generator itself waits for. One that may wait
// for long is told first.

/** The generator, whose `return` first calls `leave`; that ends what it waits for. */
export const leavable = <T>(
  generator: AsyncGenerator<T, void, void>,
  leave: () => unknown,
): AsyncGenerator<T, void, void> => {
  const stop = generator.return.bind(generator);
  generator.return = async (value) => {
    await leave();
    return stop(value);
  };
  return generator;
};
