import * as state from "../app/state.ts";

// Gratuitous ARP, seen in the stream: who holds an address tells the network so.

const etherTypeArp = 0x0806;
/** So many of the newest records are looked at; beyond them a burst has passed unseen. */
const mostRecords = 2000;

/** Returns a function that gives the interfaces that have announced themselves since it was last asked. */
export function watchAnnouncements(): () => string[] {
  const { ring, dictionary } = state;
  let next = ring.end;
  return () => {
    const found: string[] = [];
    for (let o = Math.max(next, ring.oldest, ring.end - mostRecords); o < ring.end; o++) {
      const i = ring.slot(o);
      // An announcement asks for the sender's own address.
      if (ring.etherType[i] !== etherTypeArp || ring.src[i] !== ring.dst[i] || ring.src[i] === 0) continue;
      const id = dictionary.eni(ring.srcVnic[i]!);
      if (id && !found.includes(id)) found.push(id);
    }
    next = ring.end;
    return found;
  };
}
