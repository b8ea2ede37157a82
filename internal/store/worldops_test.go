package store

import (
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
)

// operations change a world as EC2's commands would; one that finds nothing to
// work on does nothing. The first few also make the world.
var operations = []func(*world){
	addVPC, addSubnet, addSubnet, addInstance, addInstance, addGroup, addGroup, addInterface, addInterface, addInterface,
	addAddress, setRules, setRules, setGroups, swapAddresses, swapAttachments, moveInterface, moveInterface,
	associate, associate, retag, deleteInterface, deleteGroup, deleteInstance, deleteAddress, deleteVPC,
	putPolicy, putFailover, deletePolicyAndFailover,
}

func addVPC(w *world) {
	id := w.id("vpc")
	w.put(control.TableVPC, id, &control.VPC{
		ID: id, Region: "us-east-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"), Tags: w.tags(), CreatedAt: w.time(),
	})
}

func addSubnet(w *world) {
	v := pick[control.VPC](w, control.TableVPC, nil)
	if v == nil {
		return
	}
	n := w.next()
	id := w.id("subnet")
	w.put(control.TableSubnet, id, &control.Subnet{
		ID: id, VPC: v.ID, Region: v.Region, Zone: "us-east-1a", RouterMAC: frame.MAC(n), Tags: w.tags(), CreatedAt: w.time(),
		CIDR: netip.PrefixFrom(frame.IPv4(10<<24|n<<8).Addr(), 24),
	})
}

func addInstance(w *world) {
	s := pick[control.Subnet](w, control.TableSubnet, nil)
	if s == nil {
		return
	}
	id := w.id("i")
	w.put(control.TableInstance, id, &control.Instance{
		ID: id, Region: s.Region, Zone: s.Zone, VPC: s.VPC, Subnet: s.ID, Type: "t3.micro",
		State: control.InstanceRunning, StateAt: w.time(), Boot: w.rng.Uint64() >> 1,
		Fault: control.FaultFreeze, FaultAt: w.time(), Workloads: w.workloads(), Tags: w.tags(), LaunchAt: w.time(),
		ReasonCode: w.text(), ReasonText: w.text(),
	})
}

func addGroup(w *world) {
	v := pick[control.VPC](w, control.TableVPC, nil)
	if v == nil {
		return
	}
	n := w.next()
	id := w.id("sg")
	w.put(control.TableSecurityGroup, id, &control.SecurityGroup{
		ID: id, Ref: n, Region: v.Region, VPC: v.ID, Name: fmt.Sprint(w.text(), n), Description: w.text(),
		Tags: w.tags(), CreatedAt: w.time(),
	})
}

// setRules removes some rules of a group, rewrites some and adds some.
func setRules(w *world) {
	g := pick[control.SecurityGroup](w, control.TableSecurityGroup, nil)
	if g == nil {
		return
	}
	c := *g
	c.Rules = nil
	for _, r := range g.Rules {
		switch w.rng.IntN(3) {
		case 0:
			c.Rules = append(c.Rules, r)
		case 1:
			r.Description = w.text()
			c.Rules = append(c.Rules, r)
		}
	}
	for range w.rng.IntN(4) {
		r := control.SecurityGroupRule{
			ID: w.id("sgr"), Ref: w.next(), Egress: w.maybe(), Protocol: w.rng.IntN(257) - 1,
			FromPort: w.rng.IntN(65537) - 1, ToPort: w.rng.IntN(65537) - 1, Description: w.text(),
		}
		if w.maybe() {
			r.Group = pick(w, control.TableSecurityGroup, func(o *control.SecurityGroup) bool { return o.VPC == g.VPC }).ID
		} else {
			r.CIDR = netip.PrefixFrom(w.addr().WithZone(""), w.rng.IntN(33)).Masked()
		}
		c.Rules = append(c.Rules, r)
	}
	slices.SortFunc(c.Rules, func(a, b control.SecurityGroupRule) int { return compareText(a.ID, b.ID) })
	w.put(control.TableSecurityGroup, c.ID, &c)
}

// groupsOf draws one or two groups of a VPC, sorted.
func groupsOf(w *world, vpc string) []string {
	var ids []string
	for range 2 {
		g := pick(w, control.TableSecurityGroup, func(g *control.SecurityGroup) bool { return g.VPC == vpc })
		if g != nil && !slices.Contains(ids, g.ID) {
			ids = append(ids, g.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func addInterface(w *world) {
	s := pick[control.Subnet](w, control.TableSubnet, nil)
	if s == nil {
		return
	}
	groups := groupsOf(w, s.VPC)
	if groups == nil {
		return
	}
	id := w.id("eni")
	n := &control.NetworkInterface{
		ID: id, Region: s.Region, Zone: s.Zone, VPC: s.VPC, Subnet: s.ID, MAC: frame.MAC(1<<41 | uint64(w.next())),
		Description: w.text(), Groups: groups, SourceDestCheck: w.maybe(), Tags: w.tags(), CreatedAt: w.time(),
	}
	for i := range 1 + w.rng.IntN(3) {
		n.Addresses = append(n.Addresses, control.PrivateAddress{Addr: frame.IPv4(w.next()).Addr(), Primary: i == 0})
	}
	w.put(control.TableNetworkInterface, id, n)
}

func setGroups(w *world) {
	if n := pick[control.NetworkInterface](w, control.TableNetworkInterface, nil); n != nil {
		c := *n
		c.Groups = groupsOf(w, n.VPC)
		w.put(control.TableNetworkInterface, c.ID, &c)
	}
}

// swapAddresses exchanges the addresses of two interfaces in one commit.
func swapAddresses(w *world) {
	a, b := twoInterfaces(w)
	if a == nil {
		return
	}
	ca, cb := *a, *b
	ca.Addresses, cb.Addresses = b.Addresses, a.Addresses
	w.put(control.TableNetworkInterface, ca.ID, &ca)
	w.put(control.TableNetworkInterface, cb.ID, &cb)
}

func swapAttachments(w *world) {
	a, b := twoInterfaces(w)
	if a == nil {
		return
	}
	ca, cb := *a, *b
	ca.Attachment, cb.Attachment = b.Attachment, a.Attachment
	w.put(control.TableNetworkInterface, ca.ID, &ca)
	w.put(control.TableNetworkInterface, cb.ID, &cb)
}

func twoInterfaces(w *world) (a, b *control.NetworkInterface) {
	a = pick[control.NetworkInterface](w, control.TableNetworkInterface, nil)
	if a == nil {
		return nil, nil
	}
	b = pick(w, control.TableNetworkInterface, func(n *control.NetworkInterface) bool { return n.VPC == a.VPC && n != a })
	if b == nil {
		return nil, nil
	}
	return a, b
}

func moveInterface(w *world) {
	n := pick[control.NetworkInterface](w, control.TableNetworkInterface, nil)
	i := pick[control.Instance](w, control.TableInstance, nil)
	if n == nil || i == nil {
		return
	}
	index := w.rng.IntN(4)
	holder := pick(w, control.TableNetworkInterface, func(o *control.NetworkInterface) bool {
		return o.Attachment != nil && o.Attachment.Instance == i.ID && o.Attachment.DeviceIndex == index
	})
	if holder != nil && holder != n {
		c := *holder
		c.Attachment = nil
		w.put(control.TableNetworkInterface, c.ID, &c)
	}
	c := *n
	c.Attachment = &control.Attachment{
		ID: w.id("eni-attach"), Instance: i.ID, DeviceIndex: index, State: control.Attached,
		StateAt: w.time(), StateUntil: w.time(), AttachTime: w.time(), DeleteOnTermination: w.maybe(), Force: w.maybe(),
	}
	w.put(control.TableNetworkInterface, c.ID, &c)
}

func addAddress(w *world) {
	id := w.id("eipalloc")
	w.put(control.TableAddress, id, &control.Address{
		AllocationID: id, Region: "us-east-1", PublicIP: frame.IPv4(203<<24 | w.next()).Addr(), Tags: w.tags(), CreatedAt: w.time(),
	})
}

// associate takes a private address for an Elastic IP, from another if need be.
func associate(w *world) {
	a := pick[control.Address](w, control.TableAddress, nil)
	n := pick[control.NetworkInterface](w, control.TableNetworkInterface, nil)
	if a == nil || n == nil {
		return
	}
	ip := n.Addresses[w.rng.IntN(len(n.Addresses))].Addr
	release(w, func(o *control.Address) bool { return o.NetworkInterface == n.ID && o.PrivateIP == ip })
	c := *a
	c.AssociationID, c.NetworkInterface, c.PrivateIP = w.id("eipassoc"), n.ID, ip
	w.put(control.TableAddress, c.AllocationID, &c)
}

func release(w *world, which func(*control.Address) bool) {
	for _, a := range all[control.Address](w, control.TableAddress) {
		if a.NetworkInterface != "" && which(a) {
			c := *a
			c.AssociationID, c.NetworkInterface, c.PrivateIP = "", "", netip.Addr{}
			w.put(control.TableAddress, c.AllocationID, &c)
		}
	}
}

func deleteAddress(w *world) {
	if a := pick[control.Address](w, control.TableAddress, nil); a != nil {
		w.delete(control.TableAddress, a.AllocationID)
	}
}

func retag(w *world) {
	if v := pick[control.VPC](w, control.TableVPC, nil); v != nil {
		c := *v
		c.Tags = w.tags()
		w.put(control.TableVPC, c.ID, &c)
	}
	if i := pick[control.Instance](w, control.TableInstance, nil); i != nil {
		c := *i
		c.Tags, c.Workloads, c.StateAt = w.tags(), w.workloads(), w.time()
		w.put(control.TableInstance, c.ID, &c)
	}
}
