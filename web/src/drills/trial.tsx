import { useEffect } from "preact/hooks";
import { url } from "../api/client.ts";
import { otherId } from "../app/router.ts";
import { t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import { Beside } from "./beside.tsx";
import { followTrial, forget, shown, shownFailure, stop } from "./data.ts";
import { Drawn, pictureLabel } from "./picture.tsx";
import { VerdictBadge, when } from "./trials.tsx";
import type { Picture, Trial } from "./types.ts";
import { OneVariant, SideBySide } from "./variants.tsx";

/** What came of a trial, or comes of it. */
export function TrialView({ id }: { id: string }) {
  useEffect(() => followTrial(id), [id]);
  const now = shown.value;
  if (shownFailure.value) {
    return (
      <p class="alert" role="alert">
        {t("drills.failed")} <Said text={shownFailure.value} />
      </p>
    );
  }
  if (!now || now.trial.id !== id) return <p class="quiet">{t("drills.loading")}</p>;
  const { trial: x, pictures } = now;
  const variants = x.results?.variants ?? [];
  return (
    <>
      <Head trial={x} />
      {variants.length > 1 && <SideBySide variants={variants} />}
      {variants.length > 1 && <Together of={pictures.filter((p) => p.variant < 0)} />}
      {variants.map((v, i) => (
        <OneVariant
          key={v.strategy ?? ""}
          variant={v}
          alone={variants.length === 1}
          pictures={pictures.filter((p) => p.variant === i)}
        />
      ))}
      {x.state !== "running" && (
        <p class="quiet small">{t("trial.noFrames", { line: "enilab run --report report DRILL.yaml" })}</p>
      )}
      {x.state !== "running" && <Beside trial={x} other={otherId.value} />}
    </>
  );
}

function Head({ trial: x }: { trial: Trial }) {
  const running = x.state === "running";
  return (
    <header class="trial-head" data-trial={x.id} data-state={x.state}>
      <div class="trial-title">
        <h2>{x.drill}</h2>
        <VerdictBadge trial={x} />
        <span class="spacer" />
        {running ? (
          <button type="button" class="danger" onClick={() => stop(x.id)}>
            {t("trial.stop")}
          </button>
        ) : (
          <div class="row-actions">
            <CopyButton
              text={new URL(`/drills/${x.drill}/${x.id}`, location.origin).href}
              label={t("link.copy")}
            />
            <a class="button" href={url(`/trials/${x.id}/report`)} target="_blank" rel="noreferrer">
              {t("trial.report")}
            </a>
            <button
              type="button"
              class="icon"
              aria-label={t("trial.forget")}
              title={t("trial.forget")}
              onClick={() => forget(x)}
            >
              <Icon name="cross" />
            </button>
          </div>
        )}
      </div>
      <p class="quiet">
        {when(x.startedAt)} · {t(`place.${x.in}`)} · {t("trial.timing", { timing: x.timing })} ·{" "}
        {t("trial.seed", { seed: String(x.seed) })} · {t("trial.runsOf", { done: x.done, of: x.of })}
      </p>
      {running && (
        <div class="progress">
          <progress max={x.of} value={x.done} aria-label={t("trial.progress")} />
          <span>
            {t("trial.runsOf", { done: x.done, of: x.of })}
            {x.step ? ` · ${t("trial.step", { step: x.step })}` : ""}
          </span>
        </div>
      )}
      {x.error && (
        <p class={x.state === "failed" ? "alert" : "small quiet"}>
          <Said text={x.error} />
        </p>
      )}
    </header>
  );
}

/** The strategies in pictures: what they did as a whole, and to each client. */
export function Together({ of }: { of: readonly Picture[] }) {
  const clients = of.filter((p) => p.kind === "client");
  return (
    <>
      <Pictures of={of.filter((p) => p.kind === "comparison")} wide />
      {clients.length > 0 && (
        <details class="each-client">
          <summary>{t("trial.eachClient", { count: clients.length })}</summary>
          <Pictures of={clients} wide />
        </details>
      )}
    </>
  );
}

/** Pictures in a grid; timelines and comparisons over the whole width. */
export function Pictures({ of, wide }: { of: readonly Picture[]; wide?: boolean }) {
  if (of.length === 0) return null;
  return (
    <div class={`pictures ${wide ? "wide" : ""}`}>
      {of.map((p) => (
        <Drawn
          key={`${p.kind}${p.metric ?? ""}${p.client ?? ""}${p.run ?? ""}`}
          picture={p}
          label={pictureLabel(p)}
        />
      ))}
    </div>
  );
}
