import { FindBox } from "./findbox.tsx";
import { OverlayPicker } from "./overlays.tsx";
import { Minimap } from "./overview.tsx";

/** What lies over the map to find one's way: search, overlays, and where one is. */
export function Tools() {
  return (
    <>
      <div class="map-tools over-map">
        <FindBox />
        <OverlayPicker />
      </div>
      <Minimap />
    </>
  );
}
