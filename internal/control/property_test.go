package control

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"enilab/internal/dataplane/frame"
)

// machine runs random commands against a State, a store and a data plane, and
// checks after each that all three agree and that EC2's invariants hold.
type machine struct {
	*lab
	mirror Mirror
	rt     *rapid.T
}

// Random commands in random order; most are refused, and a refusal must not
// change anything. What is stored, loaded again, equals the State.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{lab: newLab(t), mirror: NewMirror(), rt: rt}
		m.timing.StaleAfterForce = true
		for range 2 {
			m.run("vpc", func(t *tx) error { _, err := t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}); return err })
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":                 m.check,
			"create subnet":    m.createSubnet,
			"delete network":   m.deleteNetwork,
			"create group":     m.createGroup,
			"change rules":     m.changeRules,
			"create interface": m.createInterface,
			"modify interface": m.modifyInterface,
			"delete interface": m.deleteInterface,
			"run":              m.runInstance,
			"run again":        m.runInstance,
			"lifecycle":        m.lifecycle,
			"attach":           m.attach,
			"attach again":     m.attach,
			"detach":           m.detach,
			"move":             m.move,
			"addresses":        m.addresses,
			"elastic ip":       m.elasticIP,
			"roomy subnet":     m.roomy,
			"launch":           m.launches,
			"more addresses":   m.moreAddresses,
			"nat gateways":     m.natGateways,
			"endpoints":        m.endpoints,
			"policy":           m.policy,
			"prefix list":      m.prefixList,
			"attributes":       m.attributes,
			"wait":             m.wait,
			"route tables":     m.routeTables,
			"routes":           m.routes,
			"gateways":         m.gateways,
			"network ACLs":     m.networkACLs,
			"blocks":           m.blocks,
			"peerings":         m.peerings,
			"transit gateways": m.transits,
			"transit tables":   m.transitTables,
			"volumes":          m.volumes,
			"volumes again":    m.volumes,
			"snapshots":        m.snapshots,
			"internet":         m.internet,
		})
	})
}

// run tries a command and, if it succeeds, stores and applies it.
func (m *machine) run(name string, f func(*tx) error) {
	before, commits := m.state, len(m.commits)
	err := m.try(f)
	if err != nil {
		if _, ok := err.(*Error); !ok {
			m.rt.Fatalf("%s: %v is not an *Error", name, err)
		}
		if m.state != before {
			m.rt.Fatalf("%s: the refusal %v changed the State", name, err)
		}
		return
	}
	if len(m.commits) == commits {
		return
	}
	c := m.last()
	for k, ch := range c.Changes[1:] {
		prev := c.Changes[k]
		if rank(prev) > rank(ch) {
			m.rt.Fatalf("%s: %s %s is changed before %s %s", name, prev.Table, prev.ID, ch.Table, ch.ID)
		}
	}
	batch, _ := m.mirror.Store.Begin(context.Background())
	if err := batch.Write(c); err != nil {
		m.rt.Fatalf("%s: storing: %v", name, err)
	}
	_ = batch.Commit()
	if _, err := m.mirror.Plane.Follow(context.Background(), Turn{Before: before, After: m.state, Changes: c.Changes}); err != nil {
		m.rt.Fatalf("%s: applying: %v", name, err)
	}
}

// rank puts referrers behind what they refer to, and deletions last, the other
// way round.
func rank(c Change) int {
	r := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Table == c.Table })
	if c.After == nil {
		return 100 - r
	}
	return r
}

func (m *machine) check(rt *rapid.T) {
	m.rt = rt
	s := m.state
	if err := m.mirror.Differs(s); err != nil {
		rt.Fatal(err)
	}
	loaded, _ := m.mirror.Store.Load(context.Background())
	again := restore(loaded)
	if !reflect.DeepEqual(again.rows(), s.rows()) || again.revision != s.revision || again.next != s.next {
		rt.Fatal("what is stored is not the State")
	}
	m.endpointsHold(rt)
	type place struct {
		vpc  string
		addr netip.Addr
	}
	owners := make(map[place]string)
	macs := make(map[frame.MAC]string)
	attachments := make(map[string]bool)
	devices := make(map[string]bool)
	used := make(map[string]int)
	for _, n := range s.NetworkInterfaces() {
		if len(n.Groups) < one(!n.RequesterManaged) || len(n.Groups) > maxGroups {
			rt.Fatalf("%s has %d groups", n.ID, len(n.Groups))
		}
		if other := macs[n.MAC]; other != "" {
			rt.Fatalf("%s and %s share %s", n.ID, other, n.MAC)
		}
		macs[n.MAC] = n.ID
		sub := s.Subnet(n.Subnet)
		used[n.Subnet] += len(n.Addresses) + len(n.Prefixes)<<(32-prefixBits)
		for k, a := range n.Addresses {
			p := place{n.VPC, a.Addr}
			switch {
			case owners[p] != "":
				rt.Fatalf("%s belongs to %s and %s", a.Addr, owners[p], n.ID)
			case !sub.CIDR.Contains(a.Addr) || reserved(sub.CIDR, a.Addr):
				rt.Fatalf("%s has %s of %s", n.ID, a.Addr, sub.CIDR)
			case a.Primary != (k == 0):
				rt.Fatalf("%s has the addresses %v", n.ID, n.Addresses)
			case s.InterfaceByAddr(n.VPC, a.Addr) != n:
				rt.Fatalf("%s is not found by %s", n.ID, a.Addr)
			}
			owners[p] = n.ID
		}
		if a := n.Attachment; a != nil {
			i := s.Instance(a.Instance)
			key := fmt.Sprint(a.Instance, "/", a.NetworkCard, "/", a.DeviceIndex)
			switch {
			case attachments[a.ID] || devices[key]:
				rt.Fatalf("%+v is not the only one", a)
			case i.Zone != n.Zone || i.VPC != n.VPC:
				rt.Fatalf("%s of %s is on %s of %s", n.ID, n.Zone, i.ID, i.Zone)
			case s.InterfaceByAttachment(a.ID) != n:
				rt.Fatalf("%s is not found by %s", n.ID, a.ID)
			}
			if i.stale(device{a.NetworkCard, a.DeviceIndex}) && a.State != Detaching {
				rt.Fatalf("%+v is where a forced detach has left the index stale", a)
			}
			attachments[a.ID], devices[key] = true, true
		}
	}
	for _, sub := range s.Subnets() {
		if free := s.AvailableAddresses(sub.ID); free != capacity(sub.CIDR)-used[sub.ID] {
			rt.Fatalf("%s has %d free, of %d are %d in use", sub.ID, free, capacity(sub.CIDR), used[sub.ID])
		}
		if macs[sub.RouterMAC] != "" {
			rt.Fatalf("the router of %s has the MAC of %s", sub.ID, macs[sub.RouterMAC])
		}
		macs[sub.RouterMAC] = sub.ID
	}
	for _, i := range s.Instances() {
		enis := s.InterfacesOf(i.ID)
		if i.State == InstanceTerminated {
			if len(enis) != 0 || i.Stale != nil {
				rt.Fatalf("%s is terminated and has %d ENIs, and stale %v", i.ID, len(enis), i.Stale)
			}
			continue
		}
		typ := instanceTypes()[i.Type]
		if len(enis) == 0 || enis[0].Attachment.DeviceIndex != 0 || len(enis) > typ.Interfaces {
			rt.Fatalf("%s (%s, %s) has %d ENIs", i.ID, i.Type, i.State, len(enis))
		}
		for _, n := range enis {
			if len(n.Addresses) > typ.AddressesPerInterface {
				rt.Fatalf("%s has %d addresses on a %s", n.ID, len(n.Addresses), i.Type)
			}
		}
		if i.State == InstanceRunning && (enis[0].Attachment.State != Attached || len(enis) > 1 && enis[1].Attachment.DeviceIndex == 0) {
			rt.Fatalf("%s runs with the primary ENI %s", i.ID, enis[0].Attachment.State)
		}
	}
	targets := make(map[string]bool)
	for _, a := range s.Addresses() {
		if a.AssociationID == "" {
			continue
		}
		target := fmt.Sprint(a.NetworkInterface, a.PrivateIP)
		if n := s.NetworkInterface(a.NetworkInterface); n == nil || !holds(n, a.PrivateIP) || targets[target] {
			rt.Fatalf("%s is mapped to %s of %s", a.PublicIP, a.PrivateIP, a.NetworkInterface)
		}
		targets[target] = true
	}
	m.checkNetworks(rt)
	m.checkTransits(rt)
	m.checkInterfaces(rt)
	m.checkVolumes(rt)
	for _, p := range s.Policies() {
		if n := s.NetworkInterface(p.NetworkInterface); n == nil || n.Attachment != nil && n.Attachment.Primary() {
			rt.Fatalf("policy %s is for %v", p.ID, n)
		}
	}
}

// pick draws one of rows, or an id that nobody has.
func pick[T any](rt *rapid.T, name string, rows []*T, none *T) *T {
	if len(rows) == 0 {
		return none
	}
	return rapid.SampledFrom(rows).Draw(rt, name)
}

func (m *machine) anyVPC(rt *rapid.T) *VPC { return pick(rt, "vpc", m.state.VPCs(), &VPC{}) }
func (m *machine) anySubnet(rt *rapid.T) *Subnet {
	return pick(rt, "subnet", m.state.Subnets(), &Subnet{})
}
func (m *machine) anyInstance(rt *rapid.T) *Instance {
	return pick(rt, "instance", m.state.Instances(), &Instance{ID: noInstance})
}
func (m *machine) anyENI(rt *rapid.T) *NetworkInterface {
	return pick(rt, "eni", m.state.NetworkInterfaces(), &NetworkInterface{ID: noENI, Addresses: []PrivateAddress{{}}})
}
func (m *machine) anyGroups(rt *rapid.T) []string {
	var ids []string
	for range rapid.IntRange(0, 2).Draw(rt, "groups") {
		ids = append(ids, pick(rt, "group", m.state.SecurityGroups(), &SecurityGroup{}).ID)
	}
	return ids
}

// anyAddr is often taken, reserved or outside: subnets are small.
func anyAddr(rt *rapid.T) string {
	return fmt.Sprintf("10.0.0.%d", rapid.IntRange(0, 50).Draw(rt, "addr"))
}

func (m *machine) createSubnet(rt *rapid.T) {
	in := CreateSubnetInput{
		VPC:  m.anyVPC(rt).ID,
		CIDR: fmt.Sprintf("10.0.0.%d/28", rapid.IntRange(0, 3).Draw(rt, "block")*16),
		Zone: rapid.SampledFrom([]string{"us-east-1a", "us-east-1b"}).Draw(rt, "zone"),
	}
	m.run("create subnet", func(t *tx) error { _, err := t.createSubnet(in); return err })
}

func (m *machine) deleteNetwork(rt *rapid.T) {
	sub, g := m.anySubnet(rt).ID, pick(rt, "group", m.state.SecurityGroups(), &SecurityGroup{}).ID
	m.run("delete subnet", func(t *tx) error { return t.deleteSubnet(sub) })
	m.run("delete group", func(t *tx) error { return t.deleteGroup(g) })
}

func (m *machine) createGroup(rt *rapid.T) {
	in := CreateGroupInput{VPC: m.anyVPC(rt).ID, Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "name"), Description: "x"}
	m.run("create group", func(t *tx) error { _, err := t.createGroup(in); return err })
}

func (m *machine) changeRules(rt *rapid.T) {
	g := pick(rt, "group", m.state.SecurityGroups(), &SecurityGroup{})
	if rapid.Bool().Draw(rt, "revoke") && len(g.Rules) > 0 {
		id := rapid.SampledFrom(g.Rules).Draw(rt, "rule").ID
		m.run("revoke", func(t *tx) error { return t.revokeRules(g.ID, []string{id}) })
		return
	}
	in := RuleInput{Protocol: rapid.SampledFrom([]string{"-1", "47"}).Draw(rt, "protocol"), CIDR: "10.0.0.0/8"}
	if rapid.Bool().Draw(rt, "by group") {
		in.CIDR, in.Group = "", pick(rt, "peer", m.state.SecurityGroups(), &SecurityGroup{}).ID
	}
	egress := rapid.Bool().Draw(rt, "egress")
	m.run("authorize", func(t *tx) error { _, err := t.authorizeRules(g.ID, egress, []RuleInput{in}); return err })
}

func (m *machine) createInterface(rt *rapid.T) {
	in := CreateInterfaceInput{Subnet: m.anySubnet(rt).ID, Groups: m.anyGroups(rt), SecondaryCount: rapid.IntRange(0, 2).Draw(rt, "more")}
	if rapid.Bool().Draw(rt, "chosen") {
		in.PrivateIP = anyAddr(rt)
	}
	m.run("create interface", func(t *tx) error { _, err := t.createInterface(in); return err })
}

func (m *machine) modifyInterface(rt *rapid.T) {
	n, yes := m.anyENI(rt), rapid.Bool().Draw(rt, "yes")
	in := ModifyInterfaceInput{ID: n.ID, Groups: m.anyGroups(rt)}
	if in.Groups == nil {
		in.SourceDestCheck = &yes
	}
	if n.Attachment != nil && rapid.Bool().Draw(rt, "termination") {
		in = ModifyInterfaceInput{ID: n.ID, AttachmentID: n.Attachment.ID, DeleteOnTermination: &yes}
	}
	m.run("modify", func(t *tx) error { _, err := t.modifyInterface(in); return err })
}

func (m *machine) deleteInterface(rt *rapid.T) {
	id := m.anyENI(rt).ID
	m.run("delete interface", func(t *tx) error { return t.deleteInterface(id) })
}

func (m *machine) addresses(rt *rapid.T) {
	n, addr := m.anyENI(rt), anyAddr(rt)
	in := AssignAddressesInput{ID: n.ID, IPs: []string{addr}, AllowReassignment: rapid.Bool().Draw(rt, "take")}
	m.run("assign", func(t *tx) error { _, _, err := t.assignAddresses(in); return err })
	other := n.Addresses[rapid.IntRange(0, len(n.Addresses)-1).Draw(rt, "which")].Addr.String()
	m.run("unassign", func(t *tx) error {
		_, err := t.unassignAddresses(UnassignInput{ID: n.ID, IPs: []string{other}})
		return err
	})
}

func (m *machine) elasticIP(rt *rapid.T) {
	n, again := m.anyENI(rt), rapid.Bool().Draw(rt, "again")
	if len(m.state.Addresses()) < 3 {
		m.run("allocate", func(t *tx) error { _, err := t.allocateAddress(nil, ""); return err })
	}
	a := pick(rt, "address", m.state.Addresses(), &Address{})
	switch rapid.IntRange(0, 5).Draw(rt, "what") {
	case 0:
		m.run("release", func(t *tx) error { return t.releaseAddress(a.AllocationID) })
	case 1:
		m.run("disassociate", func(t *tx) error { return t.disassociateAddress(a.AssociationID) })
	default:
		ip := n.Addresses[rapid.IntRange(0, len(n.Addresses)-1).Draw(rt, "which")].Addr.String()
		m.run("associate", func(t *tx) error {
			_, err := t.associateAddress(association(a.AllocationID, n.ID, ip, again))
			return err
		})
	}
}

func (m *machine) policy(rt *rapid.T) {
	p := FailoverPolicy{
		NetworkInterface: m.anyENI(rt).ID, Standbys: []string{m.anyInstance(rt).ID}, Enabled: true,
		Probe: Probe{Type: ProbeICMP, From: m.anyENI(rt).ID},
	}
	m.run("put policy", func(t *tx) error { _, err := t.putPolicy(p); return err })
}

// prefixList changes a list, or a rule that names one.
func (m *machine) prefixList(rt *rapid.T) {
	if len(m.state.PrefixLists()) < 2 {
		in := CreatePrefixListInput{Name: "l", Family: familyIPv4, MaxEntries: 30, Entries: []PrefixListEntryInput{{CIDR: "10.0.0.0/8"}}}
		m.run("create list", func(t *tx) error { _, err := t.createPrefixList(in); return err })
	}
	l := pick(rt, "list", m.state.PrefixLists(), &PrefixList{})
	g := pick(rt, "group", m.state.SecurityGroups(), &SecurityGroup{})
	cidr := rapid.SampledFrom([]string{"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"}).Draw(rt, "cidr")
	switch rapid.IntRange(0, 3).Draw(rt, "what") {
	case 0:
		m.run("delete list", func(t *tx) error { return t.deletePrefixList(l.ID) })
	case 1:
		in := RuleInput{Protocol: "-1", PrefixList: l.ID}
		m.run("authorize list", func(t *tx) error { _, err := t.authorizeRules(g.ID, false, []RuleInput{in}); return err })
	default:
		in := ModifyPrefixListInput{ID: l.ID, Version: &l.Version, Add: []PrefixListEntryInput{{CIDR: cidr}}}
		if rapid.Bool().Draw(rt, "remove") {
			in.Add, in.Remove = nil, []string{cidr}
		}
		m.run("modify list", func(t *tx) error { _, err := t.modifyPrefixList(in); return err })
	}
}
