package dataplane

import (
	"slices"
	"testing"

	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/verdict"
)

// wayInWords is a record's way: those of its parts that are there.
func (e *Engine) wayInWords(r Record) (out []string) {
	y := e.Way(r.Way)
	for _, part := range []struct {
		key string
		id  verdict.RuleID
	}{
		{"route", y.Route}, {"onward", y.Onward}, {"via", y.Via}, {"leaves", y.Leaves}, {"enters", y.Enters},
		{"out", y.ACLOut}, {"in", y.ACLIn},
	} {
		if part.id != verdict.RuleNone {
			out = append(out, part.key+" "+e.RuleName(part.id))
		}
	}
	if r.Way.Translated() {
		out = append(out, "translated")
	}
	return out
}

// TestRecordsNameWhoDecided: a record of a frame, delivered or not, has what its
// sender's side and its receiver's have decided, whichever of them made it.
func TestRecordsNameWhoDecided(t *testing.T) {
	for _, workers := range []int{1, 2} {
		l := newNATCloud(t, Options{Workers: workers})
		l.network(func(n *SubnetSpec) {
			if n.RouteTable = "rtb-1"; n.ID == "subnet-b" {
				n.RouteTable, n.ACL = "rtb-private", "acl"
			}
		}, nil, []netacl.Entry{{Number: 100, Allow: true, Proto: -1, Prefix: anywhere}})
		l.send(l.b, routed(l.b, "10.0.2.12", 9, 9)) // before anybody observes
		var seen notes
		defer l.Observe(&seen)()
		for _, x := range []struct {
			what   string
			from   VNICSpec
			frame  []byte
			reason verdict.Reason
			want   []string
		}{
			{"within the subnet", l.a, udp(l.a, l.b, 1, 2, ""), verdict.Delivered, nil},
			{"across subnets", l.a, routed(l.a, "10.0.2.12", 1, 2), verdict.Delivered,
				[]string{"route rtb-1 10.0.0.0/16", "in acl ingress 100"}},
			{"out of the one with the ACL", l.c, routed(l.c, "10.0.1.10", 1, 2), verdict.Delivered,
				[]string{"route rtb-private 10.0.0.0/16", "out acl egress 100"}},
			{"by the internet gateway", l.a, routed(l.a, "198.51.100.1", 1, 2), verdict.Delivered,
				[]string{"route rtb-1 0.0.0.0/0", "via igw-1", "leaves igw-1", "translated"}},
			{"to nobody", l.a, routed(l.a, "198.51.100.99", 1, 2), verdict.NoPublicHost,
				[]string{"route rtb-1 0.0.0.0/0", "via igw-1", "leaves igw-1", "translated"}},
			{"from the internet", l.w, routed(l.w, "203.0.113.10", 53, 1000), verdict.Delivered,
				[]string{"route internet 0.0.0.0/0", "enters igw-1", "translated"}},
			{"through the NAT gateway", l.c, routed(l.c, "198.51.100.1", 1000, 53), verdict.Delivered,
				[]string{"route rtb-private 0.0.0.0/0", "onward rtb-1 0.0.0.0/0", "via nat-1", "leaves igw-1", "out acl egress 100", "translated"}},
			{"without an address of the internet", l.b, routed(l.b, "198.51.100.1", 1, 2), verdict.NoPublicAddress,
				[]string{"route rtb-1 0.0.0.0/0", "via igw-1", "leaves igw-1"}},
			{"peered", l.a, routed(l.a, "10.1.1.10", 1, 2), verdict.Delivered, []string{"route rtb-1 10.1.0.0/16", "via pcx-1"}},
		} {
			seen.records = nil
			l.send(x.from, x.frame)
			l.settle()
			if len(seen.records) != 1 {
				t.Fatalf("%s: %d records", x.what, len(seen.records))
			}
			if r := seen.records[0]; r.Reason != x.reason || !slices.Equal(l.wayInWords(r), x.want) {
				t.Errorf("%s: %s by %q, want %s by %q", x.what, r.Reason, l.wayInWords(r), x.reason, x.want)
			}
			for _, s := range []VNICSpec{l.a, l.b, l.c, l.p, l.w} {
				l.received(s) // buffers go home, and are used again
			}
		}
	}
}

// TestWaysAreNumberedOnce: by what they are, not by how a worker came to them.
func TestWaysAreNumberedOnce(t *testing.T) {
	var table ways
	route, acl := verdict.RuleOf(verdict.KindRoute, 1), verdict.RuleOf(verdict.KindACLEntry, 1)
	a := table.after(wayStep{0, Way{Route: route}})
	b := table.after(wayStep{a, Way{ACLIn: acl}})
	if c := table.after(wayStep{0, Way{Route: route, ACLIn: acl}}); a == 0 || b == a || c != b {
		t.Errorf("numbered %d, %d and %d: the last two are the same way", a, b, c)
	}
	if got := table.way(b); got != (Way{Route: route, ACLIn: acl}) {
		t.Errorf("way %d is %+v", b, got)
	}
	if got := table.way(b + 1); got != (Way{}) {
		t.Errorf("a number that was not given is %+v", got)
	}
	for i := range uint32(3 * wayPage) {
		y := Way{Route: verdict.RuleOf(verdict.KindRoute, i+10)}
		if n := table.after(wayStep{0, y}); table.way(n) != y {
			t.Fatalf("way %d of %+v is %+v", n, y, table.way(n))
		}
	}
}
