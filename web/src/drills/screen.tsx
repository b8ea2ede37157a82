import { useEffect } from "preact/hooks";
import { followInto, ids } from "../app/router.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { failure, load } from "./data.ts";
import { One } from "./drill.tsx";
import { List } from "./list.tsx";
import { TrialView } from "./trial.tsx";

/** Drills: all of them, one, or what came of one. */
export function Drills() {
  const [name, trial] = ids.value;
  useEffect(() => {
    void load();
  }, [name]);
  return (
    <main class="screen drills" id="main">
      {failure.value && (
        <p class="alert" role="alert">
          {t("drills.failed")} {failure.value}{" "}
          <button type="button" onClick={() => void load()}>
            {t("action.retry")}
          </button>
        </p>
      )}
      {name && (
        <a
          class="back"
          href={trial ? `/drills/${name}` : "/drills"}
          onClick={(e) => followInto(e, "drills", trial ? [name] : [])}
        >
          <Icon name="back" /> {trial ? name : t("drills.back")}
        </a>
      )}
      {!name ? <List /> : trial ? <TrialView key={trial} id={trial} /> : <One key={name} name={name} />}
    </main>
  );
}
