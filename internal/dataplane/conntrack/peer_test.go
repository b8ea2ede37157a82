package conntrack

import (
	"math/rand/v2"
	"testing"
)

func TestPeerHasRoomForNumbers(t *testing.T) {
	for _, flags := range []uint8{0, flagTracked | flagFinBoth} {
		e := Entry{flags: flags}
		for _, number := range []uint32{0, 1, 0xffff, 0x10000, 0x12345, peerLimit - 1, 5} {
			e.setPeer(number)
			if e.peer() != number || e.flags&^flagPeerHigh != flags {
				t.Errorf("number %d is remembered as %d, flags %x", number, e.peer(), e.flags)
			}
		}
		if e.setPeer(peerLimit); e.peer() != 5 {
			t.Errorf("a number without room is remembered as %d", e.peer())
		}
	}
}

// TestTablesOfBothEnds: bursts pass by the tables of both ends, whose entries come, end
// and change numbers, in whatever order flows come. Each flow is counted as often as it
// came, and in the end the index is asked for none at the receiver.
func TestTablesOfBothEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	from, to := New(Config{Seed: 3}), New(Config{Seed: 4})
	const flows = 3000
	var here, there [flows]bool // which table has which
	var frames [flows]uint64
	begin := func(list []int) {
		for _, n := range list {
			f := nth(n)
			if !here[n] {
				from.insert(f, 0, true, 1)
				frames[n] = 1
			}
			if f.dir = Ingress; !there[n] {
				to.insert(f, 0, true, 1)
			}
			here[n], there[n] = true, true
		}
	}
	turn := func(list []int) (strange bool) {
		probes := make([]Probe, len(list))
		for i, n := range list {
			f := nth(n)
			probes[i] = NewProbe(PlainKey(&f.view, Egress))
			probes[i].Frames = 1
		}
		from.Warm(probes)
		if got := from.Pass(probes, Egress, 1, &aws, 1); got != len(list) {
			t.Fatalf("%d of %d flows pass at the sender", got, len(list))
		}
		for i := range probes {
			probes[i].Mirror()
		}
		_, strange = to.Warm(probes)
		if got := to.Pass(probes, Ingress, 1, &aws, 1); got != len(list) {
			t.Fatalf("%d of %d flows pass at the receiver", got, len(list))
		}
		if strange {
			from.Learn(probes)
		}
		for _, n := range list {
			frames[n]++
		}
		return strange
	}
	for range 400 {
		var list []int
		switch start := r.IntN(flows - 64); r.IntN(3) {
		case 0:
			for n := range 64 {
				list = append(list, start+n)
			}
		case 1:
			list = r.Perm(flows)[:1+r.IntN(64)]
		default:
			list = []int{start}
		}
		begin(list)
		turn(list)
		n := r.IntN(flows)
		f := nth(n)
		if here[n] && r.IntN(2) == 0 { // it ends at one of the two
			k := f.key()
			number, _ := from.find(from.hash.of(k), k)
			from.remove(number)
			here[n] = false
		} else if f.dir = Ingress; there[n] {
			k := f.key()
			number, _ := to.find(to.hash.of(k), k)
			to.remove(number)
			there[n] = false
		}
	}
	for n := range flows {
		if e := from.lookup(nth(n).key()); here[n] && e.Packets(Egress) != frames[n] {
			t.Errorf("flow %d has %d frames at the sender, want %d", n, e.Packets(Egress), frames[n])
		}
	}
	list := r.Perm(flows)
	begin(list)
	for _, again := range []bool{false, true} {
		for i := 0; i < flows; i += 60 {
			if strange := turn(list[i : i+60]); again && strange {
				t.Fatalf("the sender has not learned where the receiver has flows %v", list[i:i+60])
			}
		}
	}
}
