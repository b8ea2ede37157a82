// What the picture is made of.

export interface Box {
  id: string;
  kind:
    | "vpc"
    | "zone"
    | "subnet"
    | "instance"
    | "tray"
    | "slot"
    | "more"
    | "internet"
    | "host"
    | "igw"
    | "nat"
    | "peering"
    | "transit"
    | "endpoint";
  label: string;
  detail: string;
  parent: string;
  level: number;
  x: number;
  y: number;
  w: number;
  h: number;
  /** slot: device index; instance: how many interfaces; subnet: how many instances; more: how many. */
  value: number;
}

export interface Chip {
  mac: string;
  eni: string;
  owner: string;
  x: number;
  y: number;
  w: number;
  h: number;
  /** Which side of the chip faces its subnet's bus. */
  side: "left" | "right";
  subnet: string;
}

export type Point = [number, number];

/** Where frames begin, pass and end: the port of a chip, of a host, or a gateway. */
export interface Anchor {
  id: string;
  x: number;
  y: number;
  side: "left" | "right";
  /** On the side of a box; frames pass others through the middle. */
  port: boolean;
  /** What it can be reached from, the nearest first, and the corners up to there. */
  hubs: [string, Point[]][];
}

export interface Layout {
  boxes: Box[];
  chips: Chip[];
  anchors: Map<string, Anchor>;
  /** Lines that are there without a frame: between gateways and what is beyond. */
  wires: Point[][];
  width: number;
  height: number;
  /** Ids in the order in which a person walks the tree. */
  order: string[];
}

export const size = {
  card: 212,
  cardHead: 54,
  cardFoot: 10,
  chip: 46,
  /** With a public address on a line of its own. */
  chipPublic: 61,
  chipGap: 8,
  /** A subnet with nothing in it. */
  empty: 244,
  host: 58,
  nat: 58,
  gateway: { w: 132, h: 38 },
  /** As high as a chip: who takes it changes no height. */
  slot: 46,
  gutter: 168,
  busPad: 48,
  pad: 16,
  head: 30,
  gap: 18,
  /** Between the columns of a zone's subnets, where their own line runs. */
  columnGap: 34,
  lane: 26,
  /** The lane with gateways on it; for each that stands below the first, a step more. */
  gatewayLane: 58,
  gatewayStep: 48,
} as const;

export const byId = (a: { id: string }, b: { id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
