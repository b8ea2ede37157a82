import { signal } from "@preact/signals";
import { type Attributes, type FunctionComponent, h, type JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/i18n.ts";

const againMs = 2000;

type Component<P> = (props: P) => JSX.Element | null;

/** A component whose code is fetched when it is first shown. */
export function lazy<P extends object>(load: () => Promise<Component<P>>): Component<P> {
  const loaded = signal<Component<P> | null>(null);
  const failed = signal(false);
  const fetchIt = (): void => {
    load().then(
      (c) => {
        loaded.value = c;
        failed.value = false;
      },
      () => {
        failed.value = true;
        // A server that is away may come back.
        setTimeout(fetchIt, againMs);
      },
    );
  };
  return function Lazy(props: P) {
    useEffect(() => {
      if (!loaded.peek() && !failed.peek()) fetchIt();
    }, []);
    // The server is away, or has a newer page, whose parts have other names.
    if (failed.value)
      return (
        <p class="alert" role="alert">
          {t("lazy.failed")}{" "}
          <button type="button" onClick={() => location.reload()}>
            {t("link.reload")}
          </button>
        </p>
      );
    const component = loaded.value as FunctionComponent<P> | null;
    return component && h(component, props as P & Attributes);
  };
}
