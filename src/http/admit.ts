// Who comes in at a door outside GraphQL.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access/authenticate.ts';
import { type Scope, type Viewer, lacking, may } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';

type Door = { readonly access: Access; readonly method: 'GET' | 'POST'; readonly scope: Scope };

/** The viewer who asks. Rejects another method with status 405, and whoever is not known or lacks the scope. */
export const admit = async (
  request: IncomingMessage,
  response: ServerResponse,
  { access, method, scope }: Door,
): Promise<Viewer> => {
  if (request.method !== method) {
    response.setHeader('Allow', method);
    throw new JejakError('BAD_USER_INPUT', `Ask here with ${method}.`, {
      status: 405,
    });
  }
  const viewer = await access.authenticate(request.headers.authorization, request);
  if (!may(viewer, scope)) throw lacking(viewer, scope);
  return viewer;
};
