// One polite and one assertive live region for the whole page. Polite messages
// are spaced two seconds apart, the newest one winning, so that a screen reader
// is not buried under a failover's phases.

const spacingMs = 2000;
let lastSaid = 0;
let pending = 0;

export function say(message: string, urgent = false): void {
  const region = document.getElementById(urgent ? "say-now" : "say");
  if (!region) return;
  if (urgent) {
    region.textContent = message;
    return;
  }
  clearTimeout(pending);
  const wait = Math.max(0, lastSaid + spacingMs - performance.now());
  pending = window.setTimeout(() => {
    lastSaid = performance.now();
    region.textContent = message;
  }, wait);
}
