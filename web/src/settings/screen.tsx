import { followInto, ids, pathTo } from "../app/router.ts";
import { Said } from "../ui/said.tsx";
import { failed, useSettings } from "./data.ts";
import { Differences } from "./differences.tsx";
import { Faults } from "./faults.tsx";
import { Impairments } from "./impairments.tsx";
import { Lag } from "./lag.tsx";
import { PageSettings } from "./page.tsx";
import { QuotaSettings } from "./quotas.tsx";
import { Snapshots } from "./snapshots.tsx";
import { TimingSettings } from "./timings.tsx";
import { w } from "./words.ts";

const sections = ["page", "timings", "faults", "impairments", "quotas", "lag", "snapshots", "reset"] as const;

/** What the laboratory and this page are set to. */
export function Settings() {
  return (
    <main class="screen settings" id="main">
      {ids.value[0] === "differences" ? <Differences /> : <All />}
    </main>
  );
}

function All() {
  useSettings();
  return (
    <>
      <header class="screen-head">
        <h2>{w("title")}</h2>
        <span class="spacer" />
        <a
          href={pathTo("settings", ["differences"])}
          onClick={(e) => followInto(e, "settings", ["differences"])}
        >
          {w("differences")}
        </a>
      </header>
      {failed.value && (
        <p class="alert" role="alert">
          {w("failed")} <Said text={failed.value} />
        </p>
      )}
      <nav class="settings-nav" aria-label={w("contents")}>
        {sections.map((s) => (
          <a
            key={s}
            href={`#${s}`}
            onClick={(e) => {
              e.preventDefault();
              const to = document.getElementById(`setting-${s}`);
              to?.scrollIntoView();
              to?.querySelector<HTMLElement>("h3")?.focus();
            }}
          >
            {w(s)}
          </a>
        ))}
      </nav>
      <PageSettings />
      <TimingSettings />
      <Faults />
      <Impairments />
      <QuotaSettings />
      <Lag />
      <Snapshots />
    </>
  );
}
