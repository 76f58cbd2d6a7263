import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces a private file in one step, durably. */
export const replaceFile = async (file: string, content: string) => {
  if ((await readIfThere(file)) === content) return;
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, content, { mode: 0o600, flush: true });
  await rename(unfinished, file);
  await flush(dirname(file));
};

/** Makes a directory's entries durable: what was created or renamed in it. */
export const flush = async (directory: string) => {
  await using handle = await open(directory);
  await handle.sync();
};

export const readIfThere = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(
      `Cannot read ${file} (${code}): make it readable for user ${process.getuid?.()}`,
      { cause },
    );
  }
};
