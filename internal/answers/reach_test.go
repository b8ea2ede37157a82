package answers_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/control/controltest"
)

// site is two instances in the two subnets of a VPC, which let all in from each other.
type site struct {
	*controltest.Site
	one, two *control.Instance
	group    *control.SecurityGroup
}

func newSite(t *testing.T) *site {
	s := &site{Site: controltest.NewSite(t)}
	s.one, s.two = s.Run(s.A, "t3.micro"), s.Run(s.B, "t3.micro")
	s.group = s.State().SecurityGroup(s.Primary(s.one).Groups[0])
	return s
}

// deny adds an entry for TCP to a network ACL.
func (s *site) deny(acl string, number int, egress bool, cidr string, from, to int) {
	s.Check(s.CreateNetworkACLEntry(s.Ctx, control.NetworkACLEntryInput{
		ACL: acl, Number: number, Egress: egress, Action: "deny", Protocol: "tcp", CIDR: cidr, FromPort: &from, ToPort: &to,
	}))
}

func (s *site) ask(t *testing.T, q answers.Question) *answers.Answer {
	t.Helper()
	a, err := answers.Reach(s.State(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func codes(a *answers.Answer) (all []string) {
	for _, e := range a.Explanations {
		all = append(all, e.Path+" "+e.Reason+" "+e.Code)
	}
	return all
}

func TestReachTellsAllThatIsInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		q := answers.Question{From: s.one.ID, To: s.two.ID, Port: 443}
		a := s.ask(t, q)
		if a.Reachable != "yes" || len(a.Explanations) != 0 || a.Return == nil || !a.Return.Arrives {
			t.Fatalf("between members of one group: %s, %v", a.Reachable, codes(a))
		}
		if got := a.LookedAt; !slices.ContainsFunc(got, func(l answers.Look) bool { return l.What == "listener" && !l.OK }) {
			t.Errorf("nobody listens at 443: %+v", got)
		}
		acl := s.State().NetworkACLOf(s.B.ID)
		s.deny(acl.ID, 50, false, "0.0.0.0/0", 443, 443)
		s.deny(acl.ID, 60, true, "192.168.0.0/24", 2000, 3000)
		other := controltest.Must(s.CreateGroup(s.Ctx, control.CreateGroupInput{VPC: s.VPC.ID, Name: "closed", Description: "closed"}))
		_, err := s.ModifyInterface(s.Ctx, control.ModifyInterfaceInput{ID: s.Primary(s.two).ID, Groups: []string{other.ID}})
		s.Check(err)
		_, err = s.FailInstance(s.Ctx, s.two.ID, control.FaultFreeze)
		s.Check(err)
		a = s.ask(t, q)
		want := []string{
			"forward ingress_acl_denied SUBNET_ACL_RESTRICTION", "forward ingress_denied ENI_SG_RULES_MISMATCH", "forward guest_frozen ",
			"return guest_frozen ",
		}
		if a.Reachable != "no" || !slices.Equal(codes(a), want) {
			t.Errorf("%s: %q, want %q", a.Reachable, codes(a), want)
		}
		if e := a.Explanations[0]; e.Component != acl.ID || e.Rule != acl.ID+" ingress 50" || e.SubnetID != s.B.ID {
			t.Errorf("the ACL's: %+v", e)
		}
		if e := a.Explanations[1]; e.Rule != "implicit deny" || !slices.Equal(e.Groups, []string{other.ID}) {
			t.Errorf("the group's: %+v", e)
		}
	})
}

func TestReachLooksAtEphemeralPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		acl := s.State().NetworkACLOf(s.B.ID)
		s.deny(acl.ID, 60, true, "192.168.0.0/24", 2000, 3000)
		a := s.ask(t, answers.Question{From: s.one.ID, To: s.two.ID})
		i := slices.IndexFunc(a.LookedAt, func(l answers.Look) bool { return l.What == "ephemeral-ports" })
		const want = "answers to these ports are refused: 2000 to 3000 by "
		if l := a.LookedAt[i]; a.Reachable != "partly" || l.OK || l.Finding != want+acl.ID+" egress 60" {
			t.Errorf("%s: %+v", a.Reachable, l)
		}
		if a := s.ask(t, answers.Question{From: s.one.ID, To: s.two.ID, SourcePort: 2500}); a.Reachable != "no" || codes(a)[0] != "return egress_acl_denied SUBNET_ACL_RESTRICTION" {
			t.Errorf("from one of them: %s %v", a.Reachable, codes(a))
		}
	})
}

// A route that leads nowhere hides nothing of what is behind it.
func TestReachGoesOnBehindAMissingRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		v := controltest.Must(s.CreateVPC(s.Ctx, control.CreateVPCInput{CIDR: "10.9.0.0/16"}))
		sub := controltest.Must(s.CreateSubnet(s.Ctx, control.CreateSubnetInput{VPC: v.ID, CIDR: "10.9.0.0/24", Zone: "us-east-1a"}))
		far := s.Run(sub, "t3.micro")
		a := s.ask(t, answers.Question{From: s.one.ID, To: far.ID})
		if want := []string{"forward no_route NO_ROUTE_TO_DESTINATION", "forward ingress_denied ENI_SG_RULES_MISMATCH", "return no_route NO_ROUTE_TO_DESTINATION"}; !slices.Equal(codes(a), want) {
			t.Errorf("%q, want %q", codes(a), want)
		}
		if e := a.Explanations[0]; e.Component != s.State().MainRouteTable(s.VPC.ID).ID {
			t.Errorf("the route table's: %+v", e)
		}
	})
}

func TestReachPassesAppliances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		mid := s.Run(s.A, "t3.micro")
		eni := s.Primary(mid)
		no := false
		_, err := s.ModifyInterface(s.Ctx, control.ModifyInterfaceInput{ID: eni.ID, SourceDestCheck: &no})
		s.Check(err)
		rtb := s.State().MainRouteTable(s.VPC.ID)
		s.Check(s.CreateRoute(s.Ctx, control.RouteInput{Table: rtb.ID, DestinationInput: control.DestinationInput{CIDR: "10.50.0.0/16"}, Interface: eni.ID}))
		a := s.ask(t, answers.Question{From: s.two.ID, To: "10.50.0.1"})
		if a.Reachable != "no" || a.Forward.Arrives {
			t.Fatalf("in a loop: %s, %v", a.Reachable, codes(a))
		}
		if i := slices.IndexFunc(a.Forward.Hops, func(h answers.PredictedHop) bool { return h.Component == "appliance" && h.ID == eni.ID }); i < 0 {
			t.Errorf("no appliance: %+v", a.Forward.Hops)
		}
		if got := codes(a); got[0] != "forward too_many_hops " {
			t.Errorf("the appliance's own subnet leads back to it: %q", got)
		}
	})
}

func TestReachRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for _, c := range []struct {
			q    answers.Question
			want string
		}{
			{answers.Question{From: "i-0123456789abcdef0", To: s.two.ID}, `from "i-0123456789abcdef0": want the id of an instance, a network interface or a host of the internet that exists`},
			{answers.Question{From: s.one.ID, To: "web"}, `to "web": want the id of an instance, a network interface or a host of the internet that exists`},
			{answers.Question{From: s.one.ID, To: "2001:db8::1"}, `to "2001:db8::1": want an IPv4 address: the data plane carries no IPv6`},
			{answers.Question{From: s.one.ID, To: s.two.ID, Protocol: "sctp"}, `protocol "sctp": want tcp, udp or icmp`},
			{answers.Question{From: s.one.ID, To: s.two.ID, Protocol: "icmp", Port: 7}, `port "7": want none: ICMP has no ports`},
		} {
			if _, err := answers.Reach(s.State(), c.q); err == nil || err.Error() != c.want {
				t.Errorf("%+v: %v, want %s", c.q, err, c.want)
			}
		}
	})
}

// The network answers its guests itself, whatever groups and network ACLs say, and
// nobody else at those addresses.
func TestReachTheServicesOfTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.deny(s.State().NetworkACLOf(s.A.ID).ID, 1, true, "0.0.0.0/0", 0, 65535)
		block := s.A.CIDR.Masked().Addr()
		for _, x := range []struct {
			to, protocol string
			port         uint16
			service      string // "": nobody
		}{
			{"169.254.169.254", "tcp", 80, "metadata"}, {"169.254.169.253", "udp", 53, "DNS"}, {"169.254.169.123", "udp", 123, "time"},
			{s.VPC.CIDR.Masked().Addr().Next().Next().String(), "tcp", 53, "DNS"}, {block.Next().String(), "udp", 67, "DHCP"},
			{"255.255.255.255", "udp", 67, "DHCP"}, {"169.254.169.254", "udp", 80, ""}, {block.Next().String(), "tcp", 80, ""},
		} {
			a := s.ask(t, answers.Question{From: s.one.ID, To: x.to, Protocol: x.protocol, Port: x.port})
			last := a.Forward.Hops[len(a.Forward.Hops)-1]
			if last.Component != "network-service" || last.ID != x.service || (a.Reachable == "yes") != (x.service != "") || a.Return != nil {
				t.Errorf("%s %s %d: %s, %+v", x.to, x.protocol, x.port, a.Reachable, last)
			}
			if x.service == "" && !slices.Equal(codes(a), []string{"forward no_service "}) {
				t.Errorf("%s %s %d: %q", x.to, x.protocol, x.port, codes(a))
			}
		}
	})
}
