import { FindBox } from "./findbox.tsx";
import { OverlayPicker } from "./overlays.tsx";

/** What helps to find one's way on the map: search and overlays. */
export function Tools() {
  return (
    <span class="map-tools over-map">
      <FindBox />
      <OverlayPicker />
    </span>
  );
}
