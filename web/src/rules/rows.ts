// Rows of a draft as they are typed, whatever they are rows of: rules of a security
// group, routes of a table, entries of a network ACL. Nothing here knows the page.

export type KindId = "sg" | "rtb" | "acl";
export type Row = Readonly<Record<string, string>>;

/** Columns by kind, in the order in which the table and the JSON text have them. */
export const columns: Readonly<Record<KindId, readonly string[]>> = {
  sg: ["direction", "protocol", "ports", "peer", "description"],
  rtb: ["destination", "target"],
  acl: ["direction", "number", "action", "protocol", "ports", "peer"],
};

/** What a row that comes from the server is known by; "": it is new. */
export const keyOf = (r: Row): string => r.key ?? "";

export const same = (kind: KindId, a: Row, b: Row): boolean =>
  columns[kind].every((c) => (a[c] ?? "") === (b[c] ?? ""));

/** The rows as JSON text, one a line, in the columns' order. */
export function toText(kind: KindId, rows: readonly Row[]): string {
  const lines = rows.map((r) => {
    const fields = [...(kind === "sg" && keyOf(r) ? (["id"] as const) : []), ...columns[kind]]
      .map((c) => [c, c === "id" ? keyOf(r) : (r[c] ?? "")] as const)
      .filter(([c, v]) => v !== "" || c !== "description")
      .map(([c, v]) => `${JSON.stringify(c)}: ${JSON.stringify(v)}`);
    return `  { ${fields.join(", ")} }`;
  });
  return lines.length === 0 ? "[]\n" : `[\n${lines.join(",\n")}\n]\n`;
}

export interface TextError {
  key: "json" | "notList" | "notObject" | "unknownField" | "notText";
  values: Record<string, string>;
}

/** The rows of JSON text, or what is wrong with it. A row that is known by an id or its place keeps its key. */
export function fromText(kind: KindId, text: string, base: readonly Row[]): Row[] | TextError {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (err) {
    return { key: "json", values: { text: err instanceof Error ? err.message : String(err) } };
  }
  if (!Array.isArray(raw)) return { key: "notList", values: {} };
  const known = new Set(base.map(keyOf));
  const used = new Set<string>();
  const rows: Row[] = [];
  for (const [i, one] of raw.entries()) {
    const at = String(i + 1);
    if (typeof one !== "object" || one === null || Array.isArray(one))
      return { key: "notObject", values: { at } };
    const row: Record<string, string> = {};
    for (const [name, value] of Object.entries(one)) {
      if (name !== "id" && !columns[kind].includes(name))
        return { key: "unknownField", values: { at, name, want: columns[kind].join(", ") } };
      if (typeof value !== "string" && typeof value !== "number")
        return { key: "notText", values: { at, name } };
      row[name] = String(value);
    }
    const key = kind === "sg" ? (row.id ?? "") : placeOf(kind, row);
    delete row.id;
    for (const c of columns[kind]) row[c] ??= "";
    if (known.has(key) && !used.has(key)) {
      row.key = key;
      used.add(key);
    }
    rows.push(row);
  }
  return rows;
}

/** By what a route or an entry is known: its destination, its direction and number. */
export const placeOf = (kind: KindId, r: Row): string =>
  kind === "rtb" ? (r.destination ?? "") : `${r.direction} ${r.number}`;

export interface Span {
  from: number;
  to: number;
}

/** The ends of "80", "8000-8080" or "" for all ports; null: it is none of these. */
export function span(text: string): Span | null {
  if (text.trim() === "") return { from: 0, to: 65535 };
  const m = /^(\d{1,5})(?:\s*[-–]\s*(\d{1,5}))?$/.exec(text.trim());
  if (!m) return null;
  const from = Number(m[1]);
  const to = Number(m[2] ?? m[1]);
  return from <= to && to <= 65535 ? { from, to } : null;
}

/** ICMP type and code of "", "8" or "8/0", -1 for all; null: neither. */
export function icmp(text: string): { type: number; code: number } | null {
  if (text.trim() === "") return { type: -1, code: -1 };
  const m = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text.trim());
  if (!m || Number(m[1]) > 255 || Number(m[2] ?? 0) > 255) return null;
  return { type: Number(m[1]), code: m[2] === undefined ? -1 : Number(m[2]) };
}

export interface Block {
  address: number;
  bits: number;
}

/** An IPv4 block; null: it is none. Bits beyond the prefix may be set, as EC2 takes them. */
export function block(text: string): Block | null {
  const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!m) return null;
  const parts = m.slice(1, 5).map(Number);
  const bits = Number(m[5]);
  if (parts.some((p) => p > 255) || bits > 32) return null;
  const address = parts.reduce((a, p) => a * 256 + p, 0);
  return { address: bits === 0 ? 0 : Math.floor(address / 2 ** (32 - bits)) * 2 ** (32 - bits), bits };
}

export const isBlock6 = (text: string): boolean => /^[0-9a-f:.]*:[0-9a-f:.]*\/\d{1,3}$/i.test(text);

export const contains = (outer: Block, inner: Block): boolean =>
  outer.bits <= inner.bits &&
  (outer.bits === 0 ||
    Math.floor(inner.address / 2 ** (32 - outer.bits)) ===
      Math.floor(outer.address / 2 ** (32 - outer.bits)));
