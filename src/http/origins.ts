// Requests from the pages of browsers. A page of our own host may do what anybody may; a page of another one is answered only
// where some key is for it, and what it may do is still what its key may.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access/authenticate.ts';

/** Browsers ask again after so long. */
const PREFLIGHT_SECONDS = 600;

/** Whether the request says that it comes from a page of another host. */
export const isForeign = ({ headers: { origin, host } }: IncomingMessage): boolean =>
  origin !== undefined && URL.parse(origin)?.host !== host;

/** Lets the page of another host that asks read the answer, where it may; true where that was all that was asked. */
export const answerOrigin = async (
  request: IncomingMessage,
  response: ServerResponse,
  { isOrigin }: Access,
): Promise<boolean> => {
  const asked = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
  response.setHeader('Vary', 'Origin');
  const origin = request.headers.origin!;
  if (await isOrigin(origin)) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    if (asked) {
      response.setHeader('Access-Control-Allow-Methods', 'POST');
      response.setHeader('Access-Control-Allow-Headers', 'authorization, content-type, content-encoding'); // oxfmt-ignore
      response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS);
    }
  }
  if (asked) response.writeHead(204).end();
  return asked;
};
