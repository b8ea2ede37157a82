import { useEffect } from "preact/hooks";
import type { Failover } from "../api/types.ts";
import { followInto, go, otherId, pathOf, recordId } from "../app/router.ts";
import { shownFailover } from "../app/select.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { Comparison } from "./compare.tsx";
import { List } from "./list.tsx";
import { FailoverView } from "./panel.tsx";
import { recordTitle, whenOf } from "./words.ts";

/** The records of all moves: their list, one, or two side by side. */
export function Failovers() {
  const id = recordId.value;
  return (
    <main class="screen failovers" id="main">
      {id ? <One id={id} /> : <List />}
    </main>
  );
}

function One({ id }: { id: string }) {
  const f = shownFailover(id);
  const b = otherId.value ? shownFailover(otherId.value) : undefined;
  useEffect(() => {
    document.querySelector("main.screen")?.scrollTo(0, 0);
  }, [id]);
  return (
    <>
      <a class="back" href={pathOf("failovers")} onClick={(e) => followInto(e, "failovers", [])}>
        <Icon name="back" /> {t("records.back")}
      </a>
      {!f && state.topology.value && <p>{t("records.notFound", { id })}</p>}
      {f && (
        <div class="record-columns">
          <div class="record-card">
            <p class="quiet">{whenOf(f)}</p>
            <FailoverView failover={f} />
          </div>
          <div class="record-beside">
            <Beside of={f} other={otherId.value} />
            {b && <Comparison a={f} b={b} />}
            <Often of={f} />
          </div>
        </div>
      )}
    </>
  );
}

/** The choice of another record to compare with. */
function Beside({ of: f, other }: { of: Failover; other: string }) {
  const others = state.failovers.value.filter((x) => x.id !== f.id && x.state !== "running");
  if (others.length === 0) return null;
  return (
    <section>
      <h3>{t("beside.title")}</h3>
      <label class="beside-choice">
        {t("beside.with")}
        <select value={other} onChange={(e) => go("failovers", [f.id], e.currentTarget.value)}>
          <option value="">{t("beside.none")}</option>
          {others.map((x) => (
            <option key={x.id} value={x.id}>
              {`${whenOf(x)} · ${recordTitle(x)}`}
            </option>
          ))}
        </select>
      </label>
    </section>
  );
}

/** One record says little of how long it mostly takes. */
function Often({ of: f }: { of: Failover }) {
  if (f.kind !== "failover" || f.state === "running") return null;
  return (
    <section>
      <h3>{t("records.often")}</h3>
      <p class="quiet">{t("records.oftenHint")}</p>
      {/* The drill that moves what this record says has moved. */}
      <a
        class="button"
        href={`/drills/${state.isOfInterface(f) ? "eni-failover" : "four-strategies"}?runs=20`}
      >
        <Icon name="play" /> {t("records.oftenRun")}
      </a>
    </section>
  );
}
