// One message of a subscription as a frame of a WebSocket (RFC 6455, 5.2: final, text, unmasked). It is put together here and not
// by `ws`, so that the JSON that many sockets share is not encoded again for each, and frames go out in one write.

const TEXT = 0x81;
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

const END = Buffer.from('}');

/** The `next` message with this JSON as its payload, in parts. */
export const frameOf = (id: string, json: Buffer): readonly Buffer[] => {
  const start = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  return [headerOf(start.length + json.length + END.length), start, json, END];
};

const headerOf = (length: number): Buffer => {
  if (length < TWO_BYTES) return Buffer.from([TEXT, length]);
  const long = length > 0xffff;
  const header = Buffer.allocUnsafe(long ? 10 : 4);
  header[0] = TEXT;
  header[1] = long ? EIGHT_BYTES : TWO_BYTES;
  if (long) header.writeBigUInt64BE(BigInt(length), 2);
  else header.writeUInt16BE(length, 2);
  return header;
};
