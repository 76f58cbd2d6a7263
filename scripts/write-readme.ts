// Fills the tables of the README that the code knows; with --check only says whether they are up to date.

import { readFile, writeFile } from 'node:fs/promises';
import type { GraphQLObjectType } from 'graphql';
import { scopes } from '../src/access/viewer.ts';
import { options } from '../src/config.ts';
import { errorCodes } from '../src/errors.ts';
import { rejections } from '../src/events/complete.ts';
import { fieldNames, fields } from '../src/events/fields.ts';
import { type Rule, privateFields, rules } from '../src/events/privacy.ts';
import { schema } from '../src/graphql/schema.ts';

const inGraphql = (schema.getType('Event') as GraphQLObjectType).getFields();
const file = new URL('../README.md', import.meta.url);

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
    .replaceAll(/^\| --- .*$/gm, `|${'---|'.repeat(head.length)}`);

const tables: Record<string, string> = {
  fields: table(
    ['in GraphQL', 'over REST and in SQL', 'what'],
    fieldNames.map((name) => [
      name in inGraphql ? `\`${name}\`` : '',
      `\`${fields[name].column}\``,
      fields[name].about + (fields[name].by === 'server' ? ' Not sent: the server says it.' : ''),
    ]),
  ),
  scopes: table(
    ['scope', 'what it allows'],
    Object.entries(scopes).map(([name, about]) => [`\`${name}\``, about]),
  ),
  errors: table(
    ['code', 'HTTP', 'meaning'],
    Object.entries(errorCodes).map(([code, { status, about }]) => [
      `\`${code}\``,
      String(status),
      about,
    ]),
  ),
  rejections: table(
    ['code', 'meaning'],
    Object.entries(rejections).map(([code, about]) => [`\`${code}\``, about]),
  ),
  private: table(
    ['rule', 'becomes', 'what', 'keys, among others'],
    [
      ...privateFields.map((name) => [
        `the column \`${fields[name].column}\``,
        (fields[name] as { privacy: string }).privacy,
        '',
        '',
      ]),
      ...Object.entries(rules).map(([name, { action, about, keys, ...rule }]: [string, Rule]) => [
        `\`${name}\``,
        action + (rule.always ? ', always' : ''),
        about,
        keys
          .split(' ')
          .slice(0, 6)
          .map((key) => `\`${key}\``)
          .join(' '),
      ]),
    ],
  ),
  options: table(
    ['variable', 'meaning', 'default'],
    Object.entries(options).map(([name, option]) => [
      `\`${name}\``,
      option.about,
      'default' in option ? `\`${option.default}\`` : 'unset',
    ]),
  ),
};

const before = await readFile(file, 'utf8');
const after = Object.entries(tables).reduce(
  (text, [name, rows]) =>
    text.replace(new RegExp(`<!-- ${name} -->\\n(\\|.*\\n)*`), () => `<!-- ${name} -->\n${rows}\n`),
  before,
);

if (!process.argv.includes('--check')) await writeFile(file, after);
else if (after !== before) {
  process.stderr.write('README.md is stale: run "npm run readme" and commit it.\n');
  process.exitCode = 1;
}
