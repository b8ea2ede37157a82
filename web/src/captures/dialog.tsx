import { useSignal } from "@preact/signals";
import { ApiError, post } from "../api/client.ts";
import type { Capture } from "../api/types.ts";
import { refreshCaptures } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Said } from "../ui/said.tsx";

const rings = [1, 8, 64] as const;
const mebibyte = 1024 * 1024;

export function NewCapture({ onClose }: { onClose: () => void }) {
  const scope = useSignal(state.selection.value);
  const filter = useSignal("");
  const seconds = useSignal("60");
  const ring = useSignal("8");
  const comment = useSignal("");
  const problem = useSignal("");
  const sending = useSignal(false);
  const now = state.topology.value;

  const submit = async (): Promise<void> => {
    problem.value = "";
    sending.value = true;
    const body: Record<string, unknown> = { ringBytes: Number(ring.value) * mebibyte };
    if (scope.value.startsWith("eni-")) body.networkInterfaceId = scope.value;
    else if (scope.value.startsWith("i-")) body.instanceId = scope.value;
    if (filter.value.trim()) body.filter = filter.value.trim();
    if (Number(seconds.value) > 0) body.maxSeconds = Number(seconds.value);
    if (comment.value.trim()) body.comment = comment.value.trim();
    try {
      await post<Capture>("/captures", body);
      await refreshCaptures();
      onClose();
    } catch (err) {
      // The filter's mistake belongs beside the filter, not into a toast.
      problem.value =
        err instanceof ApiError && err.code ? `${err.code}: ${err.message}` : String((err as Error).message);
    } finally {
      sending.value = false;
    }
  };

  return (
    <Dialog title={t("captures.new")} onClose={onClose}>
      <form
        class="path-form"
        onSubmit={(e) => {
          e.preventDefault();
          void submit();
        }}
      >
        <label class="wide">
          {t("captures.form.scope")}
          <select data-autofocus value={scope.value} onChange={(e) => (scope.value = e.currentTarget.value)}>
            <option value="">{t("captures.everything")}</option>
            {now?.networkInterfaces.map((n) => (
              <option key={n.id} value={n.id}>
                {`${n.attachment ? state.instanceName(n.attachment.instanceId) : n.id} · ${state.eniName(n)}`}
              </option>
            ))}
            {now?.instances.map((i) => (
              <option key={i.id} value={i.id}>
                {state.instanceName(i.id)}
              </option>
            ))}
          </select>
        </label>
        <label class="wide">
          {t("captures.form.filter")}
          <input
            type="text"
            spellcheck={false}
            value={filter.value}
            placeholder={t("captures.form.filterHint")}
            aria-invalid={problem.value !== ""}
            onInput={(e) => (filter.value = e.currentTarget.value)}
          />
        </label>
        <label>
          {t("captures.form.seconds")}
          <input
            type="number"
            min={0}
            max={86400}
            value={seconds.value}
            onInput={(e) => (seconds.value = e.currentTarget.value)}
          />
        </label>
        <label>
          {t("captures.form.ring")}
          <select value={ring.value} onChange={(e) => (ring.value = e.currentTarget.value)}>
            {rings.map((m) => (
              <option key={m} value={m}>
                {m} MiB
              </option>
            ))}
          </select>
        </label>
        <label class="wide">
          {t("captures.form.comment")}
          <input type="text" value={comment.value} onInput={(e) => (comment.value = e.currentTarget.value)} />
        </label>
        {problem.value && (
          <p class="alert wide" role="alert">
            <Said text={problem.value} />
          </p>
        )}
        <div class="dialog-actions wide">
          <span class="spacer" />
          <button type="button" onClick={onClose}>
            {t("action.cancel")}
          </button>
          <button type="submit" class="primary" disabled={sending.value}>
            {t("captures.form.start")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
