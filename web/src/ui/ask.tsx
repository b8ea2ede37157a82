import { signal } from "@preact/signals";
import { t } from "../i18n/i18n.ts";
import { Dialog } from "./dialog.tsx";

/** A question before something that cannot be taken back. */
export interface Question {
  title: string;
  text?: string;
  yes: string;
  run: () => unknown;
}

const asked = signal<Question | null>(null);

export function ask(q: Question): void {
  asked.value = q;
}

export function Ask() {
  const q = asked.value;
  if (!q) return null;
  const close = (): void => {
    asked.value = null;
  };
  return (
    <Dialog title={q.title} onClose={close}>
      {q.text && <p>{q.text}</p>}
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" onClick={close}>
          {t("action.cancel")}
        </button>
        <button
          type="button"
          class="danger"
          data-autofocus
          onClick={() => {
            close();
            q.run();
          }}
        >
          {q.yes}
        </button>
      </div>
    </Dialog>
  );
}
