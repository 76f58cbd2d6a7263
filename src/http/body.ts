// The body of a request: JSON, bounded, and UTF-8 to the letter.

import type { IncomingMessage } from 'node:http';
import { JejakError } from '../errors.ts';

export const MAX_BODY_BYTES = 1024 * 1024;

/** The body as text. Rejects with BAD_USER_INPUT for what is not JSON by its content type, too large, or not UTF-8. */
export const readText = async (request: IncomingMessage): Promise<string> => {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new JejakError('BAD_USER_INPUT', 'Send JSON, with "Content-Type: application/json".', {
      details: { status: 415 },
    });
  return decode(await readBytes(request));
};

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JejakError('BAD_USER_INPUT', `The body is not JSON: ${(cause as Error).message}.`, {
      cause,
    });
  }
};

const readBytes = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= MAX_BODY_BYTES) return;
      request.pause();
      reject(
        new JejakError(
          'BAD_USER_INPUT',
          `The body is larger than ${MAX_BODY_BYTES} bytes; send fewer events at a time.`,
          { details: { status: 413 } },
        ),
      );
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
  });

const utf8 = new TextDecoder('utf-8', { fatal: true });

const decode = (bytes: Buffer): string => {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new JejakError('BAD_USER_INPUT', 'The body is not UTF-8.', { cause });
  }
};
