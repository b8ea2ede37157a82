package dataplane

import (
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
)

// checking is a Delta against what is applied. The control plane has judged it
// by EC2's rules before; this only keeps a mistake there from making a fabric
// in which an address has two holders or a name leads nowhere. A Delta that
// fails changes nothing.
type checking struct {
	s       *state
	f       *fabric
	tables  map[string]*RouteTableSpec
	gates   map[string]*GatewaySpec
	trans   map[string]*TransitSpec
	acls    map[string]*ACLSpec
	subnets map[string]*SubnetSpec
	groups  map[string]*GroupSpec
	hosts   map[string]*HostSpec
	vnics   map[string]*VNICSpec

	noGates, noTrans, noTables, noACLs, noSubnets, noGroups, noHosts, noVNICs map[string]struct{}
}

func index[T any](list []T, id func(*T) string, removed []string, what string) (map[string]*T, map[string]struct{}, error) {
	set, gone := map[string]*T{}, map[string]struct{}{}
	for i := range list {
		key := id(&list[i])
		if key == "" {
			return nil, nil, fmt.Errorf("%s without an id", what)
		}
		if set[key] != nil {
			return nil, nil, fmt.Errorf("%s %s is named twice", what, key)
		}
		set[key] = &list[i]
	}
	for _, key := range removed {
		if set[key] != nil {
			return nil, nil, fmt.Errorf("%s %s is both set and removed", what, key)
		}
		gone[key] = struct{}{}
	}
	return set, gone, nil
}

func (s *state) check(d *Delta, f *fabric) error {
	if d.Generation <= s.generation {
		return fmt.Errorf("it is older than what is applied (generation %d)", s.generation)
	}
	c := checking{s: s, f: f}
	var err error
	if c.tables, c.noTables, err = index(d.RouteTables, func(x *RouteTableSpec) string { return x.ID }, d.RemoveRouteTables, "route table"); err != nil {
		return err
	}
	if c.acls, c.noACLs, err = index(d.ACLs, func(x *ACLSpec) string { return x.ID }, d.RemoveACLs, "network ACL"); err != nil {
		return err
	}
	if c.gates, c.noGates, err = index(d.Gateways, func(x *GatewaySpec) string { return x.ID }, d.RemoveGateways, "internet gateway"); err != nil {
		return err
	}
	if c.trans, c.noTrans, err = index(d.Transits, func(x *TransitSpec) string { return x.ID }, d.RemoveTransits, "transit gateway"); err != nil {
		return err
	}
	if c.subnets, c.noSubnets, err = index(d.Subnets, func(x *SubnetSpec) string { return x.ID }, d.RemoveSubnets, "subnet"); err != nil {
		return err
	}
	if c.groups, c.noGroups, err = index(d.Groups, func(x *GroupSpec) string { return x.ID }, d.RemoveGroups, "security group"); err != nil {
		return err
	}
	if c.hosts, c.noHosts, err = index(d.Hosts, func(x *HostSpec) string { return x.ID }, d.RemoveHosts, "host"); err != nil {
		return err
	}
	if c.vnics, c.noVNICs, err = index(d.VNICs, func(x *VNICSpec) string { return x.ID }, d.RemoveVNICs, "network interface"); err != nil {
		return err
	}
	for _, step := range []func(*Delta) error{c.checkRoutes, c.checkGateways, c.checkTransits, c.checkSubnets, c.checkGroups, c.checkRemovals, c.checkVNICs} {
		if err := step(d); err != nil {
			return err
		}
	}
	return nil
}

func (c *checking) checkRoutes(d *Delta) error {
	for i := range d.RouteTables {
		for _, r := range d.RouteTables[i].Routes {
			switch {
			case !r.Prefix.IsValid() || !r.Prefix.Addr().Is4():
				return fmt.Errorf("route table %s: %v is no IPv4 prefix", d.RouteTables[i].ID, r.Prefix)
			case r.Kind > RouteGateway:
				return fmt.Errorf("route table %s: the route to %v leads to nothing known", d.RouteTables[i].ID, r.Prefix)
			case (r.Kind == RouteInterface) != (r.MAC != 0):
				return fmt.Errorf("route table %s: the route to %v wants a MAC if it leads to an interface, else none", d.RouteTables[i].ID, r.Prefix)
			case (r.Kind == RoutePeering) != (r.VPC != ""):
				return fmt.Errorf("route table %s: the route to %v wants a VPC if it leads through a peering connection, else none", d.RouteTables[i].ID, r.Prefix)
			case r.Kind == RouteTransit && r.Via == "":
				return fmt.Errorf("route table %s: the route to %v does not name its transit gateway", d.RouteTables[i].ID, r.Prefix)
			}
		}
	}
	return nil
}

func (c *checking) checkGateways(d *Delta) error {
	of := map[string]string{} // by VPC
	for id, g := range c.s.gateways {
		if _, gone := c.noGates[id]; !gone && c.gates[id] == nil {
			of[g.VPC] = id
		}
	}
	for i := range d.Gateways {
		g := &d.Gateways[i]
		switch {
		case g.VPC == "" || g.VPC == InternetVPC:
			return fmt.Errorf("internet gateway %s: %q is no VPC that it can be attached to", g.ID, g.VPC)
		case of[g.VPC] != "":
			return fmt.Errorf("internet gateway %s: %s has %s already", g.ID, g.VPC, of[g.VPC])
		case g.RouteTable != "" && !known(g.RouteTable, c.tables, c.s.tables, c.noTables):
			return fmt.Errorf("internet gateway %s: unknown route table %q", g.ID, g.RouteTable)
		}
		of[g.VPC] = g.ID
	}
	return nil
}

func (c *checking) checkTransits(d *Delta) error {
	for i := range d.Transits {
		t := &d.Transits[i]
		attachments, tables := map[string]bool{}, map[string]bool{}
		for _, a := range t.Attachments {
			attachments[a.ID] = true
		}
		for _, table := range t.Tables {
			tables[table.ID] = true
			for _, r := range table.Routes {
				switch {
				case !r.Prefix.IsValid() || !r.Prefix.Addr().Is4():
					return fmt.Errorf("transit gateway route table %s: %v is no IPv4 prefix", table.ID, r.Prefix)
				case r.Attachment != "" && !attachments[r.Attachment]:
					return fmt.Errorf("transit gateway route table %s: the route to %v leads to the unknown attachment %q", table.ID, r.Prefix, r.Attachment)
				}
			}
		}
		for _, a := range t.Attachments {
			if a.VPC == "" || a.VPC == InternetVPC || a.Table != "" && !tables[a.Table] {
				return fmt.Errorf("attachment %s of %s: want a VPC and a route table of the transit gateway, got %q and %q", a.ID, t.ID, a.VPC, a.Table)
			}
		}
	}
	return nil
}

func (c *checking) checkSubnets(d *Delta) error {
	for i := range d.Subnets {
		n := &d.Subnets[i]
		for _, p := range append([]netip.Prefix{n.CIDR}, n.VPCCIDRs...) {
			if !p.IsValid() || !p.Addr().Is4() {
				return fmt.Errorf("subnet %s: %v is no IPv4 prefix", n.ID, p)
			}
		}
		if n.Resolver.IsValid() && !n.Resolver.Is4() {
			return fmt.Errorf("subnet %s: the resolver %v is no IPv4 address", n.ID, n.Resolver)
		}
		if n.VPC == "" || n.RouterMAC == 0 || n.RouterMAC.Multicast() {
			return fmt.Errorf("subnet %s: want a VPC and a unicast router MAC", n.ID)
		}
		if old := c.s.subnets[n.ID]; old != nil && old.spec.VPC != n.VPC {
			return fmt.Errorf("subnet %s: cannot leave %s for %s", n.ID, old.spec.VPC, n.VPC)
		}
		if n.RouteTable != "" && !known(n.RouteTable, c.tables, c.s.tables, c.noTables) {
			return fmt.Errorf("subnet %s: unknown route table %q", n.ID, n.RouteTable)
		}
		if n.ACL != "" && !known(n.ACL, c.acls, c.s.acls, c.noACLs) {
			return fmt.Errorf("subnet %s: unknown network ACL %q", n.ID, n.ACL)
		}
	}
	return nil
}

func (c *checking) checkGroups(d *Delta) error {
	for i := range d.Groups {
		g := &d.Groups[i]
		if g.Ref == 0 {
			return fmt.Errorf("security group %s: reference 0 is reserved", g.ID)
		}
		if old := c.s.groups[g.ID]; old != nil && old.spec.Ref != g.Ref {
			return fmt.Errorf("security group %s: its reference %d cannot become %d", g.ID, old.spec.Ref, g.Ref)
		}
	}
	return nil
}

// checkRemovals: nothing may go while something that stays refers to it.
func (c *checking) checkRemovals(d *Delta) error {
	inUse := func(what, id string, m members) error {
		for v := range m {
			if !c.touched(v.id) {
				return fmt.Errorf("%s %s is in use by %s", what, id, v.id)
			}
		}
		return nil
	}
	for id, n := range c.s.subnets {
		if len(c.noTables)+len(c.noACLs) == 0 {
			break
		}
		if _, gone := c.noSubnets[id]; gone || c.subnets[id] != nil {
			continue
		}
		if _, gone := c.noTables[n.spec.RouteTable]; gone && n.spec.RouteTable != "" {
			return fmt.Errorf("route table %s is in use by %s", n.spec.RouteTable, id)
		}
		if _, gone := c.noACLs[n.spec.ACL]; gone && n.spec.ACL != "" {
			return fmt.Errorf("network ACL %s is in use by %s", n.spec.ACL, id)
		}
	}
	for id := range c.noSubnets {
		if n := c.s.subnets[id]; n != nil {
			if err := inUse("subnet", id, n.members); err != nil {
				return err
			}
		}
	}
	for id := range c.noGroups {
		if g := c.s.groups[id]; g != nil {
			if err := inUse("security group", id, g.members); err != nil {
				return err
			}
		}
	}
	for id := range c.noHosts {
		if h := c.s.hosts[id]; h != nil {
			if err := inUse("host", id, h.members); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checking) checkVNICs(d *Delta) error {
	type place struct {
		host  string
		index int
	}
	type address struct {
		vpc string
		ip  netip.Addr
	}
	macs, addrs, places := map[frame.MAC]string{}, map[address]string{}, map[place]string{}
	for i := range d.VNICs {
		n := &d.VNICs[i]
		net := c.subnet(n.Subnet)
		if net == nil {
			return fmt.Errorf("network interface %s: unknown subnet %q", n.ID, n.Subnet)
		}
		for _, g := range n.Groups {
			if !known(g, c.groups, c.s.groups, c.noGroups) {
				return fmt.Errorf("network interface %s: unknown security group %q", n.ID, g)
			}
		}
		if n.MAC == 0 || n.MAC.Multicast() || n.MAC>>48 != 0 {
			return fmt.Errorf("network interface %s: %s is no unicast MAC", n.ID, n.MAC)
		}
		if o := c.f.byMAC.Get(uint64(n.MAC)); macs[n.MAC] != "" || o != nil && !c.touched(o.vnic.id) {
			return fmt.Errorf("network interface %s: MAC %s is taken", n.ID, n.MAC)
		}
		macs[n.MAC] = n.ID
		if len(n.Addrs) == 0 {
			return fmt.Errorf("network interface %s has no address", n.ID)
		}
		for _, a := range n.Addrs {
			ip, ok := frame.IPv4From(a)
			if !ok {
				return fmt.Errorf("network interface %s: %v is no IPv4 address", n.ID, a)
			}
			key := address{net.VPC, ip.Addr()}
			if addrs[key] != "" || c.held(net.VPC, ip) {
				return fmt.Errorf("network interface %s: address %v is taken in %s", n.ID, a, net.VPC)
			}
			addrs[key] = n.ID
		}
		for _, p := range n.Public {
			ip, ok := frame.IPv4From(p.Public)
			if !ok || !slices.Contains(n.Addrs, p.Private) || net.VPC == InternetVPC {
				return fmt.Errorf("network interface %s: %v cannot stand for %v: want a public IPv4 address and one of its own", n.ID, p.Public, p.Private)
			}
			key := address{InternetVPC, ip.Addr()}
			if addrs[key] != "" || c.held(InternetVPC, ip) {
				return fmt.Errorf("network interface %s: public address %v is taken", n.ID, ip)
			}
			addrs[key] = n.ID
		}
		if n.NAT != nil && (n.Host != "" || len(n.Groups) > 0) {
			return fmt.Errorf("network interface %s: a NAT gateway has no guest and no security groups", n.ID)
		}
		if n.NAT != nil && (n.NAT.Inside != "") != (net.VPC == InternetVPC) || n.NAT != nil && n.NAT.Inside == InternetVPC {
			return fmt.Errorf("network interface %s: a gateway endpoint stands on the internet and serves a VPC, a NAT gateway stands in its own; got %s of %s that serves %q",
				n.ID, n.Subnet, net.VPC, n.NAT.Inside)
		}
		if n.Host == "" {
			continue
		}
		if !known(n.Host, c.hosts, c.s.hosts, c.noHosts) {
			return fmt.Errorf("network interface %s: unknown host %q", n.ID, n.Host)
		}
		at := place{n.Host, n.DeviceIndex}
		if places[at] != "" || c.occupied(n) {
			return fmt.Errorf("network interface %s: device index %d of %s is taken", n.ID, n.DeviceIndex, n.Host)
		}
		places[at] = n.ID
	}
	return nil
}

func known[T, S any](id string, set map[string]*T, applied map[string]*S, removed map[string]struct{}) bool {
	if set[id] != nil {
		return true
	}
	_, gone := removed[id]
	return applied[id] != nil && !gone
}

func (c *checking) subnet(id string) *SubnetSpec {
	if n := c.subnets[id]; n != nil {
		return n
	}
	if _, gone := c.noSubnets[id]; gone || c.s.subnets[id] == nil {
		return nil
	}
	return &c.s.subnets[id].spec
}

// touched reports whether the Delta says anew what the VNIC is, or removes it.
func (c *checking) touched(id string) bool {
	_, gone := c.noVNICs[id]
	return gone || c.vnics[id] != nil
}

// held reports whether a VNIC that the Delta does not say anew has the address.
func (c *checking) held(vpc string, ip frame.IPv4) bool {
	v := c.s.vpcs[vpc]
	if v == nil {
		return false
	}
	o := c.f.byIP.Get(addressKey(v.number, ip))
	return o != nil && !c.touched(o.vnic.id)
}

// occupied reports whether a VNIC that stays is where n wants to be.
func (c *checking) occupied(n *VNICSpec) bool {
	h := c.s.hosts[n.Host]
	if h == nil {
		return false
	}
	for v := range h.members {
		if v.config.Load().spec.DeviceIndex == n.DeviceIndex && !c.touched(v.id) {
			return true
		}
	}
	return false
}
