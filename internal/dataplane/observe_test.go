package dataplane

import (
	"context"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// notes is an observer that remembers.
type notes struct {
	bins    []Bin
	records []Record
	bytes   [][]byte // of each record's frame: as it ended, then as it was sent
	skipped uint64
}

func (n *notes) Bin(b Bin) { n.bins = append(n.bins, b) }
func (n *notes) Records(rs []Record, bytes []byte, skipped uint64) {
	for _, r := range rs {
		n.bytes = append(n.bytes, slices.Clone(bytes[r.Off:][:int(r.Kept)+int(r.Sent)]))
	}
	n.records = append(n.records, rs...)
	n.skipped += skipped
}

func (n *notes) frames() (out [verdict.NumVerdicts]uint64) {
	for _, b := range n.bins {
		for _, e := range b.Edges {
			for v, k := range e.Frames {
				out[v] += k
			}
		}
	}
	return out
}

func TestBinsAreExactByEdgeAndVerdict(t *testing.T) {
	l := newLab(t, Options{})
	a, b, c := eni(1, 10), eni(1, 11), eni(1, 13, "closed")
	l.add(a, b, c)
	var seen notes
	cancel := l.Observe(&seen)
	defer cancel()
	for range 3 {
		for range 5 {
			l.send(a, udp(a, b, 1, 2, ""), udp(a, c, 1, 2, ""))
			l.received(b)
		}
		l.now += binWidth
	}
	// One frame waits for a guest that leaves: it is lost, not accepted.
	l.send(a, udp(a, b, 1, 2, ""), frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(b.Addrs[0])))
	b.Host = ""
	l.apply(Delta{VNICs: []VNICSpec{b}})
	l.received(a)
	l.now += 2 * binWidth
	l.settle()
	want := [verdict.NumVerdicts]uint64{verdict.Accept: 15 + 1, verdict.Reject: 15, verdict.Lost: 1, verdict.Control: 1}
	if got := seen.frames(); got != want {
		t.Errorf("bins hold %v, want %v", got, want)
	}
	if len(seen.bins) != 4 {
		t.Errorf("%d bins, want 4", len(seen.bins))
	}
	ai, bi, ci := l.VNICIndex(a.ID), uint32(2), l.VNICIndex(c.ID)
	first := seen.bins[0]
	if first.Start%binWidth != 0 || first.Width != binWidth {
		t.Errorf("bin %d of width %d", first.Start, first.Width)
	}
	for _, e := range first.Edges {
		switch {
		case e.SrcVNIC == ai && e.DstVNIC == bi && e.Frames[verdict.Accept] == 5 && e.Bytes == 5*42:
		case e.SrcVNIC == ai && e.DstVNIC == ci && e.Frames[verdict.Reject] == 5:
		default:
			t.Errorf("unexpected edge %+v", e)
		}
	}
	// 31 frames, their fates, and the second record of the flushed one.
	if len(seen.records) != 15+15+1+1+1+1 || seen.skipped != 0 {
		t.Errorf("%d records, %d skipped", len(seen.records), seen.skipped)
	}
	if r := seen.records[1]; r.Reason == verdict.Delivered && (r.Rule != 16 || r.DstPort != 2 || r.Proto != frame.ProtoUDP) {
		t.Errorf("record %+v", r)
	}
}

func TestRecordsAreSampledCountsAreNot(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11, "closed")
	l.add(a, b)
	var seen notes
	cancel := l.Observe(&seen)
	burst := make([][]byte, 1000)
	for i := range burst {
		burst[i] = udp(a, b, 1, 2, "")
	}
	const rounds = 5
	p := l.Port(a.Host, 0)
	for range rounds {
		p.Send(burst)
		w := l.workers[0] // without the collector in between, as if it were slow
		for again := true; again; {
			w.run.Lock()
			again = w.burst(l.now)
			w.run.Unlock()
		}
	}
	l.now += 2 * binWidth
	l.settle()
	if n := uint64(len(seen.records)); n+seen.skipped != rounds*1000 || n != recordBurst {
		t.Errorf("%d records and %d skipped, want %d in all", n, seen.skipped, rounds*1000)
	}
	if got := seen.frames()[verdict.Reject]; got != rounds*1000 {
		t.Errorf("bins hold %d frames, want %d", got, rounds*1000)
	}
	cancel()
	before := len(seen.records)
	l.send(a, burst...)
	if len(seen.records) != before {
		t.Error("an observer was called after it was removed")
	}
}

func TestEdgesBeyondTheBoundAreSummed(t *testing.T) {
	b := &openBin{}
	for i := range uint32(2 * maxEdges) {
		b.edge(i+1, i+2).Frames[verdict.Accept]++
	}
	var sum uint64
	for _, e := range b.edges {
		sum += e.Frames[verdict.Accept]
	}
	if sum != 2*maxEdges || len(b.edges) > maxEdges+1 {
		t.Errorf("%d frames on %d edges", sum, len(b.edges))
	}
}

func TestTapPoints(t *testing.T) {
	l := newLab(t, Options{Workers: 2})
	a, b, c := eni(1, 10), eni(2, 11), eni(1, 13, "closed")
	l.add(a, b, c)
	everything := tap.New(tap.Config{Points: verdict.AllPoints, Workers: 2})
	onlyB := tap.New(tap.Config{Points: verdict.AllPoints, Workers: 2})
	l.AddTap(everything, nil)
	l.AddTap(onlyB, []string{b.ID})
	read := func(t *tap.Tap) (out []string) {
		t.Read(func(p tap.Packet) {
			id, _ := l.VNICName(p.VNIC)
			out = append(out, id+" "+p.Point.String()+" "+p.Reason.String())
		})
		return out
	}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	l.send(a, udp(a, b, 1, 2, ""))
	check("delivered", read(everything),
		"eni-1-10 guest_tx delivered", "eni-1-10 egress_post delivered",
		"eni-2-11 ingress_pre delivered", "eni-2-11 guest_rx delivered")
	check("delivered, at b", read(onlyB), "eni-2-11 ingress_pre delivered", "eni-2-11 guest_rx delivered")
	l.send(a, udp(a, c, 1, 2, ""))
	check("denied", read(everything),
		"eni-1-10 guest_tx delivered", "eni-1-10 egress_post delivered", "eni-1-13 ingress_pre ingress_denied")
	l.send(a, udp(a, eni(2, 99), 1, 2, ""))
	check("nowhere", read(everything), "eni-1-10 guest_tx no_mapping")
	l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), 0x0a000101))
	check("arp", read(everything), "eni-1-10 guest_tx arp_answered", "eni-1-10 guest_rx delivered")
	l.RemoveTap(everything)
	l.RemoveTap(onlyB)
	l.send(a, udp(a, b, 1, 2, ""))
	check("removed", append(read(everything), read(onlyB)...))
}

func TestTapSeesWhatTheGuestSentAndWhatTheReceiverGets(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(2, 11)
	l.add(a, b)
	w := tap.New(tap.Config{Points: verdict.AllPoints, Workers: 1})
	l.AddTap(w, []string{a.ID, b.ID, "eni-unknown"})
	l.send(a, udp(a, b, 1, 2, ""))
	w.Read(func(p tap.Packet) {
		want := frame.MAC(routerA)
		if p.Point >= verdict.IngressPre {
			want = b.MAC
		}
		if got := frame.MACAt(p.Data); got != want {
			t.Errorf("%s: to %s, want %s", p.Point, got, want)
		}
	})
}

func TestInjectTellsTheWholePath(t *testing.T) {
	for _, workers := range []int{1, 2} {
		l := newLab(t, Options{Workers: workers})
		a, b, c, m := eni(1, 10), eni(2, 11), eni(1, 13, "closed"), eni(1, 14, "mute")
		l.add(a, b, c, m)
		for _, x := range []struct {
			from VNICSpec
			b    []byte
			want verdict.Reason
			rule string
			hops string
		}{
			{a, udp(a, b, 1, 2, ""), verdict.Delivered, "sgr-16", "egress fabric ingress delivery"},
			{a, udp(a, b, 1, 2, ""), verdict.Delivered, "established (sgr-16)", "egress fabric ingress delivery"},
			{a, udp(a, c, 1, 2, ""), verdict.IngressDenied, "implicit deny", "egress fabric ingress"},
			{m, udp(m, b, 1, 2, ""), verdict.EgressDenied, "implicit deny", "egress"},
			{a, udp(a, eni(2, 77), 1, 2, ""), verdict.NoMapping, "", "egress"},
			{a, make([]byte, 65535), verdict.Oversize, "", "egress"},
			{a, nil, verdict.Malformed, "", "egress"},
		} {
			got, err := l.Inject(context.Background(), x.from.ID, x.b)
			if err != nil {
				t.Fatal(err)
			}
			var hops []string
			for _, h := range got.Hops {
				hops = append(hops, h.Station)
				if h.Detail == "" {
					t.Errorf("%s: a hop without detail: %+v", x.want, h)
				}
			}
			if got.Reason != x.want || got.Verdict != x.want.Verdict() || got.Rule != x.rule || strings.Join(hops, " ") != x.hops {
				t.Errorf("got %+v, want %s by %q via %s", got, x.want, x.rule, x.hops)
			}
		}
		if n := l.Totals().Originated; n != 7 {
			t.Errorf("%d frames originated, want 7", n)
		}
	}
	l := newLab(t, Options{})
	if _, err := l.Inject(context.Background(), "eni-unknown", nil); err == nil {
		t.Error("injected at an unknown VNIC")
	}
}
