import { signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "./icons.tsx";
import { Said } from "./said.tsx";

interface Toast {
  id: number;
  tone: "info" | "error";
  title: string;
  detail: string;
  action?: { label: string; run: () => void };
}

const shownMs = 8000;
const maxShown = 3;
const toasts = signal<Toast[]>([]);
let nextId = 1;

function show(one: Omit<Toast, "id">): void {
  const id = nextId++;
  toasts.value = [...toasts.value, { ...one, id }].slice(-maxShown);
  setTimeout(() => dismiss(id), shownMs);
}

const dismiss = (id: number): void => {
  toasts.value = toasts.value.filter((x) => x.id !== id);
};

export function toast(title: string, action?: Toast["action"]): void {
  show(action ? { tone: "info", title, detail: "", action } : { tone: "info", title, detail: "" });
}

/** Shows what the API answered: EC2's code untranslated, then its message. */
export function toastError(err: unknown): void {
  const code = err instanceof ApiError ? err.code : "";
  const detail = err instanceof Error ? err.message : String(err);
  show({ tone: "error", title: code || detail, detail: code ? detail : "" });
}

export function Toasts() {
  return (
    <section class="toasts" role="log" aria-live="polite" aria-label={t("toast.label")}>
      {toasts.value.map((x) => (
        <div key={x.id} class={`toast ${x.tone}`}>
          <div class="toast-text">
            <strong>{x.tone === "error" ? <Said text={x.title} /> : x.title}</strong>
            {x.detail && <span>{x.tone === "error" ? <Said text={x.detail} /> : x.detail}</span>}
          </div>
          {x.action && (
            <button
              type="button"
              class="link"
              onClick={() => {
                x.action?.run();
                dismiss(x.id);
              }}
            >
              {x.action.label}
            </button>
          )}
          <button type="button" class="icon" aria-label={t("action.close")} onClick={() => dismiss(x.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  );
}
