// Addresses and blocks of them as PostgreSQL reads and prints them, so that what is compared here is compared alike there.

import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { JejakError } from '../errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** ipaddr.js would also take 010.1 as octal, and zones, and ::10.0.0.1 as ::ffff:10.0.0.1. */
const parseAddress = (text: string): Address | undefined => {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!ipaddr.IPv6.isValid(text) || text.includes('%')) return undefined;
  return ipaddr.IPv6.parse(/^::\d+\./.test(text) ? `0:0${text}` : text);
};

const isV4 = (address: Address): address is ipaddr.IPv4 => address.kind() === 'ipv4';

/** An address as PostgreSQL prints it, so that an answer and a later reading are alike; undefined if there is no such one. */
export const canonicalAddress = (text: string): string | undefined => {
  if (isIPv4(text)) return text;
  const address = parseAddress(text);
  if (!address || isV4(address)) return address?.toString();
  const [high, low] = [address.parts[6]!, address.parts[7]!];
  const embedsV4 =
    address.parts.slice(0, 5).every((part) => part === 0) &&
    (address.parts[5] === 0xffff || (address.parts[5] === 0 && high !== 0));
  if (!embedsV4) return address.toRFC5952String();
  const dotted = [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return address.parts[5] === 0 ? `::${dotted}` : `::ffff:${dotted}`;
};

/** The addresses whose first `bits` are those of `network`. */
export type Block = { readonly network: Address; readonly bits: number };

/** Of an address or a CIDR block such as 10.0.0.0/8. Throws BAD_USER_INPUT. */
export const parseBlock = (text: string): Block => {
  const [, written = text, length] = /^(.*)\/(\d+)$/.exec(text) ?? [];
  const network = parseAddress(written);
  const most = network && isV4(network) ? 32 : 128;
  const bits = Number(length ?? most);
  if (!network || bits > most)
    throw new JejakError(
      'BAD_USER_INPUT',
      `"${text}" is neither an address nor a CIDR block such as 10.0.0.0/8.`,
    );
  return { network, bits };
};

export const formatBlock = ({ network, bits }: Block): string => `${network.toString()}/${bits}`;

/** Of the blocks that an address is marked by, see `event_marks` in drizzle/, how long is the least that holds this one?
 * Undefined where it is larger than all of them. */
export const markedBits = ({ network, bits }: Block): number | undefined =>
  (isV4(network) ? [32, 24, 16] : [128, 64, 48]).find((marked) => marked <= bits);

/** Whether a stored address is one of the block's; an IPv4 address is none of IPv6. */
export const contains = ({ network, bits }: Block, stored: string): boolean => {
  const address = parseAddress(stored)!;
  return address.kind() === network.kind() && address.match(network, bits);
};
