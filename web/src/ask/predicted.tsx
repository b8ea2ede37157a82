import { goTo } from "../app/router.ts";
import * as state from "../app/state.ts";
import { w } from "../rules/words.ts";
import { Icon } from "../ui/icons.tsx";
import { called } from "./ends.ts";
import "./ask.css";

/** Says on the map that the dashed way is predicted, and takes it away. */
export function Predicted() {
  const places = state.predicted.value?.places ?? [];
  return (
    <div class="predicted-chip" role="status">
      <span class="dash" aria-hidden="true" />
      <span>
        {w("predicted")}: {called(places[0] ?? "")} → {called(places.at(-1) ?? "")}
      </span>
      <button type="button" class="link" onClick={() => goTo("/ask")}>
        {w("backToAnswer")}
      </button>
      <button
        type="button"
        class="icon"
        aria-label={w("takeAway")}
        onClick={() => (state.predicted.value = null)}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
