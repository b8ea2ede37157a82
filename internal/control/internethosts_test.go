package control

import (
	"net/netip"
	"strings"
	"testing"

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

// TestNamesOfInternetHosts: what DNS could not serve is refused, with the part that
// is wrong, and names that differ by case are one.
func TestNamesOfInternetHosts(t *testing.T) {
	s := newSite(t)
	label, create := strings.Repeat("x", 63), func(name, address string) func(*tx) error {
		return func(t *tx) error {
			_, err := t.createInternetHost(CreateInternetHostInput{Name: name, Address: address})
			return err
		}
	}
	const want = " An internet host's name is one for DNS, such as updates.example.com: 1 to 253 characters, " +
		"parts of 1 to 63 letters, digits, hyphens and underscores, with a dot between them."
	for name, why := range map[string]string{
		"":                                 `The name "" has an empty part.`,
		".":                                `The name "." has an empty part.`,
		"a..b":                             `The name "a..b" has an empty part.`,
		"example.":                         `The name "example." has an empty part.`,
		"two words":                        `The part "two words" of the name "two words" has a character that is none of these.`,
		"a.b\x00.c":                        `The part "b\x00" of the name "a.b\x00.c" has a character that is none of these.`,
		"über.example":                     `The part "über" of the name "über.example" has a character that is none of these.`,
		label + "x":                        `The part of 64 characters in the name "` + label + `x" is too long.`,
		strings.Repeat(label+".", 4) + "x": "The name of 257 characters is too long.",
	} {
		s.refuses("InvalidParameterValue", why+want, create(name, "192.0.2.10"))
	}
	s.ok(create(strings.Join([]string{label, label, label, label[:61]}, "."), "192.0.2.10"))
	s.ok(create("_x.7-Seven", "192.0.2.11"))
	s.refuses("InvalidParameterValue", "There is an internet host with the name '_X.7-seven' already.", create("_X.7-seven", "192.0.2.12"))
}
