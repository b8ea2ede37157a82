// How a record's numbers read. No allocation beyond the strings themselves.

export const ip = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

const etherIPv4 = 0x0800;
const etherARP = 0x0806;
const etherIPv6 = 0x86dd;
const protoICMP = 1;
const protoTCP = 6;
const protoUDP = 17;

export function protocol(etherType: number, proto: number): string {
  if (etherType === etherARP) return "ARP";
  if (etherType === etherIPv6) return "IPv6";
  if (etherType !== etherIPv4) return `0x${etherType.toString(16).padStart(4, "0")}`;
  if (proto === protoTCP) return "TCP";
  if (proto === protoUDP) return "UDP";
  if (proto === protoICMP) return "ICMP";
  return `IP ${proto}`;
}

const flagNames = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

export function tcpFlags(flags: number): string {
  let out = "";
  for (let i = 0; i < 8; i++) if (flags & (1 << i)) out += out ? ` ${flagNames[i]}` : flagNames[i];
  return out;
}

export const hasPorts = (proto: number): boolean => proto === protoTCP || proto === protoUDP;

export function ports(proto: number, sport: number, dport: number, flags: number): string {
  if (proto !== protoTCP && proto !== protoUDP) return "";
  const pair = `${sport} → ${dport}`;
  return proto === protoTCP && flags ? `${pair} ${tcpFlags(flags)}` : pair;
}

/** The number of the step at which a frame ended: the high 8 bits of a record's rule field. */
export const step = (field: number): number => field >>> 24;

/** Whether a gateway changed a frame's addresses: the top bit of a record's way field. */
export const translated = (field: number): boolean => field >>> 31 === 1;

/** Seconds and microseconds of the local clock. */
export function time(micros: number): string {
  const d = new Date(micros / 1000);
  const us = String(Math.floor(micros % 1e6)).padStart(6, "0");
  const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${us}`;
}

/** Seconds and microseconds from one instant to another, with a sign. */
export function since(micros: number, from: number): string {
  const d = micros - from;
  return `${d < 0 ? "−" : "+"}${(Math.abs(d) / 1e6).toFixed(6)}`;
}

/** A long id with its middle left out: the prefix says what it is, the end tells it apart. */
export function shortId(id: string): string {
  if (id.length <= 16) return id;
  const dash = id.indexOf("-");
  return `${id.slice(0, dash + 1)}…${id.slice(-6)}`;
}
