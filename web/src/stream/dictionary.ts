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

/** Whose an interface was from an instant on, microseconds. */
export interface Who {
  since: number;
  instance: string;
  name: string;
  device: number;
}

/** Ids that the connection's records use for network interfaces, rules and ways. */
export class Dictionary {
  private readonly vnics = new Map<number, { id: string; mac: string }>();
  private readonly numbers = new Map<string, number>();
  private readonly rules = new Map<number, string>();
  private readonly ways = new Map<number, Way>();
  /** By interface id, oldest first. */
  private readonly lives = new Map<string, Who[]>();
  /** Grows when an entry changes, so that derived indexes know to rebuild. */
  version = 0;
  /** Grows when an interface gets a number: rules and ways do not change where lines are. */
  interfaces = 0;
  /** Grows when a number means another interface than before. */
  reassigned = 0;
  /** Grows when the numbering begins anew. */
  generation = 0;

  learn(
    kind: string,
    items: ({ i: number; id?: string; mac?: string; since?: string } & Partial<Omit<Who, "since">> & Way)[],
  ): void {
    for (const item of items) {
      if (kind === "who") this.live(this.eni(item.i), item);
      else if (kind === "vnic") this.number(item.i, item.id ?? "", item.mac ?? "");
      else if (kind === "rule") this.rules.set(item.i, item.id ?? "");
      else if (kind === "way") this.ways.set(item.i, item);
    }
    this.version++;
    if (kind === "vnic") this.interfaces++;
  }

  private number(i: number, id: string, mac: string): void {
    const before = this.vnics.get(i)?.id;
    // The server gives the numbers of what was silent for long to others.
    if (before !== undefined && before !== id) {
      this.reassigned++;
      if (this.numbers.get(before) === i) this.numbers.delete(before);
    }
    this.vnics.set(i, { id, mac });
    if (id) this.numbers.set(id, i);
  }

  /** The ENI id of a record's vNIC, or "" for none (0) and unknown. */
  eni(vnic: number): string {
    return this.vnics.get(vnic)?.id ?? "";
  }

  private live(id: string, item: { since?: string } & Partial<Omit<Who, "since">>): void {
    // Nanoseconds do not fit a double; whole microseconds do.
    const who = {
      since: Number(BigInt(item.since ?? "0") / 1000n),
      instance: item.instance ?? "",
      name: item.name ?? "",
      device: item.device ?? 0,
    };
    const others = (this.lives.get(id) ?? []).filter((w) => w.since !== who.since);
    this.lives.set(
      id,
      [...others, who].sort((a, b) => a.since - b.since),
    );
  }

  /** Whose an interface was at an instant, in microseconds; null: that is not known. */
  who(eniId: string, micros: number): Who | null {
    const life = this.lives.get(eniId);
    if (!life) return null;
    for (let i = life.length - 1; i > 0; i--) if (life[i]!.since <= micros) return life[i]!;
    return life[0] ?? null;
  }

  vnic(eniId: string): number {
    return this.numbers.get(eniId) ?? 0;
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
    this.numbers.clear();
    this.rules.clear();
    this.ways.clear();
    this.lives.clear();
    this.version++;
    this.generation++;
  }
}
