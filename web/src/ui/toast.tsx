import { signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { plain } from "../api/names.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "./icons.tsx";
import { Said } from "./said.tsx";

interface Toast {
  id: number;
  tone: "info" | "error";
  title: string;
  detail: string;
  action?: { label: string; run: () => void; forMs?: number };
}

const shownMs = 8000;
/** What can be taken back can be for longer: eight seconds are over before some have read them. */
const actionMs = 60_000;
const longest = 600;
const maxShown = 3;
const toasts = signal<Toast[]>([]);
let nextId = 1;

function show(one: Omit<Toast, "id">): void {
  const id = nextId++;
  // Names of others are in both.
  const fit = { ...one, id, title: plain(one.title, longest), detail: plain(one.detail, longest) };
  // The same again takes its place: what repeats would push out what is to be read.
  toasts.value = [
    ...toasts.value.filter((x) => x.action || x.title !== fit.title || x.detail !== fit.detail),
    fit,
  ].slice(-maxShown);
  wait(id);
}

/** Hides one after a while, but not while it is pointed at or has the focus, or has something to do. */
function wait(id: number): void {
  const of = toasts.value.find((x) => x.id === id);
  setTimeout(
    () => {
      if (document.querySelector(`[data-toast="${id}"]:is(:hover, :focus-within)`)) wait(id);
      else dismiss(id);
    },
    of?.action ? (of.action.forMs ?? actionMs) : shownMs,
  );
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
        <div key={x.id} data-toast={x.id} class={`toast ${x.tone}`}>
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
