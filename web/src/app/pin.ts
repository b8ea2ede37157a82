// A filter that something on the page pins, in the words of the filter language.

/**
 * Pins a filter: the address remembers it as ?f=, and whoever shows filtered
 * traffic follows the address.
 */
export function pinFilter(text: string): void {
  const q = new URLSearchParams(location.search);
  if (text) q.set("f", text);
  else q.delete("f");
  const query = q.toString();
  history.pushState(history.state, "", location.pathname + (query ? `?${query}` : ""));
  dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
}
