// The page of GraphiQL, and what a browser may do on it: run the scripts that are in it and no others, and ask this server.

import { createHash } from 'node:crypto';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

type Options = Parameters<typeof renderGraphiQL>[0];
export type Page = {
  readonly render: (options?: Options) => string;
  /** The Content-Security-Policy of the page that was rendered. */
  readonly policy: () => string;
};

/** The page is always the same, and has 9 MB: it is made when it is first asked for. */
export const createPage = (): Page => {
  let html: string | undefined;
  let policy: string | undefined;
  return {
    render: (options) => (html ??= renderGraphiQL(options)),
    policy: () => (policy ??= policyOf(html ?? '')),
  };
};

const policyOf = (html: string): string => {
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script]) => script!);
  const hashes = scripts.map(
    (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return [
    `default-src 'none'`,
    `script-src ${hashes.join(' ')}`,
    `worker-src blob: data:`, // the editor's, made by the script itself
    `style-src 'unsafe-inline'`,
    `font-src data:`,
    `img-src data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
};
