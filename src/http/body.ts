// The body of a request as JSON: bounded, and UTF-8 to the letter.

import type { IncomingMessage } from 'node:http';
import { JejakError } from '../errors.ts';

export const MAX_BODY_BYTES = 1024 * 1024;

export const readJson = async (request: IncomingMessage): Promise<unknown> => {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new JejakError('BAD_USER_INPUT', 'Send JSON, with "Content-Type: application/json".', {
      details: { status: 415 },
    });
  const text = decode(await readBytes(request));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JejakError('BAD_USER_INPUT', `The body is not JSON: ${(cause as Error).message}.`, {
      cause,
    });
  }
};

const readBytes = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES)
      throw new JejakError(
        'BAD_USER_INPUT',
        `The body is larger than ${MAX_BODY_BYTES} bytes; send fewer events at a time.`,
        { details: { status: 413 } },
      );
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

const decode = (bytes: Buffer): string => {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new JejakError('BAD_USER_INPUT', 'The body is not UTF-8.', { cause });
  }
};
