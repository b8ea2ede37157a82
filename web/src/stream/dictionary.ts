/** Ids that the connection's records use for network interfaces and rules. */
export class Dictionary {
  private readonly vnics = new Map<number, { id: string; mac: string }>();
  private readonly rules = new Map<number, string>();
  /** Grows when an entry changes, so that derived indexes know to rebuild. */
  version = 0;
  /** Grows when the numbering begins anew. */
  generation = 0;

  learn(kind: string, items: { i: number; id: string; mac?: string }[]): void {
    for (const item of items) {
      if (kind === "vnic") this.vnics.set(item.i, { id: item.id, mac: item.mac ?? "" });
      else if (kind === "rule") this.rules.set(item.i, item.id);
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

  /** A new connection numbers its ids anew. */
  clear(): void {
    this.vnics.clear();
    this.rules.clear();
    this.version++;
    this.generation++;
  }
}
