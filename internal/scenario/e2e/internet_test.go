package e2e

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
	"enilab/internal/scenario"
)

// answered waits until a client has had an answer.
func (l *lab) answered(client, workload string) {
	l.t.Helper()
	l.exchanged("an answer to "+workload+" of "+client, func(all []guest.FlowStats) bool {
		return slices.ContainsFunc(all, func(f guest.FlowStats) bool {
			return f.Host == client && f.Workload == workload && f.Received > 0
		})
	})
}

// exchanged waits until the guests' counts are as ok says.
func (l *lab) exchanged(what string, ok func([]guest.FlowStats) bool) {
	l.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok(l.guests.Stats()) {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			l.t.Fatalf("not within %v: %s: %+v", patience, what, l.guests.Stats())
		}
	}
}

// TestInternet: clients on the internet use a public address, which a policy
// takes to the standby; a private instance reaches out through NAT.
func TestInternet(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("internet")
	customer, worker := loaded.InternetHosts["customer"], loaded.Instances["worker"]
	for _, w := range []string{"requests", "ping", "web"} {
		l.answered(customer, w)
	}
	for _, w := range []string{"downloads", "ping"} {
		l.answered(worker, w)
	}
	one, two := loaded.Instances["web-1"], loaded.Instances["web-2"]
	if _, err := l.svc.FailInstance(l.ctx, one, control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	var rec *control.Failover
	l.until("a completed failover", func(s *control.State) bool {
		for _, f := range s.Failovers() {
			if f.State != control.FailoverRunning {
				rec = f
			}
		}
		return rec != nil
	})
	if rec.From != one || rec.To != two || len(rec.Traffic) != 3 {
		t.Fatalf("record %+v", rec)
	}
	for _, r := range rec.Traffic {
		if r.Client != customer || r.FirstReplyFrom != two && r.Kind != "ping" {
			t.Errorf("traffic %+v", r)
		}
	}
	for _, c := range rec.Checks {
		if c.Result != "same" {
			t.Errorf("%s: %s, from %s to %s", c.Name, c.Result, c.Before, c.After)
		}
	}
}

// TestMultihomed: the scenario asserts who answers; here it is seen by which way.
func TestMultihomed(t *testing.T) {
	l := newLab(t, t.TempDir())
	loaded, _ := l.play("multihomed")
	if out, in := l.counters(loaded, "eth1"), l.counters(loaded, "router/eth0"); out.TxFrames == 0 || in.TxFrames == 0 {
		t.Errorf("the router has sent %d frames outside and %d inside", out.TxFrames, in.TxFrames)
	}
}

// TestThroughput: both interfaces of an instance carry traffic of their own.
func TestThroughput(t *testing.T) {
	l := newLab(t, t.TempDir())
	loaded, _ := l.play("throughput")
	for _, name := range []string{"single/eth0", "double/eth0", "eth1"} {
		if c := l.counters(loaded, name); c.TxFrames == 0 || c.RxFrames == 0 {
			t.Errorf("%s has sent %d frames and received %d", name, c.TxFrames, c.RxFrames)
		}
	}
}

// TestMiddlebox: the table of an internet gateway leads what comes in to an
// appliance, and so does the table of the subnet what goes out.
func TestMiddlebox(t *testing.T) {
	l := newLab(t, t.TempDir())
	loaded, _ := l.play("../../../testdata/scenarios/middlebox.yaml")
	box, server := l.counters(loaded, "inspector/eth0"), l.counters(loaded, "server/eth0")
	// It is sent each frame in each direction, and passes each on: but for ARP as
	// many as the server sends and receives, where one direction would be half.
	if both := server.TxFrames + server.RxFrames; box.RxFrames < both*3/4 || box.TxFrames < both*3/4 {
		t.Errorf("the inspector has received %d frames and sent %d, the server %d and %d", box.RxFrames, box.TxFrames, server.RxFrames, server.TxFrames)
	}
}

func (l *lab) counters(loaded *scenario.Loaded, name string) dataplane.Counters {
	l.t.Helper()
	c, ok := l.engine.VNICCounters(loaded.Interfaces[name])
	if !ok {
		l.t.Fatalf("the data plane has no %s", name)
	}
	return c
}

// TestFollowing: a frame from the desk to the shop is followed through the guest
// that forwards it, and so is the shop's answer.
func TestFollowing(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("multihomed")
	state := l.svc.State()
	nic := func(name string) *control.NetworkInterface { return state.NetworkInterface(loaded.Interfaces[name]) }
	address := func(name string) frame.IPv4 {
		ip, _ := frame.IPv4From(nic(name).PrimaryAddress())
		return ip
	}
	for _, x := range []struct {
		from, to string
		way      [2]string // by which interface the router gets it, and by which it goes on
		spent    bool      // its TTL
		want     dataplane.Pass
		ends     string
	}{
		{"desk/eth0", "shop/eth0", [2]string{"router/eth0", "eth1"}, false, dataplane.Forwarded, "shop/eth0"},
		{"shop/eth0", "desk/eth0", [2]string{"eth1", "router/eth0"}, false, dataplane.Forwarded, ""},
		{"desk/eth0", "shop/eth0", [2]string{"router/eth0", "router/eth0"}, true, dataplane.AnsweredICMP, "desk/eth0"},
	} {
		b := frame.AppendUDP(nil, frame.Header{
			Dst: state.Subnet(nic(x.from).Subnet).RouterMAC, Src: nic(x.from).MAC, SrcIP: address(x.from), DstIP: address(x.to), ID: 0x5eed,
		}, 4000, 7, []byte("follow me"))
		if x.spent { // netstack passes on with 0 what comes with 1
			b[22], b[24], b[25] = 0, 0, 0
			binary.BigEndian.PutUint16(b[24:], frame.Checksum(b[14:34]))
		}
		p, trace, err := l.engine.Follow(l.ctx, nic(x.from).ID, b)
		if err != nil {
			t.Fatal(err)
		}
		if last := trace.Hops[len(trace.Hops)-1]; trace.Reason != verdict.Delivered || last.VNIC != nic(x.way[0]).ID {
			t.Fatalf("%s to %s: %s at %s", x.from, x.to, trace.Reason, last.VNIC)
		}
		next, ok, err := p.Next(l.ctx, nil)
		p.Close()
		if err != nil || !ok || next.Passed != x.want || next.Hops[0].VNIC != nic(x.way[1]).ID {
			t.Errorf("%s to %s (TTL spent: %v) is passed on: %v, %d by %+v; %v", x.from, x.to, x.spent, ok, next.Passed, next.Hops, err)
			continue
		}
		// The desk's groups let in nothing but answers, and this is none.
		last := next.Hops[len(next.Hops)-1]
		if x.ends == "" {
			if next.Reason != verdict.IngressDenied {
				t.Errorf("%s to %s: %s", x.from, x.to, next.Reason)
			}
		} else if next.Reason != verdict.Delivered || last.VNIC != nic(x.ends).ID || p.Expects() {
			t.Errorf("%s to %s: %s at %s", x.from, x.to, next.Reason, last.VNIC)
		}
	}
}
