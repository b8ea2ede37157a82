import type { Failover, Policy } from "../api/types.ts";
import { faultSince, recordDrills, setRecordDrills } from "../app/drill.ts";
import { nextDismissed } from "../app/prefs.ts";
import { follow, pathOf, recordId } from "../app/router.ts";
import * as state from "../app/state.ts";
import { instant, t, word } from "../i18n/i18n.ts";
import { openMoveMenu } from "../topology/move.ts";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { fate } from "./fate.ts";
import { Outage } from "./outage.tsx";
import { Phases, shadesOf } from "./phases.tsx";
import { begunText } from "./words.ts";

// Charts are a third of the page's code, and nothing needs them before a failover.
const Chart = lazy(async () => (await import("./charts.ts")).Chart);
const Result = lazy(async () => (await import("./result.tsx")).Result);
const Courses = lazy(async () => (await import("./charts.ts")).Courses);

/** The record to show, or none while a fault of the served interface's owner waits for its detection. */
function current(): { failover: Failover | null; pressed: boolean } {
  const pressed = faultSince.value > 0;
  // Of another VPC or region this screen tells nothing; of an interface that is no more, what was.
  const newest =
    state.failovers.value.find((f) => {
      const n = state.enisById.value.get(f.networkInterfaceId);
      return !n || state.inView(n.vpcId);
    }) ?? null;
  const its = newest?.state === "running" && newest.kind === "failover";
  return { failover: pressed && !its ? null : newest, pressed };
}

/** The failover tab: what is going on now, else the newest record, else how to begin. */
export function FailoverPanel() {
  const { failover: f, pressed } = current();
  return (
    <div class="panel-body">
      <PolicyLine />
      {f || pressed ? <FailoverView failover={f} /> : <Idle />}
      {f && f.state !== "running" && <NextSteps />}
    </div>
  );
}

/** The number alone, for screens on which the inspector is a drawer; it opens the drawer. */
export function OutageChip() {
  const { failover: f, pressed } = current();
  const policy = state.servedPolicy.value;
  if ((!f && !pressed) || state.inspectorOpen.value) return null;
  return (
    <button
      type="button"
      class="outage-chip"
      onClick={() => {
        state.inspectorTab.value = "failover";
        state.inspectorOpen.value = true;
      }}
    >
      <Outage failover={f} />
      {policy && faultSince.value > 0 && nobodyFor(policy) && (
        <span class="badge alarm">{t("failover.nobody")}</span>
      )}
    </button>
  );
}

/** One record, live or finished. Without a record: the fault is known, its detection is not yet. */
export function FailoverView({ failover: f }: { failover: Failover | null }) {
  const zeroMs = f ? instant(f.control?.faultAt ?? f.startedAt) : faultSince.value;
  // A record stays open until stragglers are judged; the picture ends with the last phase.
  const endMs = f?.endedAt ? instant(f.phases?.at(-1)?.end ?? f.endedAt) : 0;
  // A record can come before the last bins of its window, which a page that was
  // opened after it never gets.
  const soon = endMs * 1000 > state.bins.newest - 5e6 && state.bins.first <= endMs * 1000;
  const covered = !endMs || !state.binsBegun.value || soon || state.bins.covers(zeroMs * 1000, endMs * 1000);
  return (
    <div class="failover">
      {f && (
        <h2 class="record-title">
          {t("failover.title", {
            kind: t(`failover.kind.${f.kind}`),
            from: state.instanceName(f.fromInstanceId) || t("eni.notAttached"),
            to: state.instanceName(f.toInstanceId) || "…",
          })}
          {!state.isOfInterface(f) && <code data-moved={f.moved?.kind}>{whatMoved(f)}</code>}
          <span class={`badge ${f.state === "completed" ? "good" : f.state === "failed" ? "lost" : "busy"}`}>
            {t(`failover.state.${f.state}`)}
          </span>
        </h2>
      )}
      <Outage failover={f} />
      {f && (
        <p class="quiet small">
          {t("begun.title")}: {begunText(f)}
        </p>
      )}
      {f && <Phases failover={f} />}
      {covered && (
        <Chart
          zero={zeroMs * 1000}
          end={endMs * 1000}
          shades={f ? shadesOf(f, zeroMs) : []}
          sync={f?.id ?? "live"}
        />
      )}
      {f && recordId.value && <Courses key={f.id} failover={f} />}
      {f && <Result failover={f} />}
      {f && !recordId.value && <Courses key={f.id} failover={f} />}
    </div>
  );
}

/** The addresses or the route that moved. */
const whatMoved = ({ moved: m }: Failover): string =>
  [m?.addresses?.join(", "), m?.publicIp, m?.destination, m?.routeTableId].filter(Boolean).join(" ");

/** Whether an enabled policy has nobody to turn to, however its interface fares now. */
function nobodyFor(p: Policy): boolean {
  const all = state.statusOf(p).candidates;
  return p.enabled && all !== undefined && !all.some((c) => !c.unfit);
}

/** What the policy does, and whether anybody could take over: never green while nobody can. */
function PolicyLine() {
  const p = state.servedPolicy.value;
  if (!p) return null;
  const st = state.statusOf(p);
  const next = st.candidates?.find((c) => !c.unfit);
  const nobody = nobodyFor(p);
  const well = st.state === "watching" && !faultSince.value && !nobody;
  // Without a fault nothing is lost yet: then it is a warning, not an alarm.
  const alarm = nobody && (faultSince.value > 0 || st.lastProbe?.result === "missed");
  const tone = st.state === "disabled" ? "quiet" : alarm ? "alarm" : well ? "good" : "lost";
  const seen = st.lastProbe?.seen;
  return (
    <div class="policy-line" data-nobody={nobody}>
      <span class={`badge ${tone}`}>
        {alarm ? t("failover.nobody") : nobody ? t("failover.noStandby") : word("failover.policy", st.state)}
      </span>
      {next && <span class="small">{t("failover.next", { name: state.instanceName(next.instanceId) })}</span>}
      {nobody && (
        <ul class="small">
          {st.candidates
            ?.filter((c) => c.unfit !== "owner")
            .map((c) => (
              <li key={c.instanceId}>
                <b>{state.instanceName(c.instanceId)}</b>: {unfit(c.unfit ?? "", c.detail ?? "")}
              </li>
            ))}
        </ul>
      )}
      <span class="quiet small">
        {t("failover.policy", {
          strategy: word("failover.strategy", p.strategy ?? "eni"),
          type: p.probe.type.toUpperCase(),
          interval: p.probe.intervalMs,
          misses: p.probe.misses,
          standbys: p.standbys.map((id) => state.instanceName(id)).join(", ") || "–",
        })}
      </span>
      {st.state !== "watching" && seen && <span class="small">{fate(seen)}</span>}
      {(st.state === "failing-over" || st.state === "fencing") && st.detail && (
        <span class="small" lang="en">
          {st.detail}
        </span>
      )}
    </div>
  );
}

function unfit(why: string, detail: string): string {
  if (why === "state") return word("state", detail);
  if (why === "fault") return word("fault", detail);
  return word("unfit", why);
}

function Idle() {
  const active = state.activeInstance.value;
  const served = state.servedEni.value;
  return (
    <div class="failover">
      <h2 class="record-title">{t("failover.idle")}</h2>
      <p>
        {active && served
          ? t(state.servedPolicy.value ? "failover.idleHint" : "failover.idleAlone", {
              ip: state.servedAddress(served),
              name: state.instanceName(active.id),
            })
          : t("failover.idleNone")}
      </p>
      {active && <RecordToggle />}
      {(state.topology.value?.instances.length ?? 0) > 0 && <Chart zero={0} end={0} shades={[]} />}
    </div>
  );
}

function RecordToggle() {
  return (
    <label class="check-row">
      <input
        type="checkbox"
        checked={recordDrills.value}
        onChange={(e) => setRecordDrills(e.currentTarget.checked)}
      />
      {t("failover.record")}
    </label>
  );
}

/** What one could do now; once dismissed it stays away, and the settings bring it back. */
function NextSteps() {
  if (nextDismissed.value) return <RecordToggle />;
  const drill = state.failovers.value[0];
  return (
    <section class="next">
      <header>
        <h3>{t("next.title")}</h3>
        <button
          type="button"
          class="icon"
          aria-label={t("next.dismiss")}
          title={t("next.dismiss")}
          onClick={() => (nextDismissed.value = true)}
        >
          <Icon name="close" />
        </button>
      </header>
      <ul>
        <li>
          <button type="button" class="link" onClick={openMoveMenu}>
            {t("next.refuse")}
          </button>
        </li>
        <li>
          <button
            type="button"
            class="link"
            onClick={() => {
              state.inspectorTab.value = "path";
            }}
          >
            {t("next.path")}
          </button>
        </li>
        <li>
          <a href={pathOf("captures")} onClick={(e) => follow(e, "captures")}>
            {t("next.capture")}
          </a>
        </li>
        <li>
          <a href={pathOf("failovers")} onClick={(e) => follow(e, "failovers")}>
            {t("next.records")}
          </a>
        </li>
        <li>
          <a
            href={`/drills/${drill && state.isOfInterface(drill) ? "eni-failover" : "four-strategies"}?runs=20`}
          >
            {t("next.often")}
          </a>
        </li>
      </ul>
      <RecordToggle />
    </section>
  );
}
