import { useSignal } from "@preact/signals";
import { t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Said } from "../ui/said.tsx";
import { start, trials } from "./data.ts";
import { duration, perRun } from "./figures.ts";
import { strategyName } from "./trials.tsx";
import type { Drill, Place } from "./types.ts";

const most = { virtual: 1000, real: 20, laboratory: 20 } as const;

/** Runs that the address asks for, such as of a link "run it 20 times". */
function asked(d: Drill): number {
  const n = Number(new URLSearchParams(location.search).get("runs"));
  return Number.isInteger(n) && n >= 1 && n <= most.virtual ? n : Math.max(d.runs, 1);
}

/** How a drill is to be run, and the button that runs it. */
export function Form({ drill: d }: { drill: Drill }) {
  const place = useSignal<Place>("virtual");
  const runs = useSignal(asked(d));
  const seed = useSignal(d.seed);
  const timing = useSignal<"fast" | "aws">("fast");
  const strategies = useSignal<readonly string[]>(d.strategies);
  const refusal = useSignal("");
  const busy = useSignal(false);
  const other = trials.value.find((x) => x.state === "running");

  const submit = async (force: boolean): Promise<void> => {
    busy.value = true;
    refusal.value = "";
    try {
      await start({
        drill: d.name,
        in: place.value,
        runs: runs.value,
        seed: seed.value,
        strategies: [...strategies.value],
        timing: timing.value,
        ...(force && { force }),
      });
    } catch (err) {
      refusal.value = err instanceof Error ? err.message : String(err);
    } finally {
      busy.value = false;
    }
  };
  const each = perRun(trials.value, d.name, place.value, timing.value);
  const all = runs.value * Math.max(strategies.value.length, 1);
  return (
    <form
      class="run-form"
      onSubmit={(e) => {
        e.preventDefault();
        void submit(false);
      }}
    >
      <h3>{t("run.title")}</h3>
      <Places
        place={place.value}
        onChange={(x) => {
          place.value = x;
          runs.value = Math.min(runs.value, most[x]);
          refusal.value = "";
        }}
      />
      <div class="run-fields">
        <label>
          {t("trial.runs")}
          <input
            type="number"
            required
            min={1}
            max={most[place.value]}
            value={runs.value}
            onInput={(e) => {
              runs.value = e.currentTarget.valueAsNumber;
            }}
          />
        </label>
        <label>
          {t("run.seed")}
          <input
            type="number"
            required
            min={0}
            max={Number.MAX_SAFE_INTEGER}
            value={seed.value}
            onInput={(e) => {
              seed.value = e.currentTarget.valueAsNumber;
            }}
          />
        </label>
        <label>
          {t("run.timing")}
          <select
            value={timing.value}
            onChange={(e) => {
              timing.value = e.currentTarget.value as "fast" | "aws";
            }}
          >
            <option value="fast">{t("run.timing.fast")}</option>
            <option value="aws">{t("run.timing.aws")}</option>
          </select>
        </label>
      </div>
      {d.choosable.length > 1 && (
        <Strategies
          drill={d}
          chosen={strategies.value}
          onChange={(x) => {
            strategies.value = x;
          }}
        />
      )}
      {refusal.value && (
        <div class="refusal" role="alert">
          <p class="alert">
            {t("run.refused")} <Said text={refusal.value} />
          </p>
          {place.value === "laboratory" && (
            <button type="button" class="danger" disabled={busy.value} onClick={() => void submit(true)}>
              {t("run.force")}
            </button>
          )}
        </div>
      )}
      <div class="run-actions">
        <button type="submit" class="primary" disabled={busy.value || other !== undefined}>
          {all > 1 ? t("run.start", { count: all }) : t("run.startOne")}
        </button>
        <span class="quiet small">
          {other
            ? t("run.other", { name: other.drill })
            : each !== null && t("run.about", { time: duration(Math.round(each * all * 1e6)) })}
        </span>
      </div>
      <CopyButton
        plain
        label={t("run.command")}
        text={`enilab run ${d.name} --repeat ${runs.value} --seed ${seed.value} --timing ${timing.value}${strategies.value.length > 0 ? ` --strategy ${strategies.value.join(",")}` : ""}${place.value === "virtual" ? " --time virtual" : ""}`}
      />
    </form>
  );
}

function Places({ place, onChange }: { place: Place; onChange: (x: Place) => void }) {
  return (
    <fieldset>
      <legend>{t("run.place")}</legend>
      {(["virtual", "real", "laboratory"] as const).map((x) => (
        <label key={x} class="check-row">
          <input type="radio" name="place" checked={place === x} onChange={() => onChange(x)} />
          <span>
            {t(`place.${x}`)}
            <small class="quiet">{t(`place.${x}Hint`)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Strategies({
  drill: d,
  chosen,
  onChange,
}: {
  drill: Drill;
  chosen: readonly string[];
  onChange: (x: readonly string[]) => void;
}) {
  return (
    <fieldset>
      <legend>{t("run.strategies")}</legend>
      <div class="strategy-row">
        {d.choosable.map((s) => (
          <label key={s} class="check-row">
            <input
              type="checkbox"
              checked={chosen.includes(s)}
              onChange={(e) =>
                onChange(d.choosable.filter((x) => (x === s ? e.currentTarget.checked : chosen.includes(x))))
              }
            />
            {strategyName(s)}
          </label>
        ))}
      </div>
      {chosen.length === 0 && <p class="quiet small">{t("run.strategiesNone")}</p>}
    </fieldset>
  );
}
