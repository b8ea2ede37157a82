import { signal } from "@preact/signals";
import { plain } from "../api/names.ts";
import type { LabEvent } from "../api/types.ts";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { clock, instant, t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { has, Search } from "./search.tsx";
import { w } from "./words.ts";

// What has happened in the laboratory, whoever did it.

const sought = signal("");

/** An event's details in one line. */
export const brief = (detail: unknown): string => {
  if (detail === undefined || detail === null) return "";
  if (typeof detail === "string") return detail;
  if (typeof detail !== "object") return String(detail);
  return Object.entries(detail as Record<string, unknown>)
    .map(([k, v]) => `${k}=${typeof v === "object" ? JSON.stringify(v) : String(v)}`)
    .join("  ");
};

/** The name of what an event is about, if it is there and has one. */
function nameOf(id: string): string {
  const n = state.enisById.value.get(id);
  if (n) return `${state.holderName(id)} ${state.eniName(n)}`.trim();
  const name = state.instanceName(id);
  return name === id ? "" : name;
}

export function Events() {
  const all = state.events.value;
  if (all.length === 0) return <p class="empty">{t("events.empty")}</p>;
  const shown = sought.value
    ? all.filter((e) => has(`${e.type} ${e.resource} ${nameOf(e.resource)} ${brief(e.detail)}`, sought.value))
    : all;
  return (
    <>
      <div class="calls-tools">
        <Search text={sought} label={w("seekEvents")} shown={shown.length} of={all.length} />
      </div>
      {shown.length === 0 ? (
        <p class="empty">{w("noneSought")}</p>
      ) : (
        <Scroll label={t("events.label")}>
          <table class="plain events">
            <colgroup>
              <col class="col-time" />
              <col class="col-type" />
              <col class="col-resource" />
              <col />
              <col class="col-copy" />
            </colgroup>
            <thead>
              <tr>
                <th scope="col">{t("events.time")}</th>
                <th scope="col">{t("events.type")}</th>
                <th scope="col">{t("events.resource")}</th>
                <th scope="col">{t("events.detail")}</th>
                <th scope="col">
                  <span class="hidden">{w("copyJson")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((e) => (
                <Row key={e.seq} of={e} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Row({ of: e }: { of: LabEvent }) {
  const text = plain(brief(e.detail), 2000);
  const name = nameOf(e.resource);
  return (
    <tr>
      <td>
        <code>{clock(instant(e.at))}</code>
      </td>
      <td title={e.type}>{e.type}</td>
      <td title={e.resource}>
        {name ? (
          <button type="button" class="link" onClick={() => select(e.resource)}>
            <span class="hidden">{w("show", { name: "" })}</span>
            {name}
          </button>
        ) : (
          <code>{plain(e.resource)}</code>
        )}
      </td>
      <td class="quiet">
        {text.length > 60 ? (
          <details>
            <summary>{text}</summary>
            <span class="whole">{text}</span>
          </details>
        ) : (
          text
        )}
      </td>
      <td>
        <CopyButton text={JSON.stringify(e)} label={w("copyJson")} plain />
      </td>
    </tr>
  );
}
