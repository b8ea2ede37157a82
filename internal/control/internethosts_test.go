package control

import (
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

func (l *lab) host(address string, ws ...spec.Workload) *InternetHost {
	l.t.Helper()
	return must(l, func(t *tx) (*InternetHost, error) {
		return t.createInternetHost(CreateInternetHostInput{Name: address, Address: address, Workloads: ws})
	})
}

// An internet host has an address that nobody else can have.
func TestInternetHostsHavePublicAddresses(t *testing.T) {
	s := publicSite(t)
	h := s.host("192.0.2.10")
	eip := s.eip()
	n := s.primary(s.run(s.a, "m5.large"))
	const want = " Give a public IPv4 address that nobody has, such as 192.0.2.10."
	for address, why := range map[string]string{
		"":                "Value () for parameter address is invalid.",
		"2001:db8::1":     "Value (2001:db8::1) for parameter address is invalid.",
		"0.0.0.0":         "The address 0.0.0.0 is of this network only (0.0.0.0/8).",
		"10.1.2.3":        "The address 10.1.2.3 is private (10.0.0.0/8).",
		"100.64.0.1":      "The address 100.64.0.1 is shared by carriers (RFC 6598) (100.64.0.0/10).",
		"127.0.0.1":       "The address 127.0.0.1 is a loopback address (127.0.0.0/8).",
		"169.254.0.1":     "The address 169.254.0.1 is link-local (169.254.0.0/16).",
		"172.31.0.1":      "The address 172.31.0.1 is private (172.16.0.0/12).",
		"192.0.0.8":       "The address 192.0.0.8 is reserved for protocols (192.0.0.0/24).",
		"192.168.1.1":     "The address 192.168.1.1 is private (192.168.0.0/16).",
		"224.0.0.1":       "The address 224.0.0.1 is a multicast address (224.0.0.0/4).",
		"255.255.255.255": "The address 255.255.255.255 is reserved (240.0.0.0/4).",
		"192.0.2.10":      "The address 192.0.2.10 belongs to the internet host 192.0.2.10.",

		eip.PublicIP.String(): "The address " + eip.PublicIP.String() + " is the Elastic IP " + eip.AllocationID + ".",
		n.PublicIP.String():   "The address " + n.PublicIP.String() + " is the public address of " + n.ID + ".",
	} {
		refused(s.lab, "InvalidParameterValue", why+want, func(t *tx) (*InternetHost, error) {
			return t.createInternetHost(CreateInternetHostInput{Name: "other", Address: address})
		})
	}
	refused(s.lab, "InvalidParameterValue", "There is an internet host with the name '192.0.2.10' already.", func(t *tx) (*InternetHost, error) {
		return t.createInternetHost(CreateInternetHostInput{Name: h.Name, Address: "192.0.2.11"})
	})
	refused(s.lab, "AuthFailure", "The address '192.0.2.10' does not belong to you.", func(t *tx) (*Address, error) {
		return t.allocateAddress(nil, "192.0.2.10")
	})
	// No Elastic IP is given that a host has: they are given in order.
	next := must(s.lab, func(t *tx) (ip netip.Addr, err error) { ip, _ = t.freePublicIP(); return ip, nil })
	s.host(next.String())
	if got := s.eip().PublicIP; got == next {
		t.Errorf("the Elastic IP %s is an internet host's address", got)
	}
	s.ok(func(t *tx) error { return t.deleteInternetHost(h.ID) })
	s.refuses("InvalidInternetHostID.NotFound", "The internet host ID '"+h.ID+"' does not exist",
		func(t *tx) error { return t.deleteInternetHost(h.ID) })
	s.host("192.0.2.10")
}

// What an internet host does and suffers is what it is to the data plane.
func TestInternetHostsInThePlane(t *testing.T) {
	l := newLab(t)
	var h *InternetHost
	target := netip.MustParseAddr("203.0.113.1")
	work := []spec.Workload{{Name: "watch", Kind: spec.WorkloadPing, Target: target, Rate: 5}}
	for _, c := range []struct {
		name    string
		f       func(*tx) error
		power   spec.Power
		fault   spec.Fault
		boot    uint64
		working bool
	}{
		{"created", func(t *tx) (err error) {
			h, err = t.createInternetHost(CreateInternetHostInput{Name: "client", Address: "192.0.2.10"})
			return err
		}, spec.PowerOn, spec.FaultNone, 1, false},
		{"workloads", func(t *tx) error { _, err := t.setInternetWorkloads(h.ID, work); return err },
			spec.PowerOn, spec.FaultNone, 1, true},
		{"frozen", func(t *tx) error { _, err := t.failInternetHost(h.ID, FaultFreeze); return err },
			spec.PowerOn, spec.FaultFreeze, 1, true},
		{"thawed", func(t *tx) error { _, err := t.recoverInternetHost(h.ID); return err },
			spec.PowerOn, spec.FaultNone, 1, true},
		{"stopped", func(t *tx) error { _, err := t.failInternetHost(h.ID, FaultStop); return err },
			spec.PowerOff, spec.FaultNone, 1, true},
		{"without link", func(t *tx) error { _, err := t.failInternetHost(h.ID, FaultLink); return err },
			spec.PowerOn, spec.FaultLink, 2, true},
		{"linked", func(t *tx) error { _, err := t.recoverInternetHost(h.ID); return err },
			spec.PowerOn, spec.FaultNone, 2, true},
		{"serving", func(t *tx) error {
			_, err := t.setInternetServe(h.ID, []spec.ServedPort{{Protocol: "tcp", Port: 443}})
			return err
		}, spec.PowerOn, spec.FaultNone, 2, true},
	} {
		before := l.state
		l.ok(c.f)
		d := compile(before, l.state, l.last().Changes)
		if len(d.Hosts) != 1 {
			t.Fatalf("%s: compiled to %+v", c.name, d)
		}
		s := d.Hosts[0]
		if s.ID != h.ID || s.Name != "client" || s.Power != c.power || s.Fault != c.fault || s.Boot != c.boot || (len(s.Workloads) > 0) != c.working {
			t.Errorf("%s: compiled to %+v", c.name, s)
		}
		if made := c.name == "created"; made != (len(d.Subnets) == 1) || made != (len(d.VNICs) == 1) {
			t.Errorf("%s: compiled to the subnets %+v and network interfaces %+v", c.name, d.Subnets, d.VNICs)
		}
	}
	d := compileAll(l.state)
	v, n := d.VNICs[0], d.Subnets[0]
	switch {
	case v.Host != h.ID || v.Subnet != n.ID || v.MTU != 1500 || !v.SourceDestCheck || len(v.Groups) > 0 ||
		!slices.Equal(v.Addrs, []netip.Addr{h.Address}) || v.MAC != frame.MACAt([]byte{6, 0, 192, 0, 2, 10}):
		t.Errorf("its network interface is %+v", v)
	case n.VPC != spec.InternetVPC || n.CIDR.Bits() != 0 || n.RouterIP.String() != "169.254.0.1" || n.RouterMAC == v.MAC || n.RouteTable != "" || n.ACL != "":
		t.Errorf("its subnet is %+v", n)
	}
	other := l.host("192.0.2.11")
	for k, id := range []string{h.ID, other.ID} {
		before := l.state
		l.ok(func(t *tx) error { return t.deleteInternetHost(id) })
		if d := compile(before, l.state, l.last().Changes); len(d.RemoveHosts) != 1 || len(d.RemoveVNICs) != 1 || len(d.RemoveSubnets) != k {
			t.Errorf("host %d deleted: compiled to %+v", k+1, d)
		}
	}
}

// Pausing all traffic pauses that of the internet too, and every region sees it.
func TestInternetHostsAreOfNoRegion(t *testing.T) {
	l := newLab(t)
	h := l.host("192.0.2.10", spec.Workload{Name: "w", Kind: spec.WorkloadPing, Target: netip.MustParseAddr("192.0.2.11"), Rate: 1})
	l.ok(func(t *tx) error { return t.pauseTraffic(true) })
	if h = l.state.in("eu-west-1").InternetHost(h.ID); h == nil || !h.Workloads[0].Paused {
		t.Errorf("seen from a region, paused: %+v", h)
	}
	l.ok(func(t *tx) error { t.scope = "eu-west-1"; return t.pauseTraffic(false) })
	if h = l.state.InternetHost(h.ID); h.Workloads[0].Paused {
		t.Error("the workload is still paused")
	}
}
