package control

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const (
	s3Service  = "com.amazonaws.us-east-1.s3"
	ssmService = "com.amazonaws.us-east-1.ssm"
)

// founded is a site in a region with the prefix lists of AWS.
func founded(t *testing.T) *site {
	s := newSite(t)
	s.ok(func(t *tx) error { t.awsPrefixLists(); return nil })
	return s
}

func (s *site) endpoint(in CreateVPCEndpointInput) *VPCEndpoint {
	s.t.Helper()
	in.VPC = s.vpc.ID
	return must(s.lab, func(t *tx) (*VPCEndpoint, error) { return t.createEndpoint(in) })
}

// A gateway endpoint is its routes: they come and go with it.
func TestGatewayEndpoint(t *testing.T) {
	s := founded(t)
	table := must(s.lab, func(t *tx) (*RouteTable, error) { return t.createRouteTable(s.vpc.ID, nil) })
	e := s.endpoint(CreateVPCEndpointInput{Service: s3Service, RouteTables: []string{table.ID, table.ID}})
	routes := func(table string) (found []Route) {
		for _, r := range s.state.RouteTable(table).Routes {
			if r.Endpoint == e.ID {
				found = append(found, r)
			}
		}
		return found
	}
	r := s.state.RouteTable(table.ID)
	if e.State != EndpointAvailable || e.Policy != openGatewayPolicy || len(routes(table.ID)) != 1 || s.state.RouteState(r, routes(table.ID)[0]) != RouteActive {
		t.Errorf("endpoint %+v, routes %+v", e, r.Routes)
	}
	refused(s.lab, "RouteAlreadyExists", "route table "+table.ID+" already has a route with destination-prefix-list-id pl-63a5400a",
		func(t *tx) (*VPCEndpoint, error) {
			return t.createEndpoint(CreateVPCEndpointInput{VPC: s.vpc.ID, Service: s3Service, RouteTables: []string{table.ID}})
		})
	to := DestinationInput{PrefixList: "pl-63a5400a"}
	s.refuses("InvalidParameterValue", "cannot remove VPC endpoint route "+e.ID+" in route table "+table.ID,
		func(t *tx) error { return t.deleteRoute(table.ID, to) })
	n := s.eni(s.a, "")
	s.refuses("InvalidParameterValue", "cannot remove VPC endpoint route "+e.ID+" in route table "+table.ID, func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: table.ID, DestinationInput: to, Interface: n.ID})
	})
	main := s.state.MainRouteTable(s.vpc.ID)
	s.ok(func(t *tx) error {
		return t.modifyEndpoint(ModifyVPCEndpointInput{ID: e.ID, AddRouteTables: []string{main.ID}, RemoveRouteTables: []string{table.ID}})
	})
	if got := s.state.VPCEndpoint(e.ID); !slices.Equal(got.RouteTables, []string{main.ID}) || len(routes(table.ID)) != 0 || len(routes(main.ID)) != 1 {
		t.Errorf("modified to %+v", got)
	}
	s.ok(func(t *tx) error {
		return t.modifyEndpoint(ModifyVPCEndpointInput{ID: e.ID, AddRouteTables: []string{table.ID}})
	})
	s.ok(func(t *tx) error { return t.deleteRouteTable(table.ID) })
	if got := s.state.VPCEndpoint(e.ID).RouteTables; !slices.Equal(got, []string{main.ID}) {
		t.Errorf("route tables %v after one was deleted", got)
	}
	s.ok(func(t *tx) error { return t.deleteEndpoint(e.ID) })
	if got := s.state.VPCEndpoint(e.ID); got.State != EndpointDeleting || len(routes(main.ID)) != 0 {
		t.Errorf("deleting is %+v", got)
	}
	s.settle()
	s.refuses("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '"+e.ID+"' does not exist", func(t *tx) error { return t.deleteEndpoint(e.ID) })
}

// An interface endpoint has an ENI in each subnet, which its user may not touch.
func TestInterfaceEndpoint(t *testing.T) {
	s := founded(t)
	create := func(in CreateVPCEndpointInput) func(*tx) (*VPCEndpoint, error) {
		in.VPC, in.Type = s.vpc.ID, EndpointInterface
		return func(t *tx) (*VPCEndpoint, error) { return t.createEndpoint(in) }
	}
	refused(s.lab, "InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "+s.vpc.ID,
		create(CreateVPCEndpointInput{Service: ssmService}))
	s.ok(func(t *tx) error {
		v := *s.state.VPC(s.vpc.ID)
		v.DNSHostnames = true
		t.put(TableVPC, &v)
		return nil
	})
	e := must(s.lab, create(CreateVPCEndpointInput{Service: ssmService, Subnets: []string{s.a.ID, s.b.ID}}))
	if e.State != EndpointPending || !e.PrivateDNS || len(e.Interfaces) != 2 {
		t.Errorf("made %+v", e)
	}
	n := s.state.NetworkInterface(e.Interfaces[0])
	if n.Type != TypeVPCEndpoint || !n.RequesterManaged || n.Status() != "in-use" || !slices.Equal(n.Groups, e.Groups) || n.Subnet != s.a.ID {
		t.Errorf("its ENI is %+v", n)
	}
	s.refuses("AuthFailure", "You do not have permission to access the specified resource.", func(t *tx) error { return t.deleteInterface(n.ID) })
	s.refuses("DependencyViolation", "The vpc '"+s.vpc.ID+"' has dependencies and cannot be deleted.", func(t *tx) error { return t.deleteVPC(s.vpc.ID) })
	refused(s.lab, "InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for ssm.us-east-1.amazonaws.com in the VPC "+s.vpc.ID,
		create(CreateVPCEndpointInput{Service: ssmService}))
	again := s.subnet("192.168.2.0/24", s.a.Zone)
	s.refuses("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of "+s.a.ID, func(t *tx) error {
		return t.modifyEndpoint(ModifyVPCEndpointInput{ID: e.ID, AddSubnets: []string{again.ID}})
	})
	s.settle()
	if got := s.state.VPCEndpoint(e.ID).State; got != EndpointAvailable {
		t.Errorf("after a while it is %s", got)
	}
	g := must(s.lab, func(t *tx) (*SecurityGroup, error) {
		return t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: "web", Description: "x"})
	})
	s.ok(func(t *tx) error {
		return t.modifyEndpoint(ModifyVPCEndpointInput{
			ID: e.ID, AddGroups: []string{g.ID}, RemoveGroups: e.Groups, RemoveSubnets: []string{s.a.ID}, AddSubnets: []string{again.ID}, PrivateDNS: new(false),
		})
	})
	got := s.state.VPCEndpoint(e.ID)
	if !slices.Equal(got.Subnets, []string{s.b.ID, again.ID}) || s.state.NetworkInterface(n.ID) != nil || got.PrivateDNS {
		t.Errorf("modified to %+v", got)
	}
	for _, id := range got.Interfaces {
		if n := s.state.NetworkInterface(id); !slices.Equal(n.Groups, []string{g.ID}) {
			t.Errorf("groups of %s are %v", id, n.Groups)
		}
	}
	s.refuses("DependencyViolation", "resource "+g.ID+" has a dependent object", func(t *tx) error { return t.deleteGroup(g.ID) })
	s.ok(func(t *tx) error { return t.deleteEndpoint(e.ID) })
	s.settle()
	if s.state.VPCEndpoint(e.ID) != nil || s.state.NetworkInterface(got.Interfaces[0]) != nil {
		t.Error("it is still there")
	}
	refused(s.lab, "InvalidServiceName", "The Vpc Endpoint Service 'fake' does not exist", create(CreateVPCEndpointInput{Service: "fake"}))
	refused(s.lab, "InvalidServiceName", "The Vpc Endpoint Service '"+ssmService+"' does not support the endpoint type 'Gateway'.",
		func(t *tx) (*VPCEndpoint, error) {
			return t.createEndpoint(CreateVPCEndpointInput{VPC: s.vpc.ID, Service: ssmService})
		})
}

// A launch template's versions are numbered for ever, and $Latest is the newest
// that is left.
func TestLaunchTemplateVersions(t *testing.T) {
	s := newSite(t)
	data := func(image string) []LaunchParameter {
		return []LaunchParameter{{"ImageId", image}, {"SecurityGroupId.1", "sg-1"}}
	}
	l := must(s.lab, func(t *tx) (*LaunchTemplate, error) {
		return t.createTemplate(CreateTemplateInput{Name: "web", Data: data("ami-1"), Tags: Tags{"a": "b"}})
	})
	of := TemplateName{Name: "web"}
	version := func(source string, data ...LaunchParameter) *LaunchTemplateVersion {
		return must(s.lab, func(t *tx) (*LaunchTemplateVersion, error) {
			return t.createTemplateVersion(CreateTemplateVersionInput{Template: of, Source: source, Data: data})
		})
	}
	if v := version("", LaunchParameter{"KeyName", "k"}); v.Number != 2 || len(v.Data) != 1 {
		t.Errorf("without a source: %+v", v)
	}
	v := version("1", LaunchParameter{"SecurityGroupId.1", "sg-2"}, LaunchParameter{"SecurityGroupId.2", "sg-3"})
	if want := []LaunchParameter{{"ImageId", "ami-1"}, {"SecurityGroupId.1", "sg-2"}, {"SecurityGroupId.2", "sg-3"}}; !slices.Equal(v.Data, want) {
		t.Errorf("of version 1: %+v, want %+v", v.Data, want)
	}
	gone := must(s.lab, func(t *tx) ([]DeletedVersion, error) { return t.deleteTemplateVersions(of, []int{3, 1, 8}) })
	if gone[0].Refusal != nil || gone[1].Refusal == nil || gone[2].Refusal == nil {
		t.Errorf("deleted %+v", gone)
	}
	if got := s.state.LaunchTemplate(l.ID); got.Latest != 2 || got.Default != 1 {
		t.Errorf("left with %+v", got)
	}
	if v := version("$Latest", LaunchParameter{"ImageId", "ami-4"}); v.Number != 4 || v.Data[0].Name != "KeyName" {
		t.Errorf("after a deletion: %+v", v)
	}
	must(s.lab, func(t *tx) (*LaunchTemplate, error) { return t.modifyTemplate(of, "$Latest") })
	if v, err := s.state.FindLaunchTemplateVersion(s.state.LaunchTemplate(l.ID), ""); err != nil || v.Number != 4 {
		t.Errorf("the default version is %+v, %v", v, err)
	}
	must(s.lab, func(t *tx) (*LaunchTemplate, error) { return t.deleteTemplate(of) })
	if s.state.LaunchTemplate(l.ID) != nil || len(s.state.LaunchTemplateVersions(l.ID)) != 0 {
		t.Error("something is left of it")
	}
}

// endpoints draws from what changes endpoints, trunks and launch templates.
func (m *machine) endpoints(rt *rapid.T) {
	v, sub, r := m.anyVPC(rt), m.anySubnet(rt), m.anyTable(rt)
	e := pick(rt, "endpoint", m.state.VPCEndpoints(), &VPCEndpoint{ID: "vpce-00000000"})
	a := pick(rt, "association", m.state.TrunkAssociations(), &TrunkAssociation{ID: "trunk-assoc-00000000"})
	l := pick(rt, "template", m.state.LaunchTemplates(), &LaunchTemplate{ID: "lt-00000000"})
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0:
		m.run("prefix lists", func(t *tx) error {
			if get[*PrefixList](t, TablePrefixList, byID, "pl-63a5400a") == nil {
				t.awsPrefixLists()
			}
			_, err := t.createEndpoint(CreateVPCEndpointInput{VPC: v.ID, Service: s3Service, RouteTables: []string{r.ID}})
			return err
		})
	case 1:
		m.run("interface endpoint", func(t *tx) error {
			_, err := t.createEndpoint(CreateVPCEndpointInput{
				VPC: v.ID, Service: ssmService, Type: EndpointInterface, Subnets: []string{sub.ID}, PrivateDNS: new(false),
			})
			return err
		})
	case 2:
		m.run("modify endpoint", func(t *tx) error {
			in := ModifyVPCEndpointInput{ID: e.ID, AddRouteTables: []string{r.ID}}
			if e.Type == EndpointInterface {
				in = ModifyVPCEndpointInput{ID: e.ID, AddSubnets: []string{sub.ID}}
			}
			return t.modifyEndpoint(in)
		})
	case 3:
		m.run("delete endpoint", func(t *tx) error { return t.deleteEndpoint(e.ID) })
	case 4:
		m.run("trunk", func(t *tx) error {
			_, err := t.createInterface(CreateInterfaceInput{Subnet: sub.ID, Type: TypeTrunk})
			return err
		})
	case 5, 6:
		m.run("associate trunk", func(t *tx) error {
			vlan := rapid.IntRange(1, 3).Draw(rt, "vlan")
			_, err := t.associateTrunk(AssociateTrunkInput{Branch: m.anyENI(rt).ID, Trunk: m.anyENI(rt).ID, VLAN: &vlan})
			return err
		})
	case 7:
		m.run("disassociate trunk", func(t *tx) error { return t.disassociateTrunk(a.ID) })
	case 8:
		m.run("create template", func(t *tx) error {
			name := rapid.SampledFrom([]string{"web", "nat"}).Draw(rt, "name")
			data := []LaunchParameter{{"ImageId", "ami-1"}}
			if l.Name == name {
				_, err := t.createTemplateVersion(CreateTemplateVersionInput{Template: TemplateName{ID: l.ID}, Source: VersionLatest, Data: data})
				return err
			}
			_, err := t.createTemplate(CreateTemplateInput{Name: name, Data: data})
			return err
		})
	default:
		m.run("delete versions", func(t *tx) error {
			if rapid.Bool().Draw(rt, "whole") {
				_, err := t.deleteTemplate(TemplateName{ID: l.ID})
				return err
			}
			_, err := t.deleteTemplateVersions(TemplateName{ID: l.ID}, []int{1, l.Latest})
			return err
		})
	}
}

// endpointsHold checks that routes, ENIs and associations are those of what there
// is.
func (m *machine) endpointsHold(rt *rapid.T) {
	s := m.state
	for _, e := range s.VPCEndpoints() {
		for k, id := range e.Interfaces {
			if n := s.NetworkInterface(id); n == nil || n.Subnet != e.Subnets[k] || !n.RequesterManaged {
				rt.Fatalf("%s has the ENI %+v", e.ID, n)
			}
		}
		for _, id := range e.RouteTables {
			if r := s.RouteTable(id); r == nil || !slices.ContainsFunc(r.Routes, func(r Route) bool { return r.Endpoint == e.ID }) {
				rt.Fatalf("%s has the route table %+v", e.ID, r)
			}
		}
	}
	for _, r := range s.RouteTables() {
		for _, route := range r.Routes {
			if route.Endpoint != "" && (s.VPCEndpoint(route.Endpoint) == nil || !slices.Contains(s.VPCEndpoint(route.Endpoint).RouteTables, r.ID)) {
				rt.Fatalf("%s leads to %s, which does not know", r.ID, route.Endpoint)
			}
		}
	}
	branches := 0
	for _, n := range s.NetworkInterfaces() {
		branches += one(n.Type == TypeBranch)
		if n.Type == TypeBranch && n.Attachment != nil {
			rt.Fatalf("the branch %s is attached", n.ID)
		}
	}
	for _, a := range s.TrunkAssociations() {
		branch, trunk := s.NetworkInterface(a.Branch), s.NetworkInterface(a.Trunk)
		if branch == nil || trunk == nil || branch.Type != TypeBranch || trunk.Type != TypeTrunk {
			rt.Fatalf("%+v is of %+v and %+v", a, branch, trunk)
		}
	}
	if got := len(s.TrunkAssociations()); got != branches {
		rt.Fatalf("%d branches of %d associations", branches, got)
	}
	for _, l := range s.LaunchTemplates() {
		versions := s.LaunchTemplateVersions(l.ID)
		if len(versions) == 0 || versions[len(versions)-1].Number != l.Latest || l.Latest > l.Last {
			rt.Fatalf("%+v has the versions %+v", l, versions)
		}
		if _, err := s.FindLaunchTemplateVersion(l, VersionDefault); err != nil {
			rt.Fatal(err)
		}
	}
}

// TestGatewayEndpointsHaveAnAddressEach: also those of a database from before they
// carried frames, and the same after every start.
func TestGatewayEndpointsHaveAnAddressEach(t *testing.T) {
	old := endpointSources
	endpointSources = netip.MustParsePrefix("100.64.0.0/30") // so that ids meet
	t.Cleanup(func() { endpointSources = old })
	s := founded(t)
	for range 4 {
		s.endpoint(CreateVPCEndpointInput{Service: s3Service})
	}
	stored := Commit{Changes: s.state.rows()}
	for i, c := range stored.Changes {
		if e, ok := c.After.(*VPCEndpoint); ok {
			before := *e
			before.Source = netip.Addr{}
			stored.Changes[i].After = &before
			break
		}
	}
	for range 2 {
		loaded := restore(stored)
		seen := map[netip.Addr]bool{}
		for _, e := range loaded.VPCEndpoints() {
			if was := s.state.VPCEndpoint(e.ID); !endpointSources.Contains(e.Source) || e.Source != was.Source {
				t.Errorf("%s has the address %v, want %v", e.ID, e.Source, was.Source)
			}
			seen[e.Source] = true
		}
		if len(seen) != 4 {
			t.Errorf("four endpoints have the addresses %v", seen)
		}
	}
}
