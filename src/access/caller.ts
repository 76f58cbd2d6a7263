// Where a request comes from: its address, past the proxies that are trusted, and the page that a browser names.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { JejakError } from '../errors.ts';

export type Caller = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Addresses and blocks such as 10.0.0.0/8 as one list. Throws BAD_USER_INPUT for what is neither. */
export const blocksOf = (texts: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const text of texts) {
    const [network = '', bits, ...rest] = text.split('/');
    const version = isIP(network);
    const length = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? length : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
    if (version === 0 || prefix > length || rest.length > 0)
      throw new JejakError(
        'BAD_USER_INPUT',
        `"${text}" is neither an address nor a block of addresses such as 10.0.0.0/8.`,
      );
    list.addSubnet(network, prefix, version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
};

export const isWithin = (blocks: BlockList, address: string | undefined): boolean =>
  address !== undefined &&
  isIP(address) !== 0 &&
  blocks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** The first address that no trusted proxy vouches for; undefined where a trusted one does not name it (trap P8). */
export const addressOf = (caller: Caller, proxies: BlockList): string | undefined => {
  const hops = String(caller.headers['x-forwarded-for'] ?? '').split(',');
  let address = plain(caller.socket.remoteAddress);
  while (isWithin(proxies, address) && hops.length > 0) {
    const hop = hops.pop()!.trim();
    if (hop === '' && hops.length === 0) break;
    address = isIP(hop) === 0 ? undefined : plain(hop);
  }
  return address;
};

/** An IPv4 address that came over IPv6 as what it is. */
const plain = (address: string | undefined): string | undefined =>
  address?.replace(/^::ffff:(?=\d+\.)/i, '');
