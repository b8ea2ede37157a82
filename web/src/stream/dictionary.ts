/**
 * What decided where a frame went, beside its rule: routes by table and destination,
 * ACL entries by ACL, direction and number, all else by id. "" where nothing was asked.
 */
export interface Way {
  route?: string;
  onward?: string;
  via?: string;
  leaves?: string;
  enters?: string;
  aclOut?: string;
  aclIn?: string;
}

const noWay: Way = {};

/** Ids that the connection's records use for network interfaces, rules and ways. */
export class Dictionary {
  private readonly vnics = new Map<number, { id: string; mac: string }>();
  private readonly rules = new Map<number, string>();
  private readonly ways = new Map<number, Way>();
  /** Grows when an entry changes, so that derived indexes know to rebuild. */
  version = 0;
  /** Grows when the numbering begins anew. */
  generation = 0;

  learn(kind: string, items: ({ i: number; id?: string; mac?: string } & Way)[]): void {
    for (const item of items) {
      if (kind === "vnic") this.vnics.set(item.i, { id: item.id ?? "", mac: item.mac ?? "" });
      else if (kind === "rule") this.rules.set(item.i, item.id ?? "");
      else if (kind === "way") this.ways.set(item.i, item);
    }
    this.version++;
  }

  /** The ENI id of a record's vNIC, or "" for none (0) and unknown. */
  eni(vnic: number): string {
    return this.vnics.get(vnic)?.id ?? "";
  }

  vnic(eniId: string): number {
    for (const [i, v] of this.vnics) if (v.id === eniId) return i;
    return 0;
  }

  /** The rule of a record's rule field (low 24 bits); "" when no rule decided. */
  rule(field: number): string {
    return this.rules.get(field & 0xffffff) ?? "";
  }

  /** The way of a record's way field (low 31 bits). */
  way(field: number): Way {
    return this.ways.get(field & 0x7fffffff) ?? noWay;
  }

  /** A new connection numbers its ids anew. */
  clear(): void {
    this.vnics.clear();
    this.rules.clear();
    this.ways.clear();
    this.version++;
    this.generation++;
  }
}
