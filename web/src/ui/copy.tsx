import { useSignal } from "@preact/signals";
import { t } from "../i18n/i18n.ts";
import { Icon } from "./icons.tsx";
import { toastError } from "./toast.tsx";

const confirmMs = 1500;

export function CopyButton({ text, label, plain }: { text: string; label: string; plain?: boolean }) {
  const done = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      done.value = true;
      setTimeout(() => {
        done.value = false;
      }, confirmMs);
    } catch (err) {
      toastError(err);
    }
  };
  return (
    <button type="button" class={plain ? "link" : ""} title={text} onClick={() => void copy()}>
      <Icon name={done.value ? "check" : "copy"} /> {done.value ? t("action.copied") : label}
    </button>
  );
}
