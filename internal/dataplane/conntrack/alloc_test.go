package conntrack

import "testing"

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	const flows = 1000
	table := New(Config{Seed: 1})
	now, next := int64(0), 0
	// A flow comes, answers, and the oldest ends, as on a busy ENI.
	step := func() {
		now += 30 * second / flows
		out, in := nth(next), nth(next)
		in.dir = Ingress
		in.view.SrcIP, in.view.DstIP = in.view.DstIP, in.view.SrcIP
		in.view.SrcPort, in.view.DstPort = in.view.DstPort, in.view.SrcPort
		if table.update(out, now, 1) != nil || table.insert(out, now, true, 1) == nil || table.update(in, now, 1) == nil {
			t.Fatal("a flow is not judged once")
		}
		key, _ := RelatedKey(&in.view, nil, Ingress)
		table.Related(key, now, 1)
		table.Expire(now, 64)
		next++
	}
	for range 4 * flows {
		step()
	}
	if n := testing.AllocsPerRun(2*flows, step); n != 0 {
		t.Errorf("%v allocations a flow", n)
	}
	if table.Len() < flows || table.Len() > flows+flows/4 {
		t.Errorf("%d entries, want about %d", table.Len(), flows)
	}
}

func TestIdleTableIsSmall(t *testing.T) {
	table := New(Config{})
	f := udp(Egress, 1)
	if n := testing.AllocsPerRun(100, func() {
		table.update(f, 0, 1)
		table.Expire(0, 64)
	}); n != 0 {
		t.Errorf("%v allocations without a flow", n)
	}
}
