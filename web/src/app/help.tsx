import { t } from "../i18n/i18n.ts";
import { Dialog } from "../ui/dialog.tsx";
import { helpOpen } from "./keys.ts";
import { lettersOff } from "./prefs.ts";

const keys = [
  ["Ctrl K, ⌘ K", "keys.palette"],
  ["F", "keys.fail"],
  ["R", "keys.recover"],
  ["B", "keys.back"],
  ["M", "keys.move"],
  ["C", "keys.capture"],
  ["Space", "keys.pause"],
  ["L", "keys.live"],
  ["J K", "keys.rows"],
  ["F7 F8", "keys.packet"],
  ["[ ]", "keys.inFlow"],
  ["Alt ← →", "keys.looked"],
  [", . P", "keys.step"],
  ["↑ ↓ ← →", "keys.tree"],
  ["Enter", "keys.open"],
  ["0 1 + −", "keys.fit"],
  ["S", "keys.find"],
  ["G, L D O C S", "keys.go"],
  ["T", "keys.theme"],
  ["Esc", "keys.close"],
  ["?", "keys.help"],
] as const;

export function Help() {
  return (
    <Dialog
      title={t("keys.title")}
      onClose={() => {
        helpOpen.value = false;
      }}
    >
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={what}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
      <label class="check-row">
        <input
          type="checkbox"
          checked={lettersOff.value}
          onChange={(e) => (lettersOff.value = e.currentTarget.checked)}
        />
        {t("keys.lettersOff")}
      </label>
    </Dialog>
  );
}
