import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { language, t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { trials, whole } from "./data.ts";
import { yamlLine } from "./figures.ts";
import { Form } from "./form.tsx";
import { Title, takes } from "./list.tsx";
import { Teach } from "./teach.tsx";
import { Trials } from "./trials.tsx";
import type { Line, WholeDrill } from "./types.ts";

type Part = "teach" | "outline" | "file";

/** One drill: what it teaches, what happens in it, its file, and the way to run it. */
export function One({ name }: { name: string }) {
  const drill = useSignal<WholeDrill | null>(null);
  const wrong = useSignal("");
  useEffect(() => {
    whole(name).then(
      (d) => {
        drill.value = d;
      },
      (err) => {
        wrong.value = String(err.message ?? err);
      },
    );
  }, [name]);
  if (wrong.value) {
    return (
      <p class="alert" role="alert">
        {t("drills.failed")} {wrong.value}
      </p>
    );
  }
  const d = drill.value;
  if (!d) return <p class="quiet">{t("drills.loading")}</p>;
  const own = trials.value.filter((x) => x.drill === name);
  return (
    <>
      <header class="drill-head">
        <h2>
          <Title drill={d} />
        </h2>
        <p class="quiet">
          <code>{d.name}</code> <span lang="en">{d.description}</span>
        </p>
      </header>
      <div class="drill-columns">
        <Parts drill={d} />
        <aside class="drill-side">
          <Form drill={d} />
          {own.length > 0 && (
            <section>
              <h3>{t("drills.recent")}</h3>
              <Trials list={own} />
            </section>
          )}
        </aside>
      </div>
    </>
  );
}

function Parts({ drill: d }: { drill: WholeDrill }) {
  const page = language.value === "ko" ? d.pageKo : d.page;
  const part = useSignal<Part>(d.page ? "teach" : "outline");
  const tabs = [
    ...(d.page ? [{ id: "teach" as Part, label: t("drills.teach") }] : []),
    { id: "outline" as Part, label: t("drills.outline") },
    { id: "file" as Part, label: t("drills.file") },
  ];
  return (
    <section class="drill-parts">
      <Tabs
        label={t("drills.parts")}
        tabs={tabs}
        current={part.value}
        onChange={(x) => {
          part.value = x;
        }}
      />
      <div role="tabpanel" id={`panel-${part.value}`} aria-labelledby={`tab-${part.value}`}>
        {part.value === "teach" && page && <Teach markdown={page} lang={language.value} />}
        {part.value === "outline" && <Outline drill={d} />}
        {part.value === "file" && <File drill={d} />}
      </div>
    </section>
  );
}

function Outline({ drill: d }: { drill: WholeDrill }) {
  return (
    <div class="outline">
      <p class="quiet">{t("drills.takesOne", { time: takes(d) })}</p>
      <Lines title={t("drills.hypothesis")} hint={t("drills.hypothesisHint")} of={d.hypothesis} />
      <Lines title={t("drills.steps")} of={d.steps} ordered />
      <Lines title={t("drills.assertions")} hint={t("drills.assertionsHint")} of={d.assertions} />
    </div>
  );
}

function Lines({
  title,
  hint,
  of,
  ordered,
}: {
  title: string;
  hint?: string;
  of: Line[];
  ordered?: boolean;
}) {
  if (of.length === 0) return null;
  const items = of.map((l) => (
    <li key={l.line}>
      <code lang="en">{l.text}</code> <span class="quiet small">{t("drills.line", { line: l.line })}</span>
    </li>
  ));
  return (
    <section>
      <h3>{title}</h3>
      {hint && <p class="quiet small">{hint}</p>}
      {ordered ? <ol>{items}</ol> : <ul>{items}</ul>}
    </section>
  );
}

function File({ drill: d }: { drill: WholeDrill }) {
  return (
    <>
      <p class="file-actions">
        <span class="quiet small">{t("drills.fileHint")}</span>
        <CopyButton text={d.text} label={t("drills.copyFile")} />
      </p>
      <Scroll label={`${d.name}.yaml`} class="yaml-scroll">
        <pre class="yaml" lang="en">
          {d.text.split("\n").map((line, i) => {
            const y = yamlLine(line);
            return (
              <span key={i} class="yaml-line">
                {y.lead}
                {y.key && <b>{y.key}</b>}
                {y.rest}
                {y.comment && <i>{y.comment}</i>}
                {"\n"}
              </span>
            );
          })}
        </pre>
      </Scroll>
    </>
  );
}
