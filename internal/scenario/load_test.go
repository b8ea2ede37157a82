package scenario

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// TestLoadDemo holds the demo to what it is said to be.
func TestLoadDemo(t *testing.T) {
	svc := newService(t, "us-east-1")
	loaded, err := mustOpen(t, "demo").Load(bounded(t), svc)
	if err != nil {
		t.Fatal(err)
	}
	s := svc.State()
	if v := s.VPCs(); len(v) != 1 || v[0].CIDR != netip.MustParsePrefix("192.168.0.0/16") {
		t.Errorf("VPCs %+v", v)
	}
	for _, want := range []struct{ name, role, zone, addr string }{
		{"client", "client", "us-east-1a", "192.168.0.10"},
		{"EC2-1", "active", "us-east-1a", "192.168.0.21"},
		{"EC2-2", "standby", "us-east-1a", "192.168.0.22"},
		{"EC2-3", "bystander", "us-east-1b", "192.168.1.23"},
	} {
		i := s.Instance(loaded.Instances[want.name])
		if i == nil {
			t.Fatalf("no instance %s", want.name)
		}
		nics := s.InterfacesOf(i.ID)
		if i.Name() != want.name || i.Tags[roleTag] != want.role || i.Zone != want.zone || i.State != control.InstanceRunning ||
			nics[0].PrimaryAddress() != netip.MustParseAddr(want.addr) || nics[0].ID != loaded.Interfaces[want.name+"/eth0"] {
			t.Errorf("%s is %+v with %+v", want.name, i, nics[0])
		}
	}
	eth1 := s.NetworkInterface(loaded.Interfaces["eth1"])
	if a := eth1.Attachment; a == nil || a.Instance != loaded.Instances["EC2-1"] || a.DeviceIndex != 1 || a.State != control.Attached || a.DeleteOnTermination {
		t.Errorf("eth1 has attachment %+v", eth1.Attachment)
	}
	if eth1.PrimaryAddress() != netip.MustParseAddr("192.168.0.42") || len(s.AddressesOf(eth1.ID)) != 1 {
		t.Errorf("eth1 is %+v with Elastic IPs %v", eth1, s.AddressesOf(eth1.ID))
	}
	p := s.Policy(loaded.Policies["eth1"])
	want := control.Probe{
		Type: control.ProbeICMP, From: loaded.Interfaces["EC2-2/eth0"],
		Interval: 200 * time.Millisecond, Timeout: 200 * time.Millisecond, Misses: 3,
	}
	if p.Probe != want || !p.Enabled || p.FailBack || !slices.Equal(p.Standbys, []string{loaded.Instances["EC2-2"]}) {
		t.Errorf("policy %+v", p)
	}
	service := netip.MustParseAddr("192.168.0.42")
	ws := []spec.Workload{
		{Name: "requests", Kind: spec.WorkloadUDPEcho, Target: service, Rate: 500},
		{Name: "ping", Kind: spec.WorkloadPing, Target: service, Rate: 10},
		{Name: "web", Kind: spec.WorkloadHTTP, Target: service, Rate: 5, Connections: 8},
	}
	if got := s.Instance(loaded.Instances["client"]).Workloads; !slices.Equal(got, ws) {
		t.Errorf("workloads %+v", got)
	}
	for _, g := range s.SecurityGroups() {
		in := slices.DeleteFunc(slices.Clone(g.Rules), func(r control.SecurityGroupRule) bool { return r.Egress })
		if n := map[string]int{"web": 3, "client": 0, "default": 1}[g.Name]; len(in) != n {
			t.Errorf("group %s has %d rules for what comes in, want %d: %+v", g.Name, len(in), n, in)
		}
	}
}

// TestLoadEverything: each key of a network has its effect.
func TestLoadEverything(t *testing.T) {
	svc := newService(t, "us-east-1")
	loaded, err := mustOpen(t, "../../testdata/scenarios/everything.yaml").Load(bounded(t), svc)
	if err != nil {
		t.Fatal(err)
	}
	s := svc.State()
	front, back := s.SecurityGroup(loaded.Groups["front"]), s.SecurityGroup(loaded.Groups["back"])
	type grant struct {
		egress           bool
		proto, from, to  int
		peer, descriptor string
	}
	grants := func(g *control.SecurityGroup) map[grant]bool {
		m := map[grant]bool{}
		for _, r := range g.Rules {
			peer := r.Group
			if peer == "" {
				peer = r.CIDR.String()
			}
			m[grant{r.Egress, r.Protocol, r.FromPort, r.ToPort, peer, r.Description}] = true
		}
		return m
	}
	if got, want := grants(front), (map[grant]bool{
		{false, 6, 8000, 8080, back.ID, "from the back"}: true,
		{false, 1, 8, -1, "10.1.0.0/16", ""}:             true,
		{true, -1, -1, -1, back.ID, ""}:                  true,
	}); !maps.Equal(got, want) {
		t.Errorf("front has %v", got)
	}
	if got, want := grants(back), (map[grant]bool{
		{false, 17, 7, 7, front.ID, ""}:      true,
		{false, 47, -1, -1, "0.0.0.0/0", ""}: true,
	}); !maps.Equal(got, want) {
		t.Errorf("back has %v", got)
	}

	one, two := s.Instance(loaded.Instances["one"]), s.Instance(loaded.Instances["two"])
	if one.Type != "t3.medium" || two.Type != "t3.micro" || one.Tags["tier"] != "front" || one.Tags[roleTag] != "active" {
		t.Errorf("instances %+v, %+v", one, two)
	}
	target := netip.MustParseAddr("10.1.0.30")
	if ws := []spec.Workload{
		{Name: "web", Kind: spec.WorkloadHTTP, Target: target, Port: 80, Rate: 2.5, Connections: 2, Paused: true},
		{Name: "big", Kind: spec.WorkloadPing, Target: target, Rate: 1, Size: 1400},
		{Name: "out", Kind: spec.WorkloadPing, Target: netip.MustParseAddr("192.0.2.10"), Rate: 1},
	}; !slices.Equal(one.Workloads, ws) {
		t.Errorf("workloads %+v", one.Workloads)
	}
	eth1, spare := s.NetworkInterface(loaded.Interfaces["eth1"]), s.NetworkInterface(loaded.Interfaces["spare"])
	if eth1.SourceDestCheck || eth1.Description != "movable" || len(eth1.Addresses) != 2 || eth1.Tags["tier"] != "front" ||
		!slices.Equal(eth1.Groups, []string{back.ID}) || !eth1.Attachment.DeleteOnTermination {
		t.Errorf("eth1 %+v with %+v", eth1, eth1.Attachment)
	}
	if s.NetworkInterface(loaded.Interfaces["two/eth0"]).SourceDestCheck || !s.NetworkInterface(loaded.Interfaces["one/eth0"]).SourceDestCheck {
		t.Error("two's primary interface has the check that its file takes off, or one's has it not")
	}
	if !spare.SourceDestCheck || spare.Attachment != nil {
		t.Errorf("spare %+v", spare)
	}
	gateway := s.InternetGateway(loaded.InternetGateways["way-out"])
	if g := s.InternetGateways(); len(g) != 1 || gateway == nil || gateway.VPC != eth1.VPC || gateway.Tags["tier"] != "front" {
		t.Errorf("internet gateways %+v, want the file's own", g)
	}
	bound := s.Address(loaded.Addresses["bound"]).PublicIP
	nat, inner := s.NATGateway(loaded.NATGateways["nat"]), s.NATGateway(loaded.NATGateways["inner"])
	if nat.State != control.NATAvailable || nat.Private || nat.PublicIP != s.Address(loaded.Addresses["shared"]).PublicIP ||
		nat.PrivateIP != netip.MustParseAddr("10.1.0.60") || !inner.Private || inner.State != control.NATAvailable {
		t.Errorf("NAT gateways %+v, %+v", nat, inner)
	}
	leads := map[string]string{}
	out, in := s.RouteTable(loaded.RouteTables["out"]), s.RouteTable(loaded.RouteTables["in"])
	for name, table := range map[string]*control.RouteTable{"out": out, "in": in} {
		for _, r := range table.Routes {
			leads[name+" "+r.Destination.String()] = r.Target()
		}
	}
	joined, hub := s.Peering(loaded.Peerings["joined"]), s.TransitGateway(loaded.TransitGateways["hub"])
	storage, keys := s.VPCEndpoint(loaded.Endpoints["storage"]), s.VPCEndpoint(loaded.Endpoints["keys"])
	if want := map[string]string{
		"out 10.2.0.0/16": joined.ID, "out 10.2.1.0/24": hub.ID, "out invalid Prefix": storage.ID,
		"out 10.1.0.0/16": "local", "out 0.0.0.0/0": gateway.ID, "out 198.51.100.0/24": nat.ID, "out 172.31.0.9/32": loaded.Interfaces["one/eth0"],
		"in 10.1.0.0/16": eth1.ID, "in 10.1.0.0/24": eth1.ID,
	}; !maps.Equal(leads, want) {
		t.Errorf("routes %v, want %v", leads, want)
	}
	if sub := s.Subnet(loaded.Subnets["a"]); s.RouteTableOf(sub) != out || s.GatewayRouteTable(gateway) != in {
		t.Errorf("the subnet uses %s, the gateway %+v", s.RouteTableOf(sub).ID, s.GatewayRouteTable(gateway))
	}
	checkJoins(t, s, loaded)
	if storage.Tags["tier"] != "front" || len(keys.Interfaces) != 1 || !keys.PrivateDNS || !slices.Equal(keys.Groups, []string{front.ID}) ||
		keys.State != control.EndpointAvailable || s.VPCEndpoint(loaded.Endpoints["names"]).PrivateDNS {
		t.Errorf("endpoints %+v, %+v", storage, keys)
	}
	far := s.InternetHost(loaded.InternetHosts["far"])
	if far.Address != netip.MustParseAddr("192.0.2.10") || !slices.Equal(far.Serve, []spec.ServedPort{{Protocol: "tcp", Port: 443}}) ||
		!slices.Equal(far.Workloads, []spec.Workload{
			{Name: "watch", Kind: spec.WorkloadPing, Target: bound, Rate: 1},
			{Name: "near", Kind: spec.WorkloadPing, Target: netip.MustParseAddr("192.0.2.11"), Rate: 1},
		}) {
		t.Errorf("internet host %+v", far)
	}
	if a := s.Address(loaded.Addresses["bound"]); a.NetworkInterface != eth1.ID || a.PrivateIP != netip.MustParseAddr("10.1.0.31") {
		t.Errorf("Elastic IP bound %+v", a)
	}
	if a := s.Address(loaded.Addresses["free"]); a.AssociationID != "" {
		t.Errorf("Elastic IP free %+v", a)
	}
	p := s.Policy(loaded.Policies["eth1"])
	if want := (control.Probe{
		Type: control.ProbeHTTP, From: loaded.Interfaces["two/eth0"], Port: 80, Path: "/health",
		Interval: time.Second, Timeout: 500 * time.Millisecond, Misses: 2,
	}); p.Probe != want || p.Enabled || !p.FailBack {
		t.Errorf("policy %+v", p)
	}
}

// checkJoins holds peerings, transit gateways and network ACLs to everything.yaml.
func checkJoins(t *testing.T, s *control.State, loaded *Loaded) {
	t.Helper()
	joined, lab, other := s.Peering(loaded.Peerings["joined"]), s.VPC(loaded.VPCs["lab"]), s.VPC(loaded.VPCs["other"])
	if joined.State != control.PeeringActive || joined.Requester.VPC != lab.ID || joined.Accepter.VPC != other.ID || joined.Tags["tier"] != "front" {
		t.Errorf("peering %+v", joined)
	}
	if !lab.DNSHostnames || other.DNSHostnames {
		t.Error("names of hosts are in the VPC whose file does not say so, or not in the other")
	}
	hub, apart := s.TransitGateway(loaded.TransitGateways["hub"]), s.TransitGateway(loaded.TransitGateways["apart"])
	if hub.ASN != 65000 || hub.Description != "both VPCs" || hub.DefaultTable() == "" || apart.DefaultTable() != "" {
		t.Errorf("transit gateways %+v, %+v", hub, apart)
	}
	attachment := func(name string) *control.TransitAttachment {
		return s.TransitAttachment(loaded.TransitAttachments[name])
	}
	own := s.TransitTable(loaded.TransitTables["own"])
	for name, table := range map[string]string{"lab": hub.DefaultTable(), "other": hub.DefaultTable(), "lab-apart": own.ID} {
		if a := attachment(name); a.State != control.TransitAvailable || a.Table != table || a.TableState != control.TransitAssociated {
			t.Errorf("attachment %s: %+v", name, a)
		}
	}
	routes := func(table *control.TransitTable) map[string]string {
		to := map[string]string{}
		for _, r := range s.TransitRoutes(table) {
			to[r.Destination.String()] = r.Attachment
		}
		return to
	}
	if got, want := routes(s.TransitTable(hub.DefaultTable())), map[string]string{
		"10.1.0.0/16": attachment("lab").ID, "10.2.0.0/16": attachment("other").ID, "192.0.2.0/24": attachment("other").ID, "198.51.100.0/24": "",
	}; !maps.Equal(got, want) {
		t.Errorf("the hub's routes %v, want %v", got, want)
	}
	if got, want := routes(own), map[string]string{"10.1.0.0/16": attachment("lab-apart").ID, "0.0.0.0/0": attachment("lab-apart").ID}; !maps.Equal(got, want) {
		t.Errorf("own has %v, want %v", got, want)
	}
	acl := s.NetworkACLOf(loaded.Subnets["b"])
	if acl.ID != loaded.NetworkACLs["edge"] || len(acl.Entries) != 3 || acl.Tags["tier"] != "front" {
		t.Fatalf("network ACL %+v", acl)
	}
	for i, want := range []control.NetworkACLEntry{
		{Number: 100, Allow: true, Protocol: 6, CIDR: netip.MustParsePrefix("10.1.0.0/16"), FromPort: 80, ToPort: 443},
		{Number: 110, Protocol: 1, CIDR: netip.MustParsePrefix("0.0.0.0/0"), ICMPType: 8},
		{Number: 100, Egress: true, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")},
	} {
		if acl.Entries[i] != want {
			t.Errorf("entry %d is %+v, want %+v", i, acl.Entries[i], want)
		}
	}
}

// TestZonesOfEveryRegion: Tokyo has no zone b, and some regions have two zones.
func TestZonesOfEveryRegion(t *testing.T) {
	sc := mustOpen(t, "demo")
	for _, r := range control.Regions() {
		region := r.Name
		svc := newService(t, region)
		loaded, err := sc.Load(bounded(t), svc)
		if err != nil {
			t.Errorf("%s: %v", region, err)
			continue
		}
		for i, name := range []string{"lab-a", "lab-b"} {
			if z := svc.State().Subnet(loaded.Subnets[name]).Zone; z != control.Zones(region)[i] {
				t.Errorf("%s: subnet %s is in %s", region, name, z)
			}
		}
	}
}

func TestLoadRefusesWhatIsNotEmpty(t *testing.T) {
	svc := newService(t, "us-east-1")
	ctx := bounded(t)
	if _, err := svc.CreateVPC(ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"}); err != nil {
		t.Fatal(err)
	}
	before := svc.State().Revision()
	if _, err := mustOpen(t, "demo").Load(ctx, svc); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	if now := svc.State().Revision(); now != before {
		t.Errorf("revision %d after the refusal, %d before", now, before)
	}
}

// TestRecordsAreSomething: whoever has deleted the network may want to keep
// what it has shown.
func TestRecordsAreSomething(t *testing.T) {
	svc := newService(t, "us-east-1")
	ctx := bounded(t)
	if _, err := svc.PutFailover(ctx, control.Failover{Kind: control.KindMove, State: control.FailoverCompleted}); err != nil {
		t.Fatal(err)
	}
	if _, err := mustOpen(t, "demo").Load(ctx, svc); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
}

// TestZoneThatTheRegionLacks is known only once the region is.
func TestZoneThatTheRegionLacks(t *testing.T) {
	sc, err := Parse(t.Context(), "zone.yaml", []byte("vpcs: [{name: v, cidr: 10.0.0.0/16}]\nsubnets:\n  - {name: s, vpc: v, cidr: 10.0.0.0/24, zone: b}\n"))
	if err != nil {
		t.Fatal(err)
	}
	svc := newService(t, "ap-northeast-1")
	_, err = sc.Load(bounded(t), svc)
	var e *Error
	if !errors.As(err, &e) || e.Line != 3 {
		t.Errorf("got %v", err)
	}
	if v := svc.State().VPCs(); len(v) != 0 {
		t.Errorf("left behind: %+v", v)
	}
}
