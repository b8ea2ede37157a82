package e2e

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// pair is a service on one of two instances, or in front of one: what a policy of
// any strategy moves between them.
type pair struct {
	*lab
	vpc       *control.VPC
	gateway   string
	near, far *control.Subnet // in zones a and b
	away      *control.Subnet // of the client inside
	one, two  *control.NetworkInterface
	eip       *control.Address
	customer  *control.InternetHost
	inside    *control.NetworkInterface
}

func got[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newPair builds the two instances, the second in zone b if apart.
func newPair(t *testing.T, apart bool) *pair {
	l := &pair{lab: newLab(t, t.TempDir())}
	l.vpc = got(l.svc.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"}))(t)
	l.near = got(l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "10.0.1.0/24", Zone: "us-east-1a"}))(t)
	l.far = got(l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "10.0.2.0/24", Zone: "us-east-1b"}))(t)
	g := got(l.svc.CreateInternetGateway(l.ctx, nil))(t)
	l.gateway = g.ID
	l.ok(l.svc.AttachInternetGateway(l.ctx, g.ID, l.vpc.ID))
	l.ok(l.svc.CreateRoute(l.ctx, control.RouteInput{Table: l.svc.State().MainRouteTable(l.vpc.ID).ID, DestinationInput: control.DestinationInput{CIDR: "0.0.0.0/0"}, Gateway: g.ID}))
	l.away = got(l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "10.0.9.0/24", Zone: "us-east-1a"}))(t)
	second := l.near
	if apart {
		second = l.far
	}
	l.one = l.launch(l.near)
	l.two = l.launch(second)
	got(l.svc.AuthorizeRules(l.ctx, l.one.Groups[0], false, []control.RuleInput{{Protocol: "-1", CIDR: "0.0.0.0/0"}}))(t)
	l.eip = got(l.svc.AllocateAddress(l.ctx, nil))(t)
	return l
}

func (l *pair) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *pair) launch(in *control.Subnet, ws ...spec.Workload) *control.NetworkInterface {
	l.t.Helper()
	i := got(l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: in.ID, Workloads: ws}))(l.t)
	l.until("it runs", func(s *control.State) bool { return s.Instance(i.ID).State == control.InstanceRunning })
	return l.svc.State().InterfacesOf(i.ID)[0]
}

// clients start asking: one inside, by a router from everything that moves, and
// one on the internet.
func (l *pair) clients(inside netip.Addr) {
	l.t.Helper()
	ws := func(to netip.Addr) []spec.Workload {
		return []spec.Workload{{Name: "requests", Kind: spec.WorkloadUDPEcho, Target: to, Rate: 100}}
	}
	l.inside = l.launch(l.away, ws(inside)...)
	l.customer = got(l.svc.CreateInternetHost(l.ctx, control.CreateInternetHostInput{
		Name: "customer", Address: "198.51.100.20", Workloads: ws(l.eip.PublicIP),
	}))(l.t)
	l.answered(l.inside.Attachment.Instance, "requests")
	l.answered(l.customer.ID, "requests")
}

func (l *pair) guard(terms control.Terms, from string, change ...func(*control.FailoverPolicy)) *control.FailoverPolicy {
	l.t.Helper()
	p := control.FailoverPolicy{
		NetworkInterface: l.one.ID, Standbys: []string{l.two.Attachment.Instance}, Enabled: true, Terms: terms,
		Probe: control.Probe{Type: control.ProbeICMP, From: from, Interval: 100 * time.Millisecond, Misses: 3},
	}
	for _, f := range change {
		f(&p)
	}
	return got(l.svc.PutPolicy(l.ctx, p))(l.t)
}

// takeover fails the owner and returns the complete record of what then moves.
func (l *pair) takeover(from, to *control.NetworkInterface, moved string, nth int) (rec *control.Failover) {
	l.t.Helper()
	got(l.svc.FailInstance(l.ctx, from.Attachment.Instance, control.FaultFreeze))(l.t)
	l.until("the take-over of "+moved+" is measured", func(s *control.State) bool {
		n := 0
		for _, f := range s.Failovers() {
			if f.Moved.String() == moved && f.Kind == control.KindFailover {
				if n++; f.To == to.Attachment.Instance && f.State == control.FailoverCompleted {
					rec = f
				}
			}
		}
		return n == nth && rec != nil
	})
	return rec
}

// judge holds a record against what a policy's take-over must leave.
func (l *pair) judge(f *control.Failover, p *control.FailoverPolicy, from, to *control.NetworkInterface, clients int, calls ...string) {
	l.t.Helper()
	if f.Policy != p.ID || f.From != from.Attachment.Instance || f.To != to.Attachment.Instance || f.Moved.From != from.ID || f.Moved.To != to.ID {
		l.t.Errorf("the record is of %+v from %s to %s by %q", f.Moved, f.From, f.To, f.Policy)
	}
	if f.Cause == nil || f.Cause.Misses < 3 || f.Control.FaultAt == 0 || f.Control.DetectedAt <= f.Control.FaultAt {
		l.t.Errorf("cause %+v, times %+v: want a detection after the fault", f.Cause, f.Control)
	}
	var made []string
	for _, c := range f.Calls {
		made = append(made, c.Operation)
		if c.Error != "" || c.End < c.Start || c.Start < f.Control.DetectedAt {
			l.t.Errorf("call %+v", c)
		}
	}
	if g, w := strings.Join(made, " "), strings.Join(calls, " "); g != w {
		l.t.Errorf("calls %s, want %s", g, w)
	}
	if len(f.Traffic) != clients {
		l.t.Errorf("%d clients, want %d: %+v", len(f.Traffic), clients, f.Traffic)
	}
	internet := false
	for _, r := range f.Traffic {
		internet = internet || r.Client == l.customer.ID
		if r.OutageNanos <= 0 || r.Incomplete != "" {
			l.t.Errorf("client %s saw %+v", r.Client, r)
		}
	}
	if !internet {
		l.t.Error("the client on the internet is not in the record")
	}
	if f.AnsweredByTwo != 0 {
		l.t.Errorf("two answered for %v though the former owner is frozen: %+v", time.Duration(f.AnsweredByTwo), f.Answered)
	}
	for i, ph := range f.Phases {
		if i > 0 && ph.Start != f.Phases[i-1].End {
			l.t.Errorf("phase %s does not follow on %s", ph.Name, f.Phases[i-1].Name)
		}
	}
}

// TestAddressPolicy moves a secondary address within its subnet, and back when the
// second owner fails: a former owner is a standby.
func TestAddressPolicy(t *testing.T) {
	l := newPair(t, false)
	const moving = "10.0.1.50"
	got(func() (any, error) {
		_, _, err := l.svc.AssignAddresses(l.ctx, control.AssignAddressesInput{ID: l.one.ID, IPs: []string{moving}})
		return nil, err
	}())(t)
	got(l.svc.AssociateAddress(l.ctx, l.eip.AllocationID, l.one.ID, moving, false))(t)
	l.clients(netip.MustParseAddr(moving))
	p := l.guard(control.Terms{Strategy: control.StrategyAddress, Addresses: []netip.Addr{netip.MustParseAddr(moving)}}, l.inside.ID)
	f := l.takeover(l.one, l.two, moving, 1)
	l.judge(f, p, l.one, l.two, 2, "AssignPrivateIpAddresses")
	got(l.svc.RecoverInstance(l.ctx, l.one.Attachment.Instance))(t)
	l.judge(l.takeover(l.two, l.one, moving, 2), p, l.two, l.one, 2, "AssignPrivateIpAddresses")
}

// TestEIPPolicy moves an Elastic IP into another zone, as a prober on the internet
// demands, and back by itself when the first owner has been well for the hold-down.
func TestEIPPolicy(t *testing.T) {
	l := newPair(t, true)
	got(l.svc.AssociateAddress(l.ctx, l.eip.AllocationID, l.one.ID, "", false))(t)
	l.clients(l.one.PrimaryAddress())
	p := l.guard(control.Terms{Strategy: control.StrategyEIP, Allocation: l.eip.AllocationID, HoldDown: 300 * time.Millisecond},
		l.customer.ID, func(p *control.FailoverPolicy) { p.FailBack = true })
	f := l.takeover(l.one, l.two, l.eip.PublicIP.String(), 1)
	l.judge(f, p, l.one, l.two, 1, "AssociateAddress")
	if f.Cause.From != l.customer.ID {
		t.Errorf("probed from %s, want the internet host %s", f.Cause.From, l.customer.ID)
	}
	got(l.svc.RecoverInstance(l.ctx, l.one.Attachment.Instance))(t)
	l.until("it has failed back", func(s *control.State) bool {
		return s.Address(l.eip.AllocationID).NetworkInterface == l.one.ID && s.Failovers()[0].Kind == control.KindFailBack
	})
	if b := l.svc.State().Failovers()[0]; b.Policy != p.ID || b.Control.AttachedAt-f.Control.AttachedAt < int64(300*time.Millisecond) {
		t.Errorf("fail-back %+v within the hold-down", b)
	}
}

// TestRoutePolicy replaces the routes of clients inside, and of what comes in from
// the internet, by those to an appliance in another zone.
func TestRoutePolicy(t *testing.T) {
	l := newPair(t, true)
	off := false
	for _, n := range []*control.NetworkInterface{l.one, l.two} {
		got(l.svc.ModifyInterface(l.ctx, control.ModifyInterfaceInput{ID: n.ID, SourceDestCheck: &off}))(t)
	}
	servers := got(l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "10.0.3.0/24", Zone: "us-east-1a"}))(t)
	server := l.launch(servers)
	got(l.svc.AssociateAddress(l.ctx, l.eip.AllocationID, server.ID, "", false))(t)
	edge := got(l.svc.CreateRouteTable(l.ctx, l.vpc.ID, nil))(t)
	got(l.svc.AssociateRouteTable(l.ctx, control.AssociateRouteTableInput{Table: edge.ID, Gateway: l.gateway}))(t)
	// A table of the clients' own: the appliance's would lead back to itself.
	ways := got(l.svc.CreateRouteTable(l.ctx, l.vpc.ID, nil))(t)
	got(l.svc.AssociateRouteTable(l.ctx, control.AssociateRouteTableInput{Table: ways.ID, Subnet: l.away.ID}))(t)
	for _, r := range []string{ways.ID, edge.ID} {
		l.ok(l.svc.CreateRoute(l.ctx, control.RouteInput{Table: r, DestinationInput: control.DestinationInput{CIDR: "10.0.3.0/24"}, Interface: l.one.ID}))
	}
	l.clients(server.PrimaryAddress())
	p := l.guard(control.Terms{Strategy: control.StrategyRoute, Routes: []control.PolicyRoute{
		{Table: edge.ID, Destination: "10.0.3.0/24"}, {Table: ways.ID, Destination: "10.0.3.0/24"},
	}}, l.inside.ID)
	f := l.takeover(l.one, l.two, "10.0.3.0/24 in "+edge.ID, 1)
	l.judge(f, p, l.one, l.two, 1, "ReplaceRoute", "ReplaceRoute")
	other := l.recorded("10.0.3.0/24 in " + ways.ID)
	if other.Policy != p.ID || len(other.Traffic) != 1 || other.Traffic[0].Client != l.inside.Attachment.Instance || other.Traffic[0].OutageNanos <= 0 {
		t.Errorf("the record of the other route is %+v", other)
	}
}

// TestFencedENI moves an ENI only after the frozen owner has been stopped.
func TestFencedENI(t *testing.T) {
	for _, fence := range []control.Fence{control.FenceStop, control.FenceDetach} {
		t.Run(string(fence), func(t *testing.T) {
			l := newPair(t, false)
			eth1 := got(l.svc.CreateInterface(l.ctx, control.CreateInterfaceInput{Subnet: l.near.ID, PrivateIP: "10.0.1.42"}))(t)
			primary := l.one
			l.one = got(l.svc.Attach(l.ctx, control.AttachInput{Interface: eth1.ID, Instance: primary.Attachment.Instance, DeviceIndex: 1}))(t)
			got(l.svc.AssociateAddress(l.ctx, l.eip.AllocationID, eth1.ID, "", false))(t)
			l.clients(eth1.PrimaryAddress())
			p := l.guard(control.Terms{Fence: fence}, l.inside.ID)
			got(l.svc.FailInstance(l.ctx, primary.Attachment.Instance, control.FaultFreeze))(t)
			f := l.recorded(eth1.ID)
			l.t.Logf("phases %+v", f.Phases)
			if f.Policy != p.ID || f.From != primary.Attachment.Instance || f.To != l.two.Attachment.Instance {
				t.Errorf("the record is of a move from %s to %s by %q", f.From, f.To, f.Policy)
			}
			if f.Fencing == nil || f.Fencing.Fence != fence || f.Fencing.Error != "" || f.Fencing.End <= f.Fencing.Start || f.Phases[1].Name != "fence" {
				t.Errorf("fencing %+v, phases %+v", f.Fencing, f.Phases)
			}
			if len(f.Calls) < 2 || f.Calls[len(f.Calls)-1].Operation != "AttachNetworkInterface" {
				t.Errorf("calls %+v", f.Calls)
			}
			if i := l.svc.State().Instance(primary.Attachment.Instance); fence == control.FenceStop && i.State != control.InstanceStopped {
				t.Errorf("the former owner is %s", i.State)
			}
		})
	}
}
