// English words of the map's tools, which are fetched after the first picture.
export const mapEn = {
  searchTargets: "Search by name or id",
  noTarget: "No instance has “{text}” in its name or id.",
  moreTargets: "{count} more",
  find: "Find on the map",
  findHint: "Name, id, IP or MAC",
  found: "{count} found",
  foundNone: "Nothing on the map has “{text}” in its name, id, IP or MAC.",
  overlay: "Overlay",
  overlayNone: "No overlay",
  overlayOff: "Switch the overlay off",
  groups: "Security groups",
  acls: "Network ACLs",
  tables: "Route tables",
  litGroup: "{count} interfaces have this group",
  litAcl: "{count} subnets have this ACL",
  litTable: "{count} subnets and route targets",
  minimap: "Overview: arrow keys move what is shown",
  minimapShown: "{x} % from the left, {y} % from the top",
} as const;

export type MapKey = keyof typeof mapEn;
