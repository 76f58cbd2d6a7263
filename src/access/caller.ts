// Where a request comes from: its address, past the proxies that are trusted, and the page that a browser names.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { parseBlock } from '../events/address.ts';

export type Caller = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Addresses and blocks such as 10.0.0.0/8 as one list. Throws BAD_USER_INPUT for what is neither. */
export const blocksOf = (texts: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const { network, bits } of texts.map(parseBlock))
    list.addSubnet(network.toString(), bits, network.kind());
  return list;
};

export const isWithin = (blocks: BlockList, address: string | undefined): boolean =>
  address !== undefined &&
  isIP(address) !== 0 &&
  blocks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** The first address that no trusted proxy vouches for; undefined where a trusted one names what is no address. */
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
