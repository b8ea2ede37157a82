import { signal } from "@preact/signals";

// Apart from the palette, whose code is fetched when it is first opened.

export const paletteOpen = signal(false);

export function togglePalette(): void {
  paletteOpen.value = !paletteOpen.value;
}
