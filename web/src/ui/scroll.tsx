import type { ComponentChildren } from "preact";

/** A scroller that the keyboard reaches, named for whoever cannot see it. */
export function Scroll({
  label,
  class: name,
  children,
}: {
  label: string;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll
    <section class={`scroll ${name ?? ""}`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
