import * as draft from "./draft.ts";
import { w } from "./words.ts";

/** The draft as JSON text, in step with the table. */
export function JsonText() {
  const wrong = draft.textError.value;
  return (
    <div class="json-view">
      <label for="draft-json" class="quiet small">
        {w("jsonHint")}
      </label>
      <textarea
        id="draft-json"
        spellcheck={false}
        rows={Math.max(8, draft.shownText.value.split("\n").length + 1)}
        value={draft.shownText.value}
        aria-invalid={wrong !== null}
        aria-describedby={wrong ? "draft-json-wrong" : undefined}
        onInput={(e) => draft.setText(e.currentTarget.value)}
      />
      {wrong && (
        <p class="field-wrong" id="draft-json-wrong" role="alert">
          {w(`text.${wrong.key}`, wrong.values)}
        </p>
      )}
    </div>
  );
}
