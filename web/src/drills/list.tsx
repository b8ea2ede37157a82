import { followInto } from "../app/router.ts";
import { language, t } from "../i18n/i18n.ts";
import { Scroll } from "../ui/scroll.tsx";
import { drills, trials } from "./data.ts";
import { duration } from "./figures.ts";
import { Trials, VerdictBadge } from "./trials.tsx";
import type { Drill } from "./types.ts";

/** What a page's title says, else what the file says of itself, which is English. */
export function Title({ drill: d }: { drill: Drill }) {
  const title = language.value === "ko" ? d.titleKo : d.title;
  return <span lang={title ? language.value : "en"}>{title ?? d.description}</span>;
}

export const takes = (d: Drill): string => (d.takesMs ? duration(d.takesMs * 1e6) : t("drills.takesUnknown"));

/** All drills of the server, and what came of the last ones. */
export function List() {
  const list = drills.value;
  return (
    <>
      <header class="screen-head">
        <h2>{t("drills.title")}</h2>
      </header>
      <p class="quiet lead">{t("drills.lead")}</p>
      {list ? <Table list={list} /> : <p class="quiet">{t("drills.loading")}</p>}
      {trials.value.length > 0 && (
        <section>
          <h3>{t("drills.recent")}</h3>
          <Trials list={trials.value.slice(0, 12)} named />
        </section>
      )}
    </>
  );
}

function Table({ list }: { list: readonly Drill[] }) {
  return (
    <Scroll label={t("drills.title")}>
      <table class="plain roomy drill-table">
        <thead>
          <tr>
            <th scope="col">{t("drills.what")}</th>
            <th scope="col" class="num wide-only">
              {t("drills.asserts")}
            </th>
            <th scope="col" class="num wide-only" title={t("drills.takesHint")}>
              {t("drills.takes")}
            </th>
            <th scope="col">{t("drills.last")}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((d) => (
            <Row key={d.name} drill={d} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Row({ drill: d }: { drill: Drill }) {
  // Where it takes two to see a difference, they share a page.
  const shared = d.title !== undefined && drills.value?.some((x) => x !== d && x.title === d.title);
  const last = trials.value.find((x) => x.drill === d.name);
  return (
    <tr data-drill={d.name}>
      <td class="drill-name">
        <a href={`/drills/${d.name}`} onClick={(e) => followInto(e, "drills", [d.name])}>
          <Title drill={d} />
          {shared && <span class="quiet"> · {d.name}</span>}
        </a>
        <small class="quiet">
          <code>{d.name}</code>
          {((language.value === "ko" ? d.titleKo : d.title) ?? "") !== "" && (
            <span lang="en" class="wide-only">
              {d.description}
            </span>
          )}
        </small>
      </td>
      <td class="num wide-only">{d.assertions.length}</td>
      <td class="num wide-only">{takes(d)}</td>
      <td>
        {last ? (
          <a
            href={`/drills/${d.name}/${last.id}`}
            onClick={(e) => followInto(e, "drills", [d.name, last.id])}
          >
            <VerdictBadge trial={last} />
          </a>
        ) : (
          <span class="quiet">–</span>
        )}
      </td>
    </tr>
  );
}
