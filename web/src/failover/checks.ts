import type { Check, Failover } from "../api/types.ts";

/**
 * Whether a check changed because such a move changes it: an address that comes to
 * another interface answers from that one's MAC, and a public address that is moved
 * stands for another private one.
 */
export const meant = (f: Failover, c: Check): boolean =>
  c.result === "changed" &&
  ((f.moved?.kind === "private-addresses" && c.name === "mac") ||
    (f.moved?.kind === "elastic-ip" && c.name === "ip"));
