package control

import (
	"cmp"
	"net/netip"
	"reflect"
	"slices"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// vpcMTU is the IP MTU inside a VPC (EC2 User Guide, "Network MTU").
const vpcMTU = 9001

// reads tells which specs read rows other than their own: a change of a row of
// the first table concerns the specs of those rows of the second that touched
// names, in the State before it or in the one after. A spec that reads a further
// row gets a line here, and nothing else.
var reads = []struct {
	row, spec Table
	touched   func(s *State, id string) (ids []string)
}{
	// A subnet's local routes are the blocks of its VPC.
	{TableVPC, TableSubnet, func(s *State, id string) []string {
		return ids(allIn[*Subnet](s.db.Txn(false), string(TableSubnet), byVPC, id))
	}},
	// A rule that names a prefix list is for each of its entries.
	{TablePrefixList, TableSecurityGroup, func(s *State, id string) []string {
		return ids(allIn[*SecurityGroup](s.db.Txn(false), string(TableSecurityGroup), byReference, id))
	}},
	// A subnet uses the route table and the network ACL that name it, or the main
	// table of its VPC.
	{TableRouteTable, TableSubnet, func(s *State, id string) []string {
		t := s.RouteTable(id)
		if t == nil {
			return nil
		}
		return ids(allIn[*Subnet](s.db.Txn(false), string(TableSubnet), byVPC, t.VPC))
	}},
	{TableNetworkACL, TableSubnet, func(s *State, id string) []string {
		a := s.NetworkACL(id)
		if a == nil {
			return nil
		}
		return ids(allIn[*Subnet](s.db.Txn(false), string(TableSubnet), byVPC, a.VPC))
	}},
	// A route is a blackhole while its target is gone, and stands for each entry
	// of a prefix list.
	{TableNetworkInterface, TableRouteTable, routesTo},
	{TableInternetGateway, TableRouteTable, routesTo},
	{TableNATGateway, TableRouteTable, routesTo},
	{TablePeering, TableRouteTable, routesTo},
	{TablePrefixList, TableRouteTable, routesTo},
	{TableVPCEndpoint, TableRouteTable, routesTo},
	// A transit gateway's tables lead to its attachments, by the blocks of their
	// VPCs; a route to it is a blackhole without an attachment of its own VPC.
	{TableTransitAttachment, TableTransitGateway, transitOfAttachment},
	{TableTransitTable, TableTransitGateway, transitOfTable},
	{TableVPC, TableTransitGateway, transitsOfVPC},
	{TableTransitAttachment, TableRouteTable, routesToTransit},
	// An ENI forgets connections as the type of its instance does.
	{TableInstance, TableNetworkInterface, func(s *State, id string) []string {
		return ids(allIn[*NetworkInterface](s.db.Txn(false), string(TableNetworkInterface), byDevice, id))
	}},
	// An Elastic IP stands for a private address of the ENI that it is on.
	{TableAddress, TableNetworkInterface, func(s *State, id string) []string {
		if a := s.Address(id); a != nil && a.NetworkInterface != "" {
			return []string{a.NetworkInterface}
		}
		return nil
	}},
	// The ENI of a NAT gateway translates while that is available.
	{TableNATGateway, TableNetworkInterface, func(s *State, id string) []string {
		if g := s.NATGateway(id); g != nil && g.Interface != "" {
			return []string{g.Interface}
		}
		return nil
	}},
	// The guest of an ENI has the addresses that routes lead to it.
	{TableRouteTable, TableNetworkInterface, func(s *State, id string) (enis []string) {
		if t := s.RouteTable(id); t != nil {
			for _, r := range t.Routes {
				if r.overlay() {
					enis = append(enis, r.Interface)
				}
			}
		}
		return enis
	}},
	// What comes in by an internet gateway asks the table that serves it.
	{TableRouteTable, TableInternetGateway, func(s *State, id string) (gateways []string) {
		if t := s.RouteTable(id); t != nil {
			for _, a := range t.Associations {
				if a.Gateway != "" {
					gateways = append(gateways, a.Gateway)
				}
			}
		}
		return gateways
	}},
}

func routesTo(s *State, id string) []string {
	return ids(allIn[*RouteTable](s.db.Txn(false), string(TableRouteTable), byTarget, id))
}

func ids[T Row](rows []T) []string {
	list := make([]string, len(rows))
	for i, r := range rows {
		list[i] = r.Identity().ID
	}
	return list
}

// compile turns changes into what the data plane must do. A row whose meaning
// for the data plane is the same before and after is left out: most ends of
// transitional states are.
func compile(before, after *State, changes []Change) spec.Delta {
	d := spec.Delta{Generation: after.revision}
	for _, c := range concerned(before, after, changes) {
		switch c.Table {
		case TableRouteTable:
			d.RouteTables, d.RemoveRouteTables = differ(before, after, c, routeTableSpec, d.RouteTables, d.RemoveRouteTables)
		case TableTransitGateway:
			d.Transits, d.RemoveTransits = differ(before, after, c, transitSpec, d.Transits, d.RemoveTransits)
		case TableNetworkACL:
			d.ACLs, d.RemoveACLs = differ(before, after, c, aclSpec, d.ACLs, d.RemoveACLs)
		case TableInternetGateway:
			d.Gateways, d.RemoveGateways = differ(before, after, c, gatewaySpec, d.Gateways, d.RemoveGateways)
		case TableSubnet:
			d.Subnets, d.RemoveSubnets = differ(before, after, c, subnetSpec, d.Subnets, d.RemoveSubnets)
		case TableSecurityGroup:
			d.Groups, d.RemoveGroups = differ(before, after, c, groupSpec, d.Groups, d.RemoveGroups)
		case TableNetworkInterface:
			d.VNICs, d.RemoveVNICs = differ(before, after, c, vnicSpec, d.VNICs, d.RemoveVNICs)
		case TableInstance:
			d.Hosts, d.RemoveHosts = differ(before, after, c, hostSpec, d.Hosts, d.RemoveHosts)
		case TableInternetHost:
			d.VNICs, d.RemoveVNICs = differ(before, after, c, internetVNICSpec, d.VNICs, d.RemoveVNICs)
			d.Hosts, d.RemoveHosts = differ(before, after, c, internetHostSpec, d.Hosts, d.RemoveHosts)
		case TableVPCEndpoint:
			d.VNICs, d.RemoveVNICs = differ(before, after, c, gatewayEndpointSpec, d.VNICs, d.RemoveVNICs)
		}
	}
	// The subnet of the internet is no row.
	switch was, is := internetSubnetSpec(before), internetSubnetSpec(after); {
	case was == nil && is != nil:
		d.Subnets = append(d.Subnets, *is)
	case was != nil && is == nil:
		d.RemoveSubnets = append(d.RemoveSubnets, internetSubnet)
	}
	return d
}

// concerned adds to changes the rows that have not changed, but whose specs
// read a row that has.
func concerned(before, after *State, changes []Change) []Change {
	type row struct {
		table Table
		id    string
	}
	known := make(map[row]bool, len(changes))
	for _, c := range changes {
		known[row{c.Table, c.ID}] = true
	}
	all := slices.Clip(changes)
	for _, c := range changes {
		for _, r := range reads {
			if r.row != c.Table {
				continue
			}
			touched := r.touched(after, c.ID)
			if c.Before != nil {
				// What it has let go of is concerned too.
				touched = append(touched, r.touched(before, c.ID)...)
			}
			for _, id := range touched {
				at := row{r.spec, id}
				if known[at] {
					continue
				}
				known[at] = true
				k := kindOfTable(r.spec)
				all = append(all, Change{Table: r.spec, ID: id, Before: asAny(k.Row(before, id)), After: asAny(k.Row(after, id))})
			}
		}
	}
	return all
}

// asAny keeps a row that is not there a nil.
func asAny(r Row) any {
	if r == nil {
		return nil
	}
	return r
}

// differ compiles one row in both states and adds what changed to set or to
// remove. compiled returns nil for a row without presence in the data plane.
func differ[R any, S any](before, after *State, c Change, compiled func(*State, *R) *S, set []S, remove []string) ([]S, []string) {
	var was, is *S
	if r, ok := c.Before.(*R); ok && r != nil {
		was = compiled(before, r)
	}
	if r, ok := c.After.(*R); ok && r != nil {
		is = compiled(after, r)
	}
	switch {
	case is == nil && was != nil:
		remove = append(remove, c.ID)
	case is != nil && (was == nil || !reflect.DeepEqual(was, is)):
		set = append(set, *is)
	}
	return set, remove
}

// compileAll is the Delta from nothing to s.
func compileAll(s *State) spec.Delta {
	empty := &State{db: newDB()}
	return compile(empty, s, s.rows())
}

// rows is every stored row as a creation, by table, then id.
func (s *State) rows() []Change {
	txn := s.db.Txn(false)
	var changes []Change
	for _, k := range kinds {
		it, err := txn.Get(string(k.Table), byID)
		if err != nil {
			panic("reading " + string(k.Table) + ": " + err.Error())
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			changes = append(changes, Change{Table: k.Table, ID: rowID(raw), After: raw})
		}
	}
	return changes
}

func groupSpec(s *State, g *SecurityGroup) *spec.Group {
	group := &spec.Group{ID: g.ID, Ref: g.Ref}
	for _, r := range g.Rules {
		rule := spec.Rule{Name: r.ID, Rule: secgroup.Rule{
			ID: verdict.RuleID(r.Ref), Proto: int16(r.Protocol),
			From: int32(r.FromPort), To: int32(r.ToPort), Prefix: r.CIDR,
		}}
		list := &group.Ingress
		if r.Egress {
			list = &group.Egress
		}
		switch {
		case r.PrefixList != "":
			// One for each entry, all with the name of the rule.
			for _, e := range s.PrefixList(r.PrefixList).Entries() {
				rule.Prefix = e.CIDR
				*list = append(*list, rule)
			}
			continue
		case r.Group == g.ID:
			rule.Group = g.Ref
		case r.Group != "":
			rule.Group = s.SecurityGroup(r.Group).Ref
		}
		*list = append(*list, rule)
	}
	return group
}

// vnicSpec is nil for the ENIs of services that the data plane does not have, and
// of NAT gateways that do not work yet or any more: what is sent there is lost.
func vnicSpec(s *State, n *NetworkInterface) *spec.VNIC {
	vnic := &spec.VNIC{
		ID: n.ID, MAC: n.MAC, Subnet: n.Subnet, Groups: n.Groups, SourceDestCheck: n.SourceDestCheck,
		MTU: vpcMTU, Timeouts: conntrack.DefaultTimeouts(), Public: publicAddrs(s, n),
	}
	if n.RequesterManaged {
		g := s.natGatewayOf(n)
		if g == nil || g.State != NATAvailable {
			return nil
		}
		// Security groups cannot be put on a NAT gateway (VPC User Guide, "NAT gateways").
		vnic.NAT, vnic.Groups = &spec.NAT{ID: g.ID}, nil
	}
	for _, a := range n.Addresses {
		vnic.Addrs = append(vnic.Addrs, a.Addr)
	}
	for _, p := range n.Prefixes {
		vnic.Addrs = slices.AppendSeq(vnic.Addrs, addrs(p))
	}
	// What is detaching is off already.
	if a := n.Attachment; a != nil && a.State != Detaching {
		vnic.Host, vnic.DeviceIndex = a.Instance, a.NetworkCard*(maxDeviceIndex+1)+a.DeviceIndex
		vnic.Overlay = overlayOf(s, n.ID)
		if t, ok := instanceTypes()[s.Instance(a.Instance).Type]; ok {
			vnic.Timeouts.TCPEstablished = t.TCPEstablished
			if t.Nitro() {
				n.Tracking.into(&vnic.Timeouts)
			}
		}
	}
	return vnic
}

// overlay reports whether a route leads one address to an ENI. EC2 lets no such
// route into the VPC's own blocks, so that it is an address of nobody there.
func (r Route) overlay() bool {
	return r.Interface != "" && r.PrefixList == "" && r.Destination.Addr().Is4() && r.Destination.IsSingleIP()
}

// overlayOf are the addresses that routes lead to an ENI. Its guest has them as
// if an agent had configured them on taking over, as it has secondary addresses.
func overlayOf(s *State, eni string) (ips []netip.Addr) {
	for _, t := range allIn[*RouteTable](s.db.Txn(false), string(TableRouteTable), byTarget, eni) {
		for _, r := range t.Routes {
			if r.Interface == eni && r.overlay() && !slices.Contains(ips, r.Destination.Addr()) {
				ips = append(ips, r.Destination.Addr())
			}
		}
	}
	slices.SortFunc(ips, netip.Addr.Compare)
	return ips
}

// publicAddrs are the public addresses of an ENI, in the order of the private ones
// that they stand for. Whether they lead anywhere (an attachment, an internet
// gateway, a route to it) is for the data plane to find.
func publicAddrs(s *State, n *NetworkInterface) (public []spec.PublicAddr) {
	for _, a := range s.AddressesOf(n.ID) {
		public = append(public, spec.PublicAddr{Private: a.PrivateIP, Public: a.PublicIP})
	}
	if n.PublicIP.IsValid() {
		public = append(public, spec.PublicAddr{Private: n.PrimaryAddress(), Public: n.PublicIP})
	}
	slices.SortFunc(public, func(a, b spec.PublicAddr) int { return a.Private.Compare(b.Private) })
	return public
}

// into replaces the timeouts that an ENI has of its own (EC2 User Guide,
// "Connection tracking timeouts").
func (c ConnectionTracking) into(t *conntrack.Timeouts) {
	t.TCPEstablished = cmp.Or(c.TCPEstablished, t.TCPEstablished)
	t.UDPStream = cmp.Or(c.UDPStream, t.UDPStream)
	t.UDP = cmp.Or(c.UDP, t.UDP)
}

func hostSpec(_ *State, i *Instance) *spec.Host {
	if i.State == InstanceTerminated {
		return nil
	}
	host := &spec.Host{ID: i.ID, Name: i.Name(), Boot: i.Boot, Workloads: i.Workloads, Serve: i.Serve}
	if t, ok := instanceTypes()[i.Type]; ok {
		host.Bandwidth = t.Bandwidth
	}
	if i.State == InstancePending || i.State == InstanceRunning {
		host.Power = spec.PowerOn
	}
	host.Fault = i.Fault.inPlane()
	return host
}

// inPlane is a fault as the data plane has it: one without power has none.
func (f Fault) inPlane() spec.Fault {
	switch f {
	case FaultFreeze:
		return spec.FaultFreeze
	case FaultLink:
		return spec.FaultLink
	}
	return spec.FaultNone
}
