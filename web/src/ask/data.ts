import { batch, effect, signal } from "@preact/signals";
import { del, get, post } from "../api/client.ts";
import { askPath, query } from "../app/router.ts";
import * as state from "../app/state.ts";
import { w } from "../rules/words.ts";
import { say } from "../ui/announce.ts";
import { toast, toastError } from "../ui/toast.tsx";
import { labelOf, meant } from "./ends.ts";
import type { Assertion, PredictedHop, Reachability } from "./types.ts";

// One question, its answer, and the assertions that stay.

export const from = signal("");
export const to = signal("");
export const protocol = signal("tcp");
export const port = signal("80");
export const probes = signal("0");
export const answer = signal<Reachability | null>(null);
export const problem = signal("");
export const asking = signal(false);

/** Fills the form from the address, and asks if the question is whole. */
export function fromAddress(): void {
  const q = new URLSearchParams(query.value);
  if (!q.has("from") && !q.has("to")) return;
  batch(() => {
    if (q.has("from")) from.value = labelOf(q.get("from")!);
    if (q.has("to")) to.value = labelOf(q.get("to")!);
    protocol.value = q.get("protocol") ?? "tcp";
    if (q.has("port")) port.value = q.get("port")!;
  });
  if (from.value && to.value) void ask();
}

interface Question {
  source: string;
  destination: string;
  protocol: string;
  port?: number;
}

function question(): Question | null {
  const [source, destination] = [meant(from.value), meant(to.value)];
  for (const [text, found] of [
    [from.value, source],
    [to.value, destination],
  ] as const)
    if (!found) {
      problem.value = w("unknownEnd", { name: text || "–" });
      return null;
    }
  const q: Question = { source, destination, protocol: protocol.value };
  if (protocol.value !== "icmp") {
    if (!/^\d+$/.test(port.value.trim()) || Number(port.value) < 1 || Number(port.value) > 65535) {
      problem.value = w("badPorts");
      return null;
    }
    q.port = Number(port.value);
  }
  return q;
}

let asked = 0;

export async function ask(): Promise<void> {
  problem.value = "";
  const q = question();
  if (!q) return;
  const mine = ++asked;
  asking.value = true;
  history.replaceState(
    null,
    "",
    askPath({ from: q.source, to: q.destination, protocol: q.protocol, port: q.port ? String(q.port) : "" }),
  );
  try {
    const n = Number(probes.value);
    const got = await post<Reachability>("/reachability", { ...q, ...(n > 0 && { probes: n }) });
    if (mine !== asked) return;
    answer.value = got;
    say(w(got.reachable));
  } catch (err) {
    if (mine !== asked) return;
    answer.value = null;
    problem.value = err instanceof Error ? err.message : String(err);
  } finally {
    if (mine === asked) asking.value = false;
  }
}

/** The places of the map that a predicted packet passes, there. */
export function placesOf(a: Reachability): string[] {
  const nats = new Map(state.topology.value?.natGateways?.map((g) => [g.networkInterfaceId ?? "", g.id]));
  const places: string[] = [];
  const pass = (id: string | undefined): void => {
    const at = id && (nats.get(id) ?? id);
    if (at && places.at(-1) !== at) places.push(at);
  };
  const drawn = (h: PredictedHop): boolean =>
    [
      "interface",
      "internet-gateway",
      "nat-gateway",
      "vpc-endpoint",
      "peering",
      "transit-gateway",
      "appliance",
    ].includes(h.component);
  pass(a.from.networkInterfaceId);
  for (const h of a.forward.hops) {
    if (drawn(h)) pass(h.id);
    if (h.outcome === "stop" && h.direction === "egress") break;
  }
  if (a.reachable !== "no" || a.forward.hops.every((h) => h.outcome === "pass" || h.direction === "ingress"))
    pass(a.forward.networkInterfaceId);
  return places;
}

export function draw(a: Reachability): void {
  state.predicted.value = { places: placesOf(a), verdict: a.forward.arrives ? "accept" : "reject" };
}

export const assertions = signal<readonly Assertion[] | null>(null);
export const assertionProblem = signal("");

/** Asks for what is asserted, and again after every change of the network. */
export function followAssertions(): () => void {
  return effect(() => {
    if (state.topology.value) void loadAssertions();
  });
}

let red: ReadonlySet<string> = new Set();

/** Shows how many are red, and says which has turned. */
function tellRed(now: readonly Assertion[]): void {
  const turned = now.filter((a) => !red.has(a.id));
  red = new Set(now.map((a) => a.id));
  state.redAssertions.value = now.length;
  if (turned.length > 0) say(w("turnedRed", { names: turned.map((a) => a.name).join(", ") }));
}

let loading = false;
let again = false;
export async function loadAssertions(): Promise<void> {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  try {
    assertions.value = (await get<{ items: Assertion[] }>("/assertions?limit=1000")).items;
    assertionProblem.value = "";
    tellRed(assertions.value.filter((a) => !a.state.holds));
  } catch (err) {
    assertionProblem.value = err instanceof Error ? err.message : String(err);
  } finally {
    loading = false;
    if (again) {
      again = false;
      void loadAssertions();
    }
  }
}

/** Keeps what is asked as what must be so, or must not. */
export async function assert(mustNot: boolean): Promise<void> {
  const q = question();
  if (!q) return;
  const on = q.port ? `${q.protocol}/${q.port}` : q.protocol;
  const name = w(mustNot ? "mustNotReach" : "mustReach", {
    from: labelOf(q.source),
    to: labelOf(q.destination),
    port: on,
  });
  const { source, ...rest } = q;
  try {
    await post("/assertions", { name, sourceId: source, ...rest, mustNot });
    toast(w("assertedNow", { name }));
  } catch (err) {
    toastError(err);
  }
  await loadAssertions();
}

export async function unassert(a: Assertion): Promise<void> {
  try {
    await del(`/assertions/${a.id}`);
    const { name, sourceId, destination, protocol: p, port: n, mustNot } = a;
    toast(w("deletedOne", { name }), {
      label: w("putBack"),
      run: () =>
        void post("/assertions", { name, sourceId, destination, protocol: p, ...(n && { port: n }), mustNot })
          .catch(toastError)
          .then(loadAssertions),
    });
  } catch (err) {
    toastError(err);
  }
  await loadAssertions();
}
