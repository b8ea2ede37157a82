package failover

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// TestHandoversAreRecorded: secondary addresses, Elastic IPs and routes that come
// to another ENI leave a record each, by one call or by two, and nothing else does.
func TestHandoversAreRecorded(t *testing.T) {
	l := newLab(t)
	ctx := l.ctx
	eth0 := func(i int) *control.NetworkInterface { return l.svc.State().InterfacesOf(l.ec2[i].ID)[0] }
	one, two := eth0(0).ID, eth0(1).ID
	const ip, ip2 = "192.168.0.50", "192.168.0.51"
	assign := func(to string, ips ...string) func() error {
		return func() error {
			_, _, err := l.svc.AssignAddresses(ctx, control.AssignAddressesInput{ID: to, IPs: ips, AllowReassignment: true})
			return err
		}
	}
	unassign := func(from, ip string) func() error {
		return func() error { _, err := l.svc.UnassignAddresses(ctx, from, []string{ip}); return err }
	}
	eip := must(l.svc.AllocateAddress(ctx, nil))(t)
	associate := func(to, private string) func() error {
		return func() error {
			_, err := l.svc.AssociateAddress(ctx, eip.AllocationID, to, private, true)
			return err
		}
	}
	disassociate := func() error {
		return l.svc.DisassociateAddress(ctx, l.svc.State().Address(eip.AllocationID).AssociationID)
	}
	table := l.svc.State().MainRouteTable(l.eth1.VPC).ID
	overlay := control.DestinationInput{CIDR: "172.31.255.1/32"}
	route := func(eni string) control.RouteInput {
		return control.RouteInput{Table: table, DestinationInput: overlay, Interface: eni}
	}
	replace := func(eni string) func() error { return func() error { return l.svc.ReplaceRoute(ctx, route(eni)) } }
	create := func(eni string) func() error { return func() error { return l.svc.CreateRoute(ctx, route(eni)) } }

	second := must(l.svc.CreateRouteTable(ctx, l.eth1.VPC, nil))(t).ID
	inSecond := func(eni string) control.RouteInput {
		return control.RouteInput{Table: second, DestinationInput: overlay, Interface: eni}
	}
	subnet := eth0(0).Subnet
	var association string
	reassociate := func(table string) func() error {
		return func() error {
			a, err := l.svc.ReplaceRouteTableAssociation(ctx, association, table)
			association = a.ID
			return err
		}
	}

	type want struct {
		moved    string // "": no record
		from, to string
		checks   string
		separate bool
	}
	none := want{}
	ofAddresses := "ip not-exercised, mac changed, groups same, eip not-exercised"
	ofElastic := "eip not-exercised, ip changed, groups same"
	ofRoute := "destination not-exercised, source-dest-check same, groups same"
	records := 0
	for _, step := range []struct {
		name string
		do   func() error
		want want
	}{
		{"a new address", assign(one, ip), none},
		{"moves", assign(two, ip), want{ip, one, two, ofAddresses, false}},
		{"is taken away", unassign(two, ip), none},
		{"and given to another", assign(one, ip), want{ip, two, one, ofAddresses, true}},
		{"is taken away again", unassign(one, ip), none},
		{"and given back", assign(one, ip), none},
		{"another new one", assign(one, ip2), none},
		{"its Elastic IP", associate(one, ip2), none},
		{"both move, and the Elastic IP with one", assign(two, ip, ip2), want{ip + ", " + ip2, one, two, ofAddresses, false}},
		{"the Elastic IP moves", associate(one, ""), want{eip.PublicIP.String(), two, one, ofElastic, false}},
		{"its private address changes", func() error {
			if err := assign(one, "192.168.0.52")(); err != nil {
				return err
			}
			return associate(one, "192.168.0.52")()
		}, none},
		{"it is disassociated", disassociate, none},
		{"and associated elsewhere", associate(two, ""), want{eip.PublicIP.String(), one, two, ofElastic, true}},
		{"a new route", create(one), none},
		{"is replaced", replace(two), want{"172.31.255.1/32 in " + table, one, two, ofRoute, false}},
		{"by what it is", replace(two), none},
		{"is deleted", func() error { return l.svc.DeleteRoute(ctx, table, overlay) }, none},
		{"and made anew", create(one), want{"172.31.255.1/32 in " + table, two, one, ofRoute, true}},
		{"a route of another table", func() error { return l.svc.CreateRoute(ctx, inSecond(two)) }, none},
		{"to which a subnet comes", func() error {
			a, err := l.svc.AssociateRouteTable(ctx, control.AssociateRouteTableInput{Table: second, Subnet: subnet})
			association = a.ID
			return err
		}, want{"172.31.255.1/32 in " + second, one, two, ofRoute, false}},
		{"back to the main table", reassociate(table), want{"172.31.255.1/32 in " + table, two, one, ofRoute, false}},
		{"and to the other again", reassociate(second), want{"172.31.255.1/32 in " + second, one, two, ofRoute, false}},
		{"the association ends", func() error { return l.svc.DisassociateRouteTable(ctx, association) },
			want{"172.31.255.1/32 in " + table, two, one, ofRoute, false}},
		{"the other table becomes the main one", func() error {
			main := l.svc.State().MainRouteTable(l.eth1.VPC)
			_, err := l.svc.ReplaceRouteTableAssociation(ctx, main.Associations[slices.IndexFunc(main.Associations, func(a control.RouteTableAssociation) bool { return a.Main })].ID, second)
			return err
		}, want{"172.31.255.1/32 in " + second, one, two, ofRoute, false}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if step.want == none {
			// What is recorded of a commit is recorded before the next one's is: the next
			// step that wants a record finds whether this one left any.
			continue
		}
		records++
		l.until(step.name+": a record", func(s *control.State) bool { return len(s.Failovers()) >= records })
		all := l.svc.State().Failovers()
		slices.SortFunc(all, func(a, b *control.Failover) int { return int(a.Control.AttachedAt - b.Control.AttachedAt) })
		f := all[len(all)-1]
		if len(all) != records || f.Moved.String() != step.want.moved || f.Moved.From != step.want.from || f.Moved.To != step.want.to {
			t.Fatalf("%s: %d records, the newest of %s from %s to %s, want %d and %+v", step.name, len(all), f.Moved, f.Moved.From, f.Moved.To, records, step.want)
		}
		if owner := map[string]string{one: l.ec2[0].ID, two: l.ec2[1].ID}; f.From != owner[f.Moved.From] || f.To != owner[f.Moved.To] {
			t.Errorf("%s: from %s to %s", step.name, f.From, f.To)
		}
		c := f.Control
		if c.AcceptedAt == 0 || c.DetachedAt < c.AcceptedAt || c.AttachedAt < c.DetachedAt || step.want.separate == (c.AttachedAt == c.DetachedAt) {
			t.Errorf("%s: instants %+v", step.name, c)
		}
		if separate := slices.Contains(f.Notes, "moved by separate calls"); separate != step.want.separate {
			t.Errorf("%s: notes %q", step.name, f.Notes)
		}
		done := l.finished(f.ID)
		var checks []string
		for _, c := range done.Checks {
			checks = append(checks, c.Name+" "+c.Result)
		}
		if got := strings.Join(checks, ", "); got != step.want.checks {
			t.Errorf("%s: checks %s, want %s", step.name, got, step.want.checks)
		}
	}
	if _, why := choose(l.svc.State(), candidates(l.svc.State(), &control.FailoverPolicy{}, eth0(0))); why != "" {
		t.Errorf("records of other things name candidates for an ENI: %s", why)
	}
}

// finished lets the measurement of a record end.
func (l *lab) finished(id string) *control.Failover {
	l.Helper()
	ch, cancel := l.svc.Watch(256)
	defer cancel()
	for l.svc.State().Failover(id).State == control.FailoverRunning {
		l.now.Add(2 * settle)
		select {
		case l.measures <- time.Time{}:
		case <-ch:
		}
	}
	return l.svc.State().Failover(id)
}

// TestRoutedClients: which clients a route's record is about.
func TestRoutedClients(t *testing.T) {
	l := newLab(t)
	s := l.svc.State()
	table := s.MainRouteTable(l.eth1.VPC).ID
	other := must(l.svc.CreateRouteTable(l.ctx, l.eth1.VPC, nil))(t)
	to := s.InterfacesOf(l.ec2[0].ID)[0].ID
	for _, cidr := range []string{"172.31.0.0/16", "172.31.255.0/24"} {
		if err := l.svc.CreateRoute(l.ctx, control.RouteInput{
			Table: table, DestinationInput: control.DestinationInput{CIDR: cidr}, Interface: to,
		}); err != nil {
			t.Fatal(err)
		}
	}
	s = l.svc.State()
	client := s.InterfacesOf(l.client.ID)[0].ID
	for _, tt := range []struct {
		eni, target, table, to string
		want                   bool
	}{
		{client, "172.31.255.1", table, "172.31.255.0/24", true},
		{client, "172.31.255.1", table, "172.31.0.0/16", false}, // the other one is longer
		{client, "172.31.1.1", table, "172.31.0.0/16", true},
		{client, "172.31.1.1", other.ID, "172.31.0.0/16", false}, // its subnet uses another table
		{client, "10.1.1.1", table, "172.31.0.0/16", false},
		{"eni-gone", "172.31.1.1", table, "172.31.0.0/16", false},
	} {
		if got := routed(s, tt.eni, netip.MustParseAddr(tt.target), tt.table, tt.to); got != tt.want {
			t.Errorf("%s to %s by %s in %s: %v", tt.eni, tt.target, tt.to, tt.table, got)
		}
	}
	// What moved for some of the table's subnets moved for their clients alone.
	m := move{moved: control.Moved{Kind: control.MovedRoute, RouteTable: table, Destination: "172.31.0.0/16"}}
	for _, tt := range []struct {
		subnets []string
		want    bool
	}{{nil, true}, {[]string{"subnet-other"}, false}, {[]string{"subnet-other", s.NetworkInterface(client).Subnet}, true}} {
		m.subnets = tt.subnets
		if got := m.uses(s, client, netip.MustParseAddr("172.31.1.1")); got != tt.want {
			t.Errorf("a client of a route that moved for %v: %v", tt.subnets, got)
		}
	}
}
