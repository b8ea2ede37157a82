import { useEffect } from "preact/hooks";
import { followAssertions } from "./data.ts";

/** Asks after every change of the network whether what is asserted is so, on whichever screen. */
export function Watch() {
  useEffect(() => followAssertions(), []);
  return null;
}
