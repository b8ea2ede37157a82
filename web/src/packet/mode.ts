import { batch, signal } from "@preact/signals";

// Whether the page shows what passes now or steps through the recording; both are part
// of the address, so that an instant can be kept and sent, and "back" comes back from it.

export const stepping = signal(false);
/** The instant at which the recording stands, Unix nanoseconds; "": wherever it ends. */
export const stepAt = signal("");

function read(): void {
  const q = new URLSearchParams(location.search);
  const on = location.pathname.startsWith("/live") && q.get("mode") === "step";
  batch(() => {
    stepping.value = on;
    stepAt.value = on && /^\d{1,19}$/.test(q.get("t") ?? "") ? q.get("t")! : "";
  });
}

function address(on: boolean, at: string): string {
  const q = new URLSearchParams(location.search);
  for (const name of ["mode", "t"]) q.delete(name);
  if (on) q.set("mode", "step");
  if (on && at) q.set("t", at);
  const query = q.toString();
  return `/live${query ? `?${query}` : ""}`;
}

/** Begins to step through the recording, at an instant or where it ends. */
export function enterStep(at = ""): void {
  if (stepping.peek() && !at) return;
  history.pushState(null, "", address(true, at));
  batch(() => {
    stepping.value = true;
    stepAt.value = at;
  });
}

export function leaveStep(): void {
  if (!stepping.peek()) return;
  history.pushState(null, "", address(false, ""));
  batch(() => {
    stepping.value = false;
    stepAt.value = "";
  });
}

/** The recording stands at another instant: the address follows, without a step of the history. */
export function stoodAt(at: string): void {
  if (!stepping.peek()) return;
  history.replaceState(null, "", address(true, at));
}

export function startMode(): void {
  read();
  addEventListener("popstate", read);
}
