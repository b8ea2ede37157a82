// Binary messages of /api/v1/stream, little endian. The Go encoder and this
// decoder share golden files under testdata/stream.

export const headerSize = 32;
export const packetSize = 44;
export const edgeSize = 32;

const magic = 0x4e45;
const version = 4;

export const typePackets = 1;
export const typeBins = 2;
/** Bins of what the filter lets through. */
export const typeMatches = 3;

export class CodecError extends Error {}

export interface Header {
  type: number;
  count: number;
  flags: number;
  /** Cursor of the first record; records add their own offset to it. */
  cursor: number;
  /** Microseconds since the Unix epoch: records' base time, or a bin's start. */
  baseMicros: number;
  /** Records left out by sampling or back-pressure since the message before. */
  skipped: number;
  /** Packets: records that matched the filter. Bins: the bin's width in ms. */
  matched: number;
}

/** What takes decoded packet records; the ring implements it without allocating. */
export interface PacketSink {
  push(
    seq: number,
    micros: number,
    src: number,
    dst: number,
    sport: number,
    dport: number,
    length: number,
    etherType: number,
    proto: number,
    verdict: number,
    reason: number,
    flags: number,
    srcVnic: number,
    dstVnic: number,
    rule: number,
    way: number,
  ): void;
}

export interface Edge {
  src: number;
  dst: number;
  accept: number;
  reject: number;
  lost: number;
  control: number;
  bytes: number;
}

// Both fields are below 2^53 in practice (a cursor counts frames; microseconds
// reach 2^53 in the year 2255), so two halves make an exact double.
const u64 = (v: DataView, at: number): number =>
  v.getUint32(at + 4, true) * 4294967296 + v.getUint32(at, true);

export function decodeHeader(v: DataView): Header {
  if (v.byteLength < headerSize) throw new CodecError(`message of ${v.byteLength} bytes has no header`);
  if (v.getUint16(0, true) !== magic) throw new CodecError("message does not start with the stream's magic");
  if (v.getUint8(2) !== version) throw new CodecError(`stream version ${v.getUint8(2)}, want ${version}`);
  const type = v.getUint8(3);
  const count = v.getUint16(4, true);
  const size = type === typePackets ? packetSize : edgeSize;
  if (type < typePackets || type > typeMatches) throw new CodecError(`unknown message type ${type}`);
  if (v.byteLength < headerSize + count * size) {
    throw new CodecError(`message of ${v.byteLength} bytes cannot hold ${count} records`);
  }
  return {
    type,
    count,
    flags: v.getUint16(6, true),
    cursor: u64(v, 8),
    // Nanoseconds do not fit a double; whole microseconds do.
    baseMicros: Number(v.getBigUint64(16, true) / 1000n),
    skipped: v.getUint32(24, true),
    matched: v.getUint32(28, true),
  };
}

export function decodePackets(v: DataView, h: Header, sink: PacketSink): void {
  for (let i = 0, at = headerSize; i < h.count; i++, at += packetSize) {
    sink.push(
      h.cursor + v.getUint32(at, true),
      // Signed: several workers write, so a record may be older than the first of its message.
      h.baseMicros + v.getInt32(at + 4, true),
      v.getUint32(at + 8, true),
      v.getUint32(at + 12, true),
      v.getUint16(at + 16, true),
      v.getUint16(at + 18, true),
      v.getUint16(at + 20, true),
      v.getUint16(at + 22, true),
      v.getUint8(at + 24),
      v.getUint8(at + 25),
      v.getUint8(at + 26),
      v.getUint8(at + 27),
      v.getUint32(at + 28, true),
      v.getUint32(at + 32, true),
      v.getUint32(at + 36, true),
      v.getUint32(at + 40, true),
    );
  }
}

/** Calls visit with one reused Edge per record; keep its values, not the object. */
export function decodeBins(v: DataView, h: Header, visit: (e: Edge) => void): void {
  const e: Edge = { src: 0, dst: 0, accept: 0, reject: 0, lost: 0, control: 0, bytes: 0 };
  for (let i = 0, at = headerSize; i < h.count; i++, at += edgeSize) {
    e.src = v.getUint32(at, true);
    e.dst = v.getUint32(at + 4, true);
    e.accept = v.getUint32(at + 8, true);
    e.reject = v.getUint32(at + 12, true);
    e.lost = v.getUint32(at + 16, true);
    e.control = v.getUint32(at + 20, true);
    e.bytes = u64(v, at + 24);
    visit(e);
  }
}
