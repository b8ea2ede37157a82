package control

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestCreateInterfaceDefaults(t *testing.T) {
	s := newSite(t)
	n := s.eni(s.a, "")
	def := s.state.SecurityGroups()[0]
	switch {
	case n.Status() != "available", !n.SourceDestCheck, n.VPC != s.vpc.ID, n.Zone != "us-east-1a":
		t.Errorf("created %+v", n)
	case !slices.Equal(n.Groups, []string{def.ID}):
		t.Errorf("groups %v, want the default one", n.Groups)
	case n.MAC>>40 != 0x02:
		t.Errorf("MAC %s does not begin with 02", n.MAC)
	case !strings.HasPrefix(n.ID, "eni-0") || len(n.ID) != len("eni-")+17:
		t.Errorf("id %s", n.ID)
	case !s.a.CIDR.Contains(n.PrimaryAddress()) || reserved(s.a.CIDR, n.PrimaryAddress()):
		t.Errorf("address %s", n.PrimaryAddress())
	}
	if got := s.state.InterfaceByAddr(s.vpc.ID, n.PrimaryAddress()); got != n {
		t.Errorf("by address: %v", got)
	}
}

func TestCreateInterfaceRefusals(t *testing.T) {
	s := newSite(t)
	s.eni(s.a, "192.168.0.42")
	other := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	foreign := s.state.SecurityGroups()[1]
	if foreign.VPC != other.ID {
		t.Fatal("the second default group is not the second VPC's")
	}
	var six []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		g := must(s.lab, func(t *tx) (*SecurityGroup, error) {
			return t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: name, Description: "x"})
		})
		six = append(six, g.ID)
	}
	for _, c := range []struct {
		row  string
		in   CreateInterfaceInput
		code string
		text string
	}{
		{"unknown subnet", CreateInterfaceInput{Subnet: "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound",
			"The subnet ID 'subnet-0123456789abcdef0' does not exist"},
		{"malformed subnet", CreateInterfaceInput{Subnet: "net"}, "InvalidSubnetID.Malformed", `Invalid id: "net" (expecting "subnet-...")`},
		{"unknown group", CreateInterfaceInput{Subnet: s.a.ID, Groups: []string{"sg-0123456789abcdef0"}}, "InvalidGroup.NotFound",
			"The security group 'sg-0123456789abcdef0' does not exist"},
		{"group of another VPC", CreateInterfaceInput{Subnet: s.a.ID, Groups: []string{foreign.ID}}, "InvalidGroup.NotFound",
			"You have specified two resources that belong to different networks."},
		{"more than 5 groups", CreateInterfaceInput{Subnet: s.a.ID, Groups: six}, "SecurityGroupsPerInterfaceLimitExceeded",
			"The maximum number of security groups per interface has been reached."},
		{"IP outside the subnet", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.9.9"}, "InvalidParameterValue",
			"Address does not fall within the subnet's address range"},
		{"reserved IP", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.2"}, "InvalidParameterValue",
			"Address 192.168.0.2 is in subnet's reserved address range"},
		{"last of the reserved IPs", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.3"}, "InvalidParameterValue",
			"Address 192.168.0.3 is in subnet's reserved address range"},
		{"IP in use", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.42"}, "InvalidIPAddress.InUse",
			"The specified address is already in use."},
		{"secondary IP in use", CreateInterfaceInput{Subnet: s.a.ID, SecondaryIPs: []string{"192.168.0.42"}}, "InvalidIPAddress.InUse",
			"The specified address is already in use."},
		{"IP twice", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.9", SecondaryIPs: []string{"192.168.0.9"}},
			"InvalidParameterValue", "Address 192.168.0.9 is given more than once."},
		{"not an IP", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "nine"}, "InvalidParameterValue",
			"Value (nine) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"IPv6", CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "::ffff:192.168.0.9"}, "InvalidParameterValue",
			"Value (::ffff:192.168.0.9) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"secondaries and a count", CreateInterfaceInput{Subnet: s.a.ID, SecondaryIPs: []string{"192.168.0.9"}, SecondaryCount: 1},
			"InvalidParameterCombination", "You may specify secondary addresses or their count, but not both."},
		{"negative count", CreateInterfaceInput{Subnet: s.a.ID, SecondaryCount: -1}, "InvalidParameterValue",
			"Value (-1) for parameter secondaryPrivateIpAddressCount is invalid."},
		{"more addresses than any type takes", CreateInterfaceInput{Subnet: s.a.ID, SecondaryCount: 1 << 40}, "PrivateIpAddressLimitExceeded",
			"Number of private addresses will exceed limit."},
		{"reserved tag", CreateInterfaceInput{Subnet: s.a.ID, Tags: Tags{"aws:x": "y"}}, "InvalidParameterValue",
			"Tag keys starting with 'aws:' are reserved for internal use"},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) (*NetworkInterface, error) { return t.createInterface(c.in) })
		})
	}
}

// AWS's five reserved addresses leave 11 of a /28.
func TestSubnetFills(t *testing.T) {
	s := newSite(t)
	sub := s.subnet("192.168.2.0/28", "")
	seen := make(map[netip.Addr]bool)
	for want := 10; want >= 0; want-- {
		n := s.eni(sub, "")
		if seen[n.PrimaryAddress()] {
			t.Fatalf("%s given twice", n.PrimaryAddress())
		}
		seen[n.PrimaryAddress()] = true
		if got := s.state.AvailableAddresses(sub.ID); got != want {
			t.Fatalf("%d available, want %d", got, want)
		}
	}
	refused(s.lab, "InsufficientFreeAddressesInSubnet",
		"The specified subnet does not have enough free addresses to satisfy the request.",
		func(t *tx) (*NetworkInterface, error) { return t.createInterface(CreateInterfaceInput{Subnet: sub.ID}) })
	n := s.state.NetworkInterfaces()[3]
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	if got := s.eni(sub, ""); got.PrimaryAddress() != n.PrimaryAddress() {
		t.Errorf("got %s, want the only free address %s", got.PrimaryAddress(), n.PrimaryAddress())
	}
}

func TestModifyInterface(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, ""), i, 1)
	no, yes, text := false, true, "a door"
	modify := func(in ModifyInterfaceInput) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) { in.ID = n.ID; return t.modifyInterface(in) }
	}
	for _, c := range []struct {
		name string
		in   ModifyInterfaceInput
		code string
		text string
	}{
		{"nothing", ModifyInterfaceInput{}, "InvalidParameterCombination", "No attributes specified."},
		{"two", ModifyInterfaceInput{Description: &text, SourceDestCheck: &no}, "InvalidParameterCombination", "Multiple attributes specified"},
		{"no group", ModifyInterfaceInput{Groups: []string{}}, "MissingParameter", "The request must contain at least one security group"},
		{"half an attachment", ModifyInterfaceInput{DeleteOnTermination: &yes}, "MissingParameter",
			"The request must contain both attachment.attachmentId and attachment.deleteOnTermination"},
		{"another's attachment", ModifyInterfaceInput{AttachmentID: s.primary(i).Attachment.ID, DeleteOnTermination: &yes}, "InvalidAttachmentID.NotFound",
			"The network interface attachment ID '" + s.primary(i).Attachment.ID + "' does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, modify(c.in))
		})
	}
	s.t = t
	must(s.lab, modify(ModifyInterfaceInput{Description: &text}))
	must(s.lab, modify(ModifyInterfaceInput{SourceDestCheck: &no}))
	got := must(s.lab, modify(ModifyInterfaceInput{AttachmentID: n.Attachment.ID, DeleteOnTermination: &yes}))
	if got.Description != text || got.SourceDestCheck || !got.Attachment.DeleteOnTermination {
		t.Errorf("modified to %+v", got)
	}
	if n.Attachment.DeleteOnTermination {
		t.Error("an older State changed")
	}
}

func TestDeleteInterface(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	p := s.primary(i)
	s.refuses("InvalidParameterValue", "Network interface '"+p.ID+"' is currently in use.",
		func(t *tx) error { return t.deleteInterface(p.ID) })
	s.refuses("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '"+noENI+"' does not exist",
		func(t *tx) error { return t.deleteInterface(noENI) })
	n := s.eni(s.a, "")
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	if s.state.NetworkInterface(n.ID) != nil || s.state.InterfaceByAddr(n.VPC, n.PrimaryAddress()) != nil {
		t.Error("it is still there")
	}
}
