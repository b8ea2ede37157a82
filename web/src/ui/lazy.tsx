import { signal } from "@preact/signals";
import { type Attributes, type FunctionComponent, h, type JSX } from "preact";
import { useEffect } from "preact/hooks";

type Component<P> = (props: P) => JSX.Element | null;

/** A component whose code is fetched when it is first shown. */
export function lazy<P extends object>(load: () => Promise<Component<P>>): Component<P> {
  const loaded = signal<Component<P> | null>(null);
  return function Lazy(props: P) {
    useEffect(() => {
      void load().then((c) => {
        loaded.value = c;
      });
    }, []);
    const component = loaded.value as FunctionComponent<P> | null;
    return component && h(component, props as P & Attributes);
  };
}
