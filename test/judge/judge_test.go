//go:build judge && linux

// Package judge asks Linux for a second judgement of the network. It draws
// topologies at random (VPCs, subnets, route tables, network ACLs, security
// groups, internet and NAT gateways, a peering, hosts of the internet), gives
// each to a dataplane.Engine, builds it of network namespaces, routes and
// nftables, and sends the same frames through both: what Linux delivers, to whom
// and with which addresses, the engine must deliver so, and nothing else.
//
//	make judge
//
// What Linux cannot say is in leftOut, with a source each. Any other difference
// is a mistake of one of the two.
package judge

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"

	"golang.org/x/sys/unix"
)

var (
	seed       = flag.Uint64("seed", 1, "of the first topology; each takes the next")
	topologies = flag.Int("topologies", 100, "how many")
	frames     = flag.Int("frames", 400, "how many each")
)

// missing ends a test that cannot run here. With CI set that is a failure, unless
// JUDGE_OPTIONAL says otherwise.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	const text = "MISSING: the kernel has not judged the network, for want of %s: %v"
	fmt.Fprintf(os.Stderr, text+"\n", what, err)
	if os.Getenv("CI") != "" && os.Getenv("JUDGE_OPTIONAL") == "" {
		t.Fatalf(text, what, err)
	}
	t.Skipf(text, what, err)
}

func TestKernelAgrees(t *testing.T) {
	if os.Geteuid() != 0 {
		missing(t, "root", fmt.Errorf("user %d", os.Geteuid()))
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool, err)
		}
	}
	back, err := homeNamespace()
	if err != nil {
		t.Fatal(err)
	}
	defer back()
	undo, err := pin()
	if err != nil {
		t.Fatal(err)
	}
	defer undo()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		missing(t, "the right to make network namespaces", err)
	}
	t.Logf("seeds %d to %d, %d frames each", *seed, *seed+uint64(*topologies)-1, *frames)
	var total tally
	for i := range *topologies {
		one, err := judgement(t, *seed+uint64(i))
		if err != nil {
			t.Fatalf("topology of seed %d: %v", *seed+uint64(i), err)
		}
		total.add(one)
		if t.Failed() {
			break
		}
	}
	t.Log(total)
	if t.Failed() || *topologies < 20 {
		return // too few to have seen everything
	}
	for kind, n := range map[string]int{"delivered": total.delivered, "translated": total.translated, "by NAT gateways": total.natted, "answers": total.answers} {
		if n == 0 {
			t.Errorf("no frames %s: the judge has seen too little", kind)
		}
	}
	for _, l := range leftOut {
		t.Logf("left out: %s", l)
	}
}

// tally is what has been judged.
type tally struct {
	frames, delivered, translated, natted, answers int
	refused                                        [verdict.NumReasons]int
}

func (t *tally) add(o tally) {
	t.frames += o.frames
	t.delivered += o.delivered
	t.translated += o.translated
	t.natted += o.natted
	t.answers += o.answers
	for i, n := range o.refused {
		t.refused[i] += n
	}
}

func (t tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d frames judged alike: %d delivered, of which %d translated, %d by NAT gateways; %d answers; refused", t.frames, t.delivered, t.translated, t.natted, t.answers)
	for r, n := range t.refused {
		if n > 0 && r != 0 {
			fmt.Fprintf(&b, " %s %d", verdict.Reason(r), n)
		}
	}
	return b.String()
}

// judgement asks both about one topology.
func judgement(t *testing.T, seed uint64) (tally, error) {
	topo := newTopology(seed)
	k, err := build(topo)
	defer k.close()
	if err != nil {
		return tally{}, err
	}
	e := dataplane.New(dataplane.Options{Workers: 1 + int(seed%3), Seed: seed, Now: func() int64 { return 1e18 }})
	if _, err := e.Apply(context.Background(), topo.Delta); err != nil {
		return tally{}, err
	}
	var sum tally
	tr := &traffic{topology: topo}
	for id := uint64(1); id <= uint64(*frames); id++ {
		q := tr.next()
		engine, trace, err := askEngine(e, topo, &q, id)
		if err != nil {
			return sum, err
		}
		kernel, sent, err := askKernel(k, &q, &trace, len(engine), id)
		if err != nil {
			return sum, err
		}
		sum.frames++
		sum.refused[trace.Reason]++
		looped := metTwice(topo, &trace)
		if !slices.Equal(seenAfter(topo, engine, looped), seenAfter(topo, kernel, looped)) {
			t.Errorf("seed %d, frame %d:\n%s\nengine: %v\n%s\nkernel: %v", seed, id, describe(topo, &q, sent), seenBy(topo, engine), told(&trace), seenBy(topo, kernel))
			return sum, nil
		}
		for i, a := range engine {
			if a.id == 0 {
				continue
			}
			sum.delivered++
			x := &exchange{question: q, engine: a, kernel: kernel[i]}
			x.proto = a.view.Proto
			if q.about != nil && q.what == "answered" {
				sum.answers++
			}
			if len(trace.Hops) > 2 && slices.ContainsFunc(trace.Hops, func(h dataplane.Hop) bool { return len(h.Gateways) > 0 }) {
				sum.translated++
			}
			if natAddress(topo, a.view.SrcIP) {
				sum.natted++
			}
			if !a.view.ICMPError() {
				x.h = frame.Header{SrcIP: ipOf(sent, false), DstIP: ipOf(sent, true)}
				tr.exchanges = append(tr.exchanges, x)
			}
		}
	}
	late, err := k.settle()
	if err == nil && len(late) > 0 {
		err = fmt.Errorf("when all was judged, %v arrived", seenBy(topo, late))
	}
	if err != nil {
		return sum, err
	}
	return sum, volleys(t, seed, k, e, tr, &sum)
}

// volleys asks both about several frames of a guest at once, as the engine's
// stages take them. Each has a port of its own, so that it does not matter which
// connections are remembered.
func volleys(t *testing.T, seed uint64, k *kernel, e *dataplane.Engine, tr *traffic, sum *tally) error {
	id := uint64(*frames)
	for volley := range uint64(*frames / 20) {
		from := tr.guest()
		var bytes [][]byte
		var kernel []arrival
		var q question
		for range 1 + tr.rand.IntN(16) {
			if len(bytes) == 0 || tr.chance(60) { // else as the one before
				for q = tr.freshFrom(from); q.proto == protoOther; {
					q = tr.freshFrom(from)
				}
			}
			id++
			q.sport = uint16(20000 + id)
			if q.proto == frame.ProtoICMP {
				q.dport = q.sport
			}
			bytes = append(bytes, plain(&q, nil, id))
			some, err := k.send(from.ID, bytes[len(bytes)-1], 0)
			if err != nil {
				return err
			}
			kernel = append(kernel, some...)
		}
		late, err := k.settle()
		if err != nil {
			return err
		}
		kernel = append(kernel, late...)
		e.Port(from.Host, from.DeviceIndex).Send(bytes)
		engine, err := guestsOf(e, tr.topology)
		if err != nil {
			return err
		}
		sum.frames += len(bytes)
		if a, b := named(tr.topology, engine), named(tr.topology, kernel); !slices.Equal(a, b) {
			t.Errorf("seed %d, volley %d of %d frames by %s:\n%s\nengine: %s\nkernel: %s", seed, volley, len(bytes), from.ID,
				describe(tr.topology, &q, bytes[len(bytes)-1]), strings.Join(a, "\n  "), strings.Join(b, "\n  "))
			return nil
		}
	}
	return nil
}

// ipOf reads an address of an IPv4 frame.
func ipOf(b []byte, dst bool) frame.IPv4 {
	if dst {
		return frame.IPv4At(b[30:34])
	}
	return frame.IPv4At(b[26:30])
}

// askEngine sends q at the engine and returns what its guests get.
func askEngine(e *dataplane.Engine, topo *topology, q *question, id uint64) ([]arrival, dataplane.Trace, error) {
	var seen *arrival
	if q.about != nil {
		seen = &q.about.engine
	}
	trace, err := e.Inject(context.Background(), q.from.ID, q.make(q, seen, id))
	if err != nil {
		return nil, trace, err
	}
	out, err := guestsOf(e, topo)
	return sorted(out), trace, checked(out, id, err)
}

// guestsOf lets the engine come to an end and returns what its guests have got.
func guestsOf(e *dataplane.Engine, topo *topology) (out []arrival, err error) {
	for e.Step() {
	}
	for i := range topo.VNICs {
		v := &topo.VNICs[i]
		if v.Host == "" {
			continue
		}
		if _, perr := e.Port(v.Host, v.DeviceIndex).Poll(0, func(b []byte, _ int64) {
			a, aerr := arrived(v.ID, b)
			if aerr != nil {
				err = aerr
			}
			out = append(out, a)
		}); perr != nil {
			return nil, perr
		}
	}
	return out, err
}

// askKernel sends q into the namespaces.
func askKernel(k *kernel, q *question, trace *dataplane.Trace, want int, id uint64) ([]arrival, []byte, error) {
	var seen *arrival
	if q.about != nil {
		seen = &q.about.kernel
	}
	b := q.make(q, seen, id)
	// What the engine's router refuses leaves no connection behind, see leftOut.
	if last := trace.Hops[len(trace.Hops)-1]; last.VNIC == q.from.ID && last.Station == "egress" && slices.Contains(unrouted, trace.Reason) {
		if !forgettable(b, uint16(id)) {
			return nil, b, nil
		}
	}
	out, err := k.send(q.from.ID, b, want)
	return sorted(out), b, checked(out, id, err)
}

func checked(out []arrival, id uint64, err error) error {
	for _, a := range out {
		if err == nil && a.id != id && a.id != 0 {
			err = fmt.Errorf("%s received frame %d when frame %d was judged", a.at, a.id, id)
		}
	}
	return err
}
