package control

import (
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func launching(in LaunchInput) func(*tx) ([]*Instance, error) {
	return func(t *tx) ([]*Instance, error) {
		in.Min, in.Max = max(in.Min, 1), max(in.Max, in.Min, 1)
		return t.launch(in)
	}
}

// on is the only interface of a launch, at device index 0.
func on(sub *Subnet) []LaunchInterface { return []LaunchInterface{at(0, sub)} }

func at(index int, sub *Subnet) LaunchInterface {
	return LaunchInterface{DeviceIndex: index, CreateInterfaceInput: CreateInterfaceInput{Subnet: sub.ID}}
}

func existing(index int, n *NetworkInterface) LaunchInterface {
	return LaunchInterface{DeviceIndex: index, ID: n.ID}
}

// The rows of ec2-facts §1.10 and §5.1 that speak of launches, and the rules of
// InstanceNetworkInterfaceSpecification.
func TestLaunchRefusals(t *testing.T) {
	s := newSite(t)
	used := s.primary(s.run(s.a, ""))
	free, wide := s.eni(s.a, ""), must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, SecondaryCount: 2})
	})
	other := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	foreign := must(s.lab, func(t *tx) (*Subnet, error) {
		return t.createSubnet(CreateSubnetInput{VPC: other.ID, CIDR: "10.0.0.0/24"})
	})
	foreignGroup := s.state.SecurityGroups()[1].ID
	small := s.subnet("192.168.9.0/28", "")
	yes := true
	with := func(l LaunchInterface, change func(*LaunchInterface)) []LaunchInterface {
		change(&l)
		return []LaunchInterface{l}
	}
	settings := func(change func(*InstanceSettings)) InstanceSettings {
		var set InstanceSettings
		change(&set)
		return set
	}
	for _, c := range []struct {
		row        string
		in         LaunchInput
		code, text string
	}{
		{"type unknown", LaunchInput{Type: "t9.huge", Interfaces: on(s.a)}, "InvalidParameterValue", "Invalid value 't9.huge' for InstanceType."},
		{"no interfaces", LaunchInput{}, "InvalidParameterCombination", "When specifying network interfaces, you must include a device at index 0."},
		{"none at index 0", LaunchInput{Interfaces: []LaunchInterface{at(1, s.a)}}, "InvalidParameterCombination",
			"When specifying network interfaces, you must include a device at index 0."},
		{"an index twice", LaunchInput{Type: "m5.large", Interfaces: []LaunchInterface{at(0, s.a), at(1, s.a), at(1, s.a)}},
			"InvalidParameterValue", "Each network interface requires a unique device index."},
		{"index above the bound", LaunchInput{Interfaces: []LaunchInterface{at(0, s.a), at(32, s.a)}}, "InvalidParameterValue",
			"Value (32) for parameter deviceIndex is invalid. Device indexes are 0 to 31."},
		{"too many ENIs", LaunchInput{Interfaces: []LaunchInterface{at(0, s.a), at(1, s.a), at(2, s.a)}}, "AttachmentLimitExceeded",
			"Interface count 3 exceeds the limit for t3.micro"},
		{"card that the type has not", LaunchInput{Interfaces: append(on(s.a), LaunchInterface{NetworkCard: 1, CreateInterfaceInput: CreateInterfaceInput{Subnet: s.a.ID}})},
			"InvalidParameterValue", "Value (1) for parameter networkCardIndex is invalid. The network cards of t3.micro are 0 to 0."},
		{"launch with in-use ENI", LaunchInput{Interfaces: []LaunchInterface{existing(0, used)}}, "InvalidNetworkInterface.InUse",
			"Interface: [" + used.ID + "] in use."},
		{"an ENI twice", LaunchInput{Interfaces: []LaunchInterface{existing(0, free), existing(1, free)}}, "InvalidNetworkInterface.InUse",
			"Interface: [" + free.ID + "] in use."},
		{"unknown ENI", LaunchInput{Interfaces: []LaunchInterface{{ID: noENI}}}, "InvalidNetworkInterfaceID.NotFound",
			"The networkInterface ID '" + noENI + "' does not exist"},
		{"ENI and subnet", LaunchInput{Interfaces: with(existing(0, free), func(l *LaunchInterface) { l.Subnet = s.a.ID })},
			"InvalidParameterCombination", "A network interface may not specify both a network interface ID and a subnet"},
		{"ENI and groups", LaunchInput{Interfaces: with(existing(0, free), func(l *LaunchInterface) { l.Groups = free.Groups })},
			"InvalidParameterCombination", "A network interface may not specify both a network interface ID and security groups"},
		{"ENI and address", LaunchInput{Interfaces: with(existing(0, free), func(l *LaunchInterface) { l.PrivateIP = "192.168.0.9" })},
			"InvalidParameterCombination", "A network interface may not specify both a network interface ID and private IP addresses"},
		{"ENI deleted on termination", LaunchInput{Interfaces: with(existing(0, free), func(l *LaunchInterface) { l.DeleteOnTermination = &yes })},
			"InvalidParameterCombination", "A network interface may not specify a network interface ID and delete on termination as true"},
		{"ENI and public address", LaunchInput{Interfaces: with(existing(0, free), func(l *LaunchInterface) { l.PublicIP = &yes })},
			"InvalidParameterCombination", "A network interface may not specify both a network interface ID and associatePublicIPAddress"},
		{"ENI for two instances", LaunchInput{Max: 2, Interfaces: []LaunchInterface{existing(0, free)}}, "InvalidParameterCombination",
			"The network interface '" + free.ID + "' cannot be used by more than one instance"},
		{"address for two instances", LaunchInput{Max: 2, Interfaces: with(at(0, s.a), func(l *LaunchInterface) { l.PrivateIP = "192.168.0.9" })},
			"InvalidParameterCombination", "The private IP address '192.168.0.9' cannot be used by more than one instance"},
		{"public address with several ENIs", LaunchInput{Interfaces: append(with(at(0, s.a), func(l *LaunchInterface) { l.PublicIP = &yes }), at(1, s.a))},
			"InvalidParameterCombination", "The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces."},
		{"ENIs of different AZs", LaunchInput{Interfaces: []LaunchInterface{at(0, s.a), at(1, s.b)}}, "InvalidParameterCombination",
			"You may not attach a network interface to an instance if they are not in the same availability zone"},
		{"ENIs of different VPCs", LaunchInput{Interfaces: []LaunchInterface{at(0, s.a), at(1, foreign)}}, "InvalidParameterCombination",
			"You may not attach a network interface to an instance in a different VPC"},
		{"SG vs subnet of another VPC", LaunchInput{Interfaces: with(at(0, s.a), func(l *LaunchInterface) { l.Groups = []string{foreignGroup} })},
			"InvalidParameter", "Security group " + foreignGroup + " and subnet " + s.a.ID + " belong to different networks."},
		{"IP outside subnet", LaunchInput{Interfaces: with(at(0, s.a), func(l *LaunchInterface) { l.PrivateIP = "10.0.9.9" })},
			"InvalidParameterValue", "Address 10.0.9.9 does not fall within the subnet's address range"},
		{"IP in use", LaunchInput{Interfaces: with(at(0, s.a), func(l *LaunchInterface) { l.PrivateIP = used.PrimaryAddress().String() })},
			"InvalidIPAddress.InUse", "Address " + used.PrimaryAddress().String() + " is in use."},
		{"per-ENI IP limit at launch", LaunchInput{Interfaces: []LaunchInterface{existing(0, wide)}}, "InvalidInterface.IpAddressLimitExceeded",
			"Interface " + wide.ID + " has 3 private addresses, which exceeds the limit of 2 for t3.micro"},
		{"subnet full", LaunchInput{Min: 12, Interfaces: on(small)}, "InsufficientFreeAddressesInSubnet",
			"The specified subnet does not have enough free addresses to satisfy the request."},
		{"no default VPC", LaunchInput{Interfaces: make([]LaunchInterface, 1)}, "VPCIdNotSpecified", "No default VPC for this user"},
		{"zone is not the subnet's", LaunchInput{Zone: "us-east-1b", Interfaces: on(s.a)}, "InvalidParameterValue",
			"The availability zone 'us-east-1b' is not that of subnet '" + s.a.ID + "', which is in 'us-east-1a'"},
		{"zone is not the ENI's", LaunchInput{Zone: "us-east-1b", Interfaces: []LaunchInterface{existing(0, used)}}, "InvalidParameterValue",
			"The availability zone 'us-east-1b' is not that of network interface '" + used.ID + "', which is in 'us-east-1a'"},
		{"unknown key pair", LaunchInput{Interfaces: on(s.a), Settings: settings(func(i *InstanceSettings) { i.KeyName = "ops" })},
			"InvalidKeyPair.NotFound", "The key pair 'ops' does not exist"},
		{"user data not base64", LaunchInput{Interfaces: on(s.a), Settings: settings(func(i *InstanceSettings) { i.UserData = "#!" })},
			"InvalidParameterValue", "Invalid BASE64 encoding of user data"},
		{"user data too long", LaunchInput{Interfaces: on(s.a), Settings: settings(func(i *InstanceSettings) {
			i.UserData = base64.StdEncoding.EncodeToString(make([]byte, 16<<10+1))
		})}, "InvalidParameterValue", "User data is limited to 16384 bytes"},
		{"hop limit", LaunchInput{Interfaces: on(s.a), Settings: settings(func(i *InstanceSettings) { i.Metadata.HopLimit = 65 })},
			"InvalidParameterValue", "Value (65) for parameter httpPutResponseHopLimit is invalid. It must be 1 to 64."},
		{"host names", LaunchInput{Interfaces: on(s.a), HostnameType: "pretty"}, "InvalidParameterValue",
			"Value (pretty) for parameter hostnameType is invalid. It must be ip-name or resource-name."},
		{"prefixes off Nitro", LaunchInput{Type: "t2.large", Interfaces: with(at(0, s.a), func(l *LaunchInterface) { l.PrefixCount = 1 })},
			"Unsupported", "Prefixes are supported on instances built on the Nitro System only, which t2.large is not."},
		{"EFA on a type without", LaunchInput{Interfaces: with(at(0, s.a), func(l *LaunchInterface) { l.Type = TypeEFA })},
			"Unsupported", "Interfaces of type efa are not supported on t3.micro."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, launching(c.in))
		})
	}
}

// One call, one reservation: as many instances as fit, Min at least.
// The key is on the instance's disk: what becomes of the key pair is no matter.
func TestInstanceKeepsItsPublicKey(t *testing.T) {
	s := newSite(t)
	k := must(s.lab, func(t *tx) (*KeyPair, error) {
		return t.createKeyPair(CreateKeyInput{Name: "ops", Type: "ed25519", PublicKey: "ssh-ed25519 AAAA"})
	})
	list := must(s.lab, launching(LaunchInput{Interfaces: on(s.a), Settings: InstanceSettings{KeyName: "ops", PublicKey: "another"}}))
	must(s.lab, func(t *tx) (any, error) { return nil, t.deleteKeyPair(k.ID) })
	if i := s.state.Instance(list[0].ID); i.KeyName != "ops" || i.PublicKey != "ssh-ed25519 AAAA" {
		t.Errorf("it has the key %q of %q", i.PublicKey, i.KeyName)
	}
}

func TestLaunchSeveral(t *testing.T) {
	s := newSite(t)
	small := s.subnet("192.168.9.0/28", "")
	list := must(s.lab, launching(LaunchInput{
		Min: 2, Max: 20, Interfaces: on(small), Tags: Tags{"Name": "web"}, InterfaceTags: Tags{"of": "web"},
		Settings: InstanceSettings{ImageID: "ami-1", ProtectTerminate: true},
	}))
	if len(list) != 11 || s.state.AvailableAddresses(small.ID) != 0 {
		t.Fatalf("%d instances, %d addresses left; want 11 and none", len(list), s.state.AvailableAddresses(small.ID))
	}
	for k, i := range list {
		n := s.primary(i)
		if i.ReservationID != list[0].ReservationID || !strings.HasPrefix(i.ReservationID, "r-0") || i.LaunchIndex != k ||
			i.ImageID != "ami-1" || i.Name() != "web" || n.Tags["of"] != "web" || i.HostnameType != "ip-name" {
			t.Errorf("instance %d is %+v with %+v", k, i, n)
		}
	}
	refused(s.lab, "OperationNotPermitted", "The instance '"+list[3].ID+
		"' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
		func(t *tx) (*Instance, error) { return t.terminateInstance(list[3].ID) })
}

// New ENIs go with their instance unless told otherwise, existing ones stay.
func TestLaunchWithSeveralInterfaces(t *testing.T) {
	s := newSite(t)
	kept := s.eni(s.a, "192.168.0.42")
	no := false
	spec := at(3, s.a)
	spec.DeleteOnTermination, spec.SecondaryIPs, spec.Description = &no, []string{"192.168.0.60"}, "data"
	i := must(s.lab, launching(LaunchInput{Type: "m5.xlarge", Interfaces: []LaunchInterface{existing(1, kept), spec, at(0, s.a)}}))[0]
	enis := s.state.InterfacesOf(i.ID)
	var indexes []int
	var goes []bool
	for _, n := range enis {
		indexes, goes = append(indexes, n.Attachment.DeviceIndex), append(goes, n.Attachment.DeleteOnTermination)
	}
	if !slices.Equal(indexes, []int{0, 1, 3}) || !slices.Equal(goes, []bool{true, false, false}) {
		t.Fatalf("device indexes %v, deleted on termination %v", indexes, goes)
	}
	if enis[1].ID != kept.ID || enis[2].Description != "data" || len(enis[2].Addresses) != 2 {
		t.Errorf("attached %+v", enis)
	}
	s.settle()
	for _, n := range s.state.InterfacesOf(i.ID) {
		if n.Attachment.State != Attached {
			t.Errorf("%s is %s on a running instance", n.ID, n.Attachment.State)
		}
	}
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	s.settle()
	if left := s.state.NetworkInterfaces(); len(left) != 2 {
		t.Errorf("%d ENIs are left, want the two that survive", len(left))
	}
}

// A launch that names no subnet goes to the default VPC: to the default subnet
// of its zone, if it names one.
func TestLaunchIntoDefaultVPC(t *testing.T) {
	l := newLab(t)
	l.ok((*tx).found)
	v := l.state.DefaultVPC("us-east-1")
	i := must(l, launching(LaunchInput{Zone: "us-east-1c", Interfaces: make([]LaunchInterface, 1)}))[0]
	sub := l.state.Subnet(i.Subnet)
	if i.VPC != v.ID || sub.Zone != "us-east-1c" || !sub.DefaultForZone {
		t.Errorf("launched into %+v", sub)
	}
	if n := l.state.InterfacesOf(i.ID)[0]; !n.PublicIP.IsValid() {
		t.Error("no public address in a default subnet")
	}
	for _, sub := range l.state.Subnets() {
		if sub.Zone == "us-east-1b" {
			l.ok(func(t *tx) error { return t.deleteSubnet(sub.ID) })
		}
	}
	refused(l, "InvalidParameterValue", "Invalid availability zone: [us-east-1x]",
		launching(LaunchInput{Zone: "us-east-1x", Interfaces: make([]LaunchInterface, 1)}))
	refused(l, "InvalidInput", "No default subnet for availability zone: 'us-east-1b'.",
		launching(LaunchInput{Zone: "us-east-1b", Interfaces: make([]LaunchInterface, 1)}))
}

// Each card of a type counts its own ENIs and indexes, and a move stays on the
// card.
func TestNetworkCards(t *testing.T) {
	s := newSite(t)
	one := s.run(s.a, "c6in.32xlarge")
	other := s.run(s.a, "c6in.32xlarge")
	attach := func(card, index int) func(*tx) (*NetworkInterface, error) {
		n := s.eni(s.a, "")
		return func(t *tx) (*NetworkInterface, error) {
			return t.attach(AttachInput{Interface: n.ID, Instance: one.ID, NetworkCard: card, DeviceIndex: index})
		}
	}
	for k := range 8 {
		must(s.lab, attach(1, k))
	}
	refused(s.lab, "AttachmentLimitExceeded", "Interface count 9 exceeds the limit for c6in.32xlarge", attach(1, 8))
	refused(s.lab, "InvalidParameterValue", "Instance '"+one.ID+"' already has an interface attached at device index '0'.", attach(0, 0))
	refused(s.lab, "InvalidParameterValue",
		"Value (2) for parameter networkCardIndex is invalid. The network cards of c6in.32xlarge are 0 to 1.", attach(2, 0))
	n := must(s.lab, attach(0, 1))
	enis := s.state.InterfacesOf(one.ID)
	if enis[0].Attachment.NetworkCard != 0 || !enis[0].Attachment.Primary() || enis[2].Attachment.Primary() {
		t.Error("the ENI at index 0 of card 1 passes for the primary one")
	}
	second := enis[5]
	moved := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.move(MoveInput{Interface: second.ID, Instance: other.ID, DeviceIndex: -1})
	})
	if a := moved.Attachment; a.NetworkCard != 1 || a.DeviceIndex != second.Attachment.DeviceIndex {
		t.Errorf("moved to %+v from %+v", a, second.Attachment)
	}
	if n.Attachment.DeviceIndex != 1 {
		t.Errorf("attached %+v", n.Attachment)
	}
}

func TestEFAComesAndGoesWithThePowerOff(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "c5n.18xlarge")
	n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, Type: TypeEFA})
	})
	attach := func(t *tx) (*NetworkInterface, error) {
		return t.attach(AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
	}
	hot := "Network interface '" + n.ID + "' is an EFA, which can be attached to and detached from a stopped instance only."
	refused(s.lab, "IncorrectState", hot, attach)
	s.stop(i)
	n = must(s.lab, attach)
	must(s.lab, func(t *tx) (*Instance, error) { return t.startInstance(i.ID) })
	s.settle()
	refused(s.lab, "IncorrectState", hot, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: n.Attachment.ID}) })
}

// What moves with an ENI (EC2 User Guide): everything but where it is.
func TestMoveKeepsEverything(t *testing.T) {
	s := newSite(t)
	s.blocks6()
	one, two := s.run(s.a, "m5.large"), s.run(s.a, "m5.large")
	web := s.group("web")
	n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{
			Subnet: s.a.ID, Description: "vip", PrivateIP: "192.168.0.42", SecondaryIPs: []string{"192.168.0.43"},
			IPv6Count: new(2), IPv6PrefixCount: 1, PrimaryIPv6: true, Tags: Tags{"role": "vip"},
			Tracking: ConnectionTracking{UDP: 45e9}, Groups: []string{web.ID},
		})
	})
	n = s.assign(AssignAddressesInput{ID: n.ID, PrefixCount: 1})
	for _, ip := range []string{"", "192.168.0.43", n.Prefixes[0].Addr().Next().String()} {
		a := s.eip()
		must(s.lab, func(t *tx) (*Address, error) { return t.associateAddress(association(a.AllocationID, n.ID, ip, false)) })
	}
	addresses := s.state.AddressesOf(n.ID)
	s.attach(n, one, 1)
	s.settle()
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1})
	})
	s.settle()
	got := *s.state.NetworkInterface(n.ID)
	if got.Attachment.Instance != two.ID || got.Attachment.DeviceIndex != 1 {
		t.Errorf("attached %+v", got.Attachment)
	}
	got.Attachment = nil
	if !reflect.DeepEqual(&got, n) {
		t.Errorf("moved\n%+v\nis now\n%+v", n, got)
	}
	if now := s.state.AddressesOf(n.ID); len(now) != 3 || !slices.Equal(now, addresses) {
		t.Errorf("Elastic IPs %+v, had %+v", now, addresses)
	}
}
