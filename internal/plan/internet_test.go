package plan_test

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// What an internet host does and suffers is what it is to the network.
func TestInternetHostsInTheNetwork(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		var h *control.InternetHost
		target := netip.MustParseAddr("203.0.113.1")
		work := []spec.Workload{{Name: "watch", Kind: spec.WorkloadPing, Target: target, Rate: 5}}
		var v spec.VNIC
		var n spec.Subnet
		for _, c := range []struct {
			name    string
			f       func() error
			power   spec.Power
			fault   spec.Fault
			boot    uint64
			working bool
		}{
			{"created", func() (err error) {
				h, err = s.CreateInternetHost(s.Ctx, control.CreateInternetHostInput{Name: "client", Address: "192.0.2.10"})
				return err
			}, spec.PowerOn, spec.FaultNone, 1, false},
			{"workloads", func() error { return only(s.SetInternetWorkloads(s.Ctx, h.ID, work)) }, spec.PowerOn, spec.FaultNone, 1, true},
			{"frozen", func() error { return only(s.FailInternetHost(s.Ctx, h.ID, control.FaultFreeze)) }, spec.PowerOn, spec.FaultFreeze, 1, true},
			{"thawed", func() error { return only(s.RecoverInternetHost(s.Ctx, h.ID)) }, spec.PowerOn, spec.FaultNone, 1, true},
			{"stopped", func() error { return only(s.FailInternetHost(s.Ctx, h.ID, control.FaultStop)) }, spec.PowerOff, spec.FaultNone, 1, true},
			{"without link", func() error { return only(s.FailInternetHost(s.Ctx, h.ID, control.FaultLink)) }, spec.PowerOn, spec.FaultLink, 2, true},
			{"linked", func() error { return only(s.RecoverInternetHost(s.Ctx, h.ID)) }, spec.PowerOn, spec.FaultNone, 2, true},
			{"serving", func() error {
				return only(s.SetInternetServe(s.Ctx, h.ID, []spec.ServedPort{{Protocol: "tcp", Port: 443}}))
			},
				spec.PowerOn, spec.FaultNone, 2, true},
		} {
			d := s.Delta(c.f)
			if len(d.Hosts) != 1 {
				t.Fatalf("%s: compiled to %+v", c.name, d)
			}
			host := d.Hosts[0]
			if host.ID != h.ID || host.Name != "client" || host.Power != c.power || host.Fault != c.fault || host.Boot != c.boot || (len(host.Workloads) > 0) != c.working {
				t.Errorf("%s: compiled to %+v", c.name, host)
			}
			if made := c.name == "created"; made != (len(d.Subnets) == 1) || made != (len(d.VNICs) == 1) {
				t.Fatalf("%s: compiled to the subnets %+v and network interfaces %+v", c.name, d.Subnets, d.VNICs)
			} else if made {
				v, n = d.VNICs[0], d.Subnets[0]
			}
		}
		switch {
		case v.Host != h.ID || v.Subnet != n.ID || v.MTU != 1500 || !v.SourceDestCheck || len(v.Groups) > 0 ||
			!slices.Equal(v.Addrs, []netip.Addr{h.Address}) || v.MAC != frame.MACAt([]byte{6, 0, 192, 0, 2, 10}):
			t.Errorf("its network interface is %+v", v)
		case n.VPC != spec.InternetVPC || n.CIDR.Bits() != 0 || n.RouterIP.String() != "169.254.0.1" || n.RouterMAC == v.MAC || n.RouteTable != "" || n.ACL != "":
			t.Errorf("its subnet is %+v", n)
		}
		other := controltest.Must(s.CreateInternetHost(s.Ctx, control.CreateInternetHostInput{Name: "another", Address: "192.0.2.11"}))
		for k, id := range []string{h.ID, other.ID} {
			d := s.Delta(func() error { return s.DeleteInternetHost(s.Ctx, id) })
			if len(d.RemoveHosts) != 1 || len(d.RemoveVNICs) != 1 || len(d.RemoveSubnets) != k {
				t.Errorf("host %d deleted: compiled to %+v", k+1, d)
			}
		}
	})
}

// foundedSite is a site with the prefix lists of AWS, which a region is founded
// with.
func foundedSite(t testing.TB) *controltest.Site {
	l := controltest.Serve(t, nil, nil)
	l.Check(l.Found(t.Context()))
	return l.Site("192.168.0.0/16", "192.168.0.0/24", "192.168.1.0/24")
}

const s3 = "com.amazonaws.us-east-1.s3"

// TestGatewayEndpointsReachTheNetwork: one stands on the internet from the commit
// that makes it to the one that begins to delete it, and its routes lead there.
func TestGatewayEndpointsReachTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := foundedSite(t)
		main := s.State().MainRouteTable(s.VPC.ID)
		var e *control.VPCEndpoint
		leads := func(d spec.Delta) (kinds []spec.RouteKind) {
			for _, table := range d.RouteTables {
				for _, r := range table.Routes {
					if r.Via == e.ID {
						kinds = append(kinds, r.Kind)
					}
				}
			}
			return kinds
		}
		d := s.Delta(func() (err error) {
			e, err = s.CreateVPCEndpoint(s.Ctx, control.CreateVPCEndpointInput{VPC: s.VPC.ID, Service: s3, RouteTables: []string{main.ID}})
			return err
		})
		if len(d.VNICs) != 1 || len(d.Subnets) != 1 || d.Subnets[0].VPC != spec.InternetVPC {
			t.Fatalf("made: %+v in %+v", d.VNICs, d.Subnets)
		}
		v, internet := d.VNICs[0], d.Subnets[0].ID
		if v.ID != e.ID || v.Subnet != internet || !slices.Equal(v.Addrs, []netip.Addr{e.Source}) || *v.NAT != (spec.NAT{ID: e.ID, Inside: s.VPC.ID}) {
			t.Errorf("made: %+v", v)
		}
		if got := leads(d); len(got) != 3 || slices.ContainsFunc(got, func(k spec.RouteKind) bool { return k != spec.RouteInterface }) {
			t.Errorf("made: routes of kinds %v, want three to an interface", got)
		}
		d = s.Delta(func() error {
			return only(s.CreateVPCEndpoint(s.Ctx, control.CreateVPCEndpointInput{VPC: s.VPC.ID, Service: "com.amazonaws.us-east-1.ssm",
				Type: control.EndpointInterface, Subnets: []string{s.A.ID}, PrivateDNS: new(false)}))
		})
		if len(d.VNICs)+len(d.Subnets) != 0 {
			t.Errorf("an interface endpoint: %+v in %+v", d.VNICs, d.Subnets)
		}
		d = s.Delta(func() error {
			return s.ModifyVPCEndpoint(s.Ctx, control.ModifyVPCEndpointInput{ID: e.ID, RemoveRouteTables: []string{main.ID}})
		})
		if len(d.RouteTables) != 1 || len(leads(d)) != 0 || len(d.VNICs)+len(d.RemoveVNICs) != 0 {
			t.Errorf("without the table: %+v", d)
		}
		d = s.Delta(func() error { return s.DeleteVPCEndpoint(s.Ctx, e.ID) })
		if !slices.Equal(d.RemoveVNICs, []string{e.ID}) || !slices.Equal(d.RemoveSubnets, []string{internet}) {
			t.Errorf("deleted: %+v", d)
		}
	})
}
