package dataplane

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

type stillClock struct{}

func (stillClock) Now() int64                           { return 1 }
func (stillClock) After(time.Duration) <-chan time.Time { return nil }

// commented returns which of the texts no packet comment of the capture has.
func commented(t *testing.T, l *cloud, run func(), want ...string) (missing []string) {
	t.Helper()
	c, err := tap.StartCapture(tap.CaptureConfig{Workers: l.Workers()}, l.Engine, stillClock{})
	if err != nil {
		t.Fatal(err)
	}
	l.AddTap(c.Tap(), nil)
	run()
	l.RemoveTap(c.Tap())
	c.Stop()
	var file bytes.Buffer
	if err := c.WriteNg(&file); err != nil {
		t.Fatal(err)
	}
	for _, text := range want {
		if !bytes.Contains(file.Bytes(), []byte(text)) {
			missing = append(missing, text)
		}
	}
	if len(missing) > 0 {
		t.Logf("%q", file.Bytes())
	}
	return missing
}

// TestCapturesNameWhoDecided: route, ACL entry, gateway and translation at each
// point of the ways that have them.
func TestCapturesNameWhoDecided(t *testing.T) {
	l := newCloud(t, Options{})
	if missing := commented(t, l, func() {
		l.send(l.a, routed(l.a, "198.51.100.1", 1000, 53))
		l.send(l.w, routed(l.w, "203.0.113.10", 53, 1000))
		l.send(l.a, routed(l.a, "198.51.100.99", 1000, 53)) // to nobody
		l.send(l.w, routed(l.w, "203.0.113.99", 53, 1000))
	},
		`verdict=accept point=guest_tx rule=sgr-17 route="rtb-1 0.0.0.0/0" via=igw-1 leaves=igw-1`,
		`verdict=accept point=egress_post rule=sgr-17 route="rtb-1 0.0.0.0/0" via=igw-1 leaves=igw-1 was=10.0.1.10:1000>198.51.100.1:53 now=203.0.113.10:1000>198.51.100.1:53`,
		`enters=igw-1 was=198.51.100.1:53>203.0.113.10:1000 now=198.51.100.1:53>10.0.1.10:1000`,
		`reason=no_public_host route="rtb-1 0.0.0.0/0" via=igw-1 leaves=igw-1`,
		`reason=no_public_host code=IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS`,
	); missing != nil {
		t.Errorf("by the internet gateway no comment says %q", missing)
	}
	l.apply(Delta{RemoveGateways: []string{"igw-1"}})
	if missing := commented(t, l, func() { l.send(l.a, routed(l.a, "198.51.100.1", 1000, 53)) },
		`verdict=lost point=guest_tx step=route reason=blackhole code=BAD_STATE_ROUTE`, `route="rtb-1 0.0.0.0/0"`,
	); missing != nil {
		t.Errorf("of a blackhole no comment says %q", missing)
	}

	l = newNATCloud(t, Options{})
	if missing := commented(t, l, func() { l.send(l.c, routed(l.c, "198.51.100.1", 1000, 53)) },
		`was=10.0.2.12:1000>198.51.100.1:53 now=10.0.`, ` via=nat-1`,
	); missing != nil {
		t.Errorf("by the NAT gateway no comment says %q", missing)
	}
}

// TestCommentsNameACLEntries: of the subnet left and of the one entered, where
// they are asked and nowhere else, and not for a frame within the subnet.
func TestCommentsNameACLEntries(t *testing.T) {
	l := newCloud(t, Options{})
	l.network(func(n *SubnetSpec) { n.ACL, n.RouteTable = "acl", "rtb" }, []RouteSpec{{Prefix: vpcCIDR}},
		[]netacl.Entry{{Number: 100, Allow: true, Proto: -1, Prefix: anywhere}})
	watch := tap.New(tap.Config{Points: verdict.AllPoints, Workers: l.Workers()})
	l.AddTap(watch, nil)
	seen := func(frames ...[]byte) (got []string) {
		l.send(l.a, frames...)
		watch.Read(func(p tap.Packet) { got = append(got, p.Point.String()+" "+l.RuleName(p.Why.Entry)) })
		return got
	}
	if got := seen(routed(l.a, "10.0.2.12", 1, 2)); !slices.Equal(got,
		[]string{"guest_tx acl egress 100", "egress_post ", "ingress_pre acl ingress 100", "guest_rx "}) {
		t.Errorf("across subnets: %q", got)
	}
	if got := seen(udp(l.a, l.b, 1, 2, "hello")); !slices.Equal(got, []string{"guest_tx ", "egress_post ", "ingress_pre ", "guest_rx "}) {
		t.Errorf("within the subnet: %q", got)
	}
}
