import { goTo } from "../app/router.ts";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { count } from "../i18n/i18n.ts";
import { Said } from "../ui/said.tsx";
import * as draft from "./draft.ts";
import { FrameWhy } from "./frame-why.tsx";
import type { Effect } from "./types.ts";
import { type RulesKey, w } from "./words.ts";

/** What the draft would do to who talks now. */
export function Beside() {
  const e = draft.effects.value;
  const empty = !draft.dirty.value;
  return (
    <aside class="what-if" aria-label={w("whatIf")}>
      <div class="what-if-head">
        <h2>{w("whatIf")}</h2>
        <label class="small">
          {w("last")}{" "}
          <select
            value={String(draft.seconds.value)}
            onChange={(x) => (draft.seconds.value = Number(x.currentTarget.value))}
          >
            {[10, 60, 300].map((s) => (
              <option key={s} value={String(s)} selected={s === draft.seconds.value}>
                {w("seconds", { n: String(s) })}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="quiet small" role="status">
        {empty
          ? w("noDraft")
          : draft.asking.value
            ? w("asking")
            : !draft.sound.value
              ? w("notSound")
              : draft.refused.value
                ? w("draftRefused")
                : e
                  ? w("looked", { connections: count(e.connections), frames: count(e.frames) })
                  : w("onlyWords")}
      </p>
      {e && (
        <div class={draft.asking.value ? "stale" : ""}>
          {e.assertions.length > 0 && (
            <ul class="asserted" aria-label={w("assertions")}>
              {e.assertions.map((a) => (
                <li key={a.id} class={a.holds ? "holds" : a.turns ? "turns" : "red"}>
                  <span class={`mark ${a.holds ? "accept" : "reject"} strong`}>
                    {w(a.holds ? "holdsAgain" : a.turns ? "turns" : "staysRed")}
                  </span>{" "}
                  {a.name}
                  {!a.holds && a.text && (
                    <small class="quiet" lang="en">
                      {a.text}
                    </small>
                  )}
                </li>
              ))}
            </ul>
          )}
          <Group title="newlyRefused" n={e.counts.newlyRefused} list={e.newlyRefused} tone="reject" />
          <Group title="kept" n={e.counts.keptAsTracked} list={e.keptAsTracked} tone="control" />
          <Group title="newlyPassed" n={e.counts.newlyPassed} list={e.newlyPassed} tone="accept" />
          <p class="quiet small">{w("unaffected", { n: count(e.counts.unaffected) })}</p>
        </div>
      )}
    </aside>
  );
}

const protocols: Readonly<Record<number, string>> = { 1: "icmp", 6: "tcp", 17: "udp" };

const nameOfAddress = (address: string): string => {
  const n = state.topology.value?.networkInterfaces.find((x) =>
    x.privateIps.some((p) => p.address === address || p.publicIp === address),
  );
  if (n) return state.holderName(n.id) || state.eniName(n);
  return state.topology.value?.internetHosts.find((h) => h.address === address)?.name ?? "";
};

const reasonText = (name: string): string => state.reasons.value.find((r) => r.name === name)?.text ?? name;

interface Kin {
  first: Effect;
  connections: number;
  frames: number;
}

/** Effects alike but for the sender's port are one line. */
function kin(list: readonly Effect[]): Kin[] {
  const by = new Map<string, Kin>();
  for (const e of list) {
    const key = [e.source.address, e.destination, e.protocol, e.port ?? 0, e.reason, e.rule, e.ofAnswer].join(
      " ",
    );
    const k = by.get(key);
    if (k) {
      k.connections++;
      k.frames += e.frames;
      if (!k.first.cursor && e.cursor) k.first = e;
    } else by.set(key, { first: e, connections: 1, frames: e.frames });
  }
  return [...by.values()];
}

function Group({
  title,
  n,
  list,
  tone,
}: {
  title: RulesKey;
  n: number;
  list: readonly Effect[];
  tone: "reject" | "control" | "accept";
}) {
  const shown = kin(list);
  return (
    <section class="effects">
      <h3>
        <span class={`mark ${tone} strong`}>{w(title)}</span> <b class="num">{count(n)}</b>
      </h3>
      {n > 0 && <p class="quiet small">{w(`${title}.hint` as RulesKey)}</p>}
      <ul>
        {shown.map((k) => (
          <Line
            key={`${k.first.source.address}:${k.first.sourcePort}>${k.first.destination}:${k.first.port}${k.first.protocol}`}
            of={k}
          />
        ))}
      </ul>
      {n > list.length && <p class="quiet small">{w("more", { n: count(n - list.length) })}</p>}
    </section>
  );
}

function Line({ of: { first: e, connections, frames } }: { of: Kin }) {
  const from =
    (e.source.networkInterfaceId && state.holderName(e.source.networkInterfaceId)) ||
    nameOfAddress(e.source.address);
  const to = nameOfAddress(e.destination);
  const at = e.networkInterfaceId ?? "";
  return (
    <li>
      <div>
        <b>{from || e.source.address}</b> → <b>{to || e.destination}</b>{" "}
        <code>
          {protocols[e.protocol] ?? e.protocol}
          {e.port ? ` ${e.port}` : ""}
        </code>
      </div>
      <div class="small quiet">
        {e.connection ? w("connections", { n: count(connections) }) : w("refusedFrames")} ·{" "}
        {w("frames", { n: count(frames) })}
        {e.reason && (
          <>
            {" · "}
            <Said text={reasonText(e.reason)} reason={e.reason} />
            {e.rule && (
              <>
                {" "}
                <code>{e.rule}</code>
              </>
            )}
          </>
        )}
        {e.ofAnswer && ` · ${w("ofAnswer")}`}
      </div>
      <div class="small links">
        {e.cursor ? <FrameWhy cursor={e.cursor} /> : null}
        {at && (
          <button
            type="button"
            class="link"
            onClick={() => {
              goTo("/live");
              select(at);
            }}
          >
            {w("onMap")}
          </button>
        )}
      </div>
    </li>
  );
}
