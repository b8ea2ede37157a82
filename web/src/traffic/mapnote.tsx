import { filter } from "./filter.ts";
import { w } from "./words.ts";

/** Says on the map that not everything is on it. */
export function MapNote() {
  if (!filter.value) return null;
  return (
    <p class="map-note">
      {w("mapFiltered")} <code>{filter.value}</code>
    </p>
  );
}
