package controltest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Site is the topology that most tests of the network want: a VPC with a subnet
// in zone a and one in zone b. It needs a bubble of synctest, in whose time
// transitional states end.
type Site struct {
	*Lab
	VPC  *control.VPC
	A, B *control.Subnet
	// Ctx is the test's.
	Ctx context.Context
}

// NewSite starts a Lab with 192.168.0.0/16, 192.168.0.0/24 and 192.168.1.0/24.
func NewSite(t testing.TB) *Site {
	t.Helper()
	return Serve(t, nil, nil).Site("192.168.0.0/16", "192.168.0.0/24", "192.168.1.0/24")
}

// Site makes a VPC with two subnets in a Lab.
func (l *Lab) Site(vpc, a, b string) *Site {
	l.t.Helper()
	ctx := l.t.Context()
	s := &Site{Lab: l, Ctx: ctx}
	s.VPC = Must(l.CreateVPC(ctx, control.CreateVPCInput{CIDR: vpc}))
	s.A = Must(l.CreateSubnet(ctx, control.CreateSubnetInput{VPC: s.VPC.ID, CIDR: a, Zone: "us-east-1a"}))
	s.B = Must(l.CreateSubnet(ctx, control.CreateSubnetInput{VPC: s.VPC.ID, CIDR: b, Zone: "us-east-1b"}))
	return s
}

// Must returns what a command has made. One that is refused ends the test with
// the place that asked for it.
func Must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

// Settle lets pass what TimingFast takes, and not more.
func (s *Site) Settle() {
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
}

// Run launches an instance and waits until it runs.
func (s *Site) Run(sub *control.Subnet, typ string) *control.Instance {
	s.t.Helper()
	i := Must(s.RunInstance(s.Ctx, control.RunInstanceInput{Subnet: sub.ID, Type: typ}))
	s.Settle()
	return s.State().Instance(i.ID)
}

// Primary is the network interface that an instance cannot lose.
func (s *Site) Primary(i *control.Instance) *control.NetworkInterface {
	return s.State().PrimaryInterface(i.ID)
}

// ENI makes a network interface; "" is any address.
func (s *Site) ENI(sub *control.Subnet, ip string) *control.NetworkInterface {
	s.t.Helper()
	return Must(s.CreateInterface(s.Ctx, control.CreateInterfaceInput{Subnet: sub.ID, PrivateIP: ip}))
}

// Plug attaches a network interface; it is attaching still.
func (s *Site) Plug(n *control.NetworkInterface, i *control.Instance, index int) *control.NetworkInterface {
	s.t.Helper()
	return Must(s.Attach(s.Ctx, control.AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: index}))
}

// Gateway makes an internet gateway and attaches it.
func (s *Site) Gateway() *control.InternetGateway {
	s.t.Helper()
	g := Must(s.CreateInternetGateway(s.Ctx, nil))
	s.Check(s.AttachInternetGateway(s.Ctx, g.ID, s.VPC.ID))
	return s.State().InternetGateway(g.ID)
}

// Peer peers a VPC with another, in use at once.
func (s *Site) Peer(other *control.VPC) *control.Peering {
	s.t.Helper()
	p := Must(s.CreatePeering(s.Ctx, control.CreatePeeringInput{VPC: s.VPC.ID, Peer: other.ID, Account: "1"}))
	p = Must(s.AcceptPeering(s.Ctx, p.ID))
	s.Settle()
	return s.State().Peering(p.ID)
}

// Delta is what f told the network: at most one Delta, else nothing.
func (s *Site) Delta(f func() error) spec.Delta {
	s.t.Helper()
	before := len(s.Network.Applied())
	s.Check(f())
	switch ds := s.Network.Applied()[before:]; len(ds) {
	case 0:
		return spec.Delta{}
	case 1:
		return ds[0]
	default:
		s.t.Fatalf("told the network %d times: %+v", len(ds), ds)
		return spec.Delta{}
	}
}
