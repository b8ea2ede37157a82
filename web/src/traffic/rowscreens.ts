import { askPath, goTo, rulesPath } from "../app/router.ts";
import * as state from "../app/state.ts";
import { enterStep } from "../packet/mode.ts";
import type { RowRecord } from "./record.ts";
import { addRowEntry } from "./rowentries.ts";
import { hasPorts } from "./text.ts";
import { w } from "./words.ts";

// What other screens can do with a row's frame.

const ported = (r: RowRecord): boolean => r.etherType === 0x0800 && hasPorts(r.proto);
const named = (r: RowRecord): string => r.protocol.toLowerCase();

/** The group that would have to let a refused frame in; "": it is not a group that refused it, or nobody's. */
const refusing = (r: RowRecord): string =>
  r.reason === "ingress_denied" ? (state.enisById.value.get(r.dstEni)?.groups[0]?.id ?? "") : "";

addRowEntry({
  id: "step",
  order: 202,
  label: () => w("stepFrom"),
  run: (r) => enterStep(`${BigInt(Math.round(r.micros)) * 1000n}`),
});
addRowEntry({
  id: "ask",
  order: 203,
  when: (r) => r.srcEni !== "" && r.etherType === 0x0800 && (ported(r) || named(r) === "icmp"),
  label: () => w("askOf"),
  run: (r) => {
    const port = ported(r) ? { port: String(r.dport) } : {};
    goTo(askPath({ from: r.srcEni, to: r.dstEni || r.dst, protocol: named(r), ...port }));
  },
});
addRowEntry({
  id: "rule",
  order: 204,
  when: (r) => refusing(r) !== "" && ported(r),
  label: () => w("ruleFor"),
  run: (r) =>
    goTo(
      rulesPath(refusing(r), {
        add: "ingress",
        protocol: named(r),
        port: String(r.dport),
        peer: `${r.src}/32`,
      }),
    ),
});
