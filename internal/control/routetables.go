package control

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// RouteTable says where a subnet's frames to the router go.
type RouteTable struct {
	ID           string // "rtb-..."
	Region       string
	VPC          string
	Routes       []Route // local ones first, then in order of creation
	Associations []RouteTableAssociation
	Tags         Tags
	CreatedAt    time.Time
}

// Main reports whether subnets without a table of their own use this one.
func (t *RouteTable) Main() bool {
	for _, a := range t.Associations {
		if a.Main {
			return true
		}
	}
	return false
}

// RouteTableAssociation binds a route table to a subnet, to a gateway, or as
// the main one of its VPC: exactly one of Main, Subnet and Gateway is set.
type RouteTableAssociation struct {
	ID      string // "rtbassoc-..."
	Main    bool
	Subnet  string
	Gateway string // "igw-..."
}

// Route leads a destination to a target. Exactly one of Destination and
// PrefixList, and exactly one of the targets, is set. Whether it is active or a
// blackhole depends on the target, so that only State.RouteState knows.
type Route struct {
	Destination netip.Prefix
	PrefixList  string // "pl-..."
	Local       bool   // to the VPC itself
	Gateway     string // "igw-..."
	EgressOnly  string // "eigw-..."
	NATGateway  string // "nat-..."
	Interface   string // "eni-..."
	Peering     string // "pcx-..."
	Endpoint    string `json:",omitzero"` // "vpce-..." of a gateway endpoint, with PrefixList
	Transit     string `json:",omitzero"` // "tgw-..."
	// Origin is CreateRouteTable for local routes, else CreateRoute.
	Origin string
}

// RouteTable returns one route table.
func (s *State) RouteTable(id string) *RouteTable {
	return seek[RouteTable](s, TableRouteTable, byID, id)
}

// RouteTables returns every route table.
func (s *State) RouteTables() []*RouteTable { return all[*RouteTable](s, TableRouteTable, byCreation) }

// RouteTablesTo are the route tables with a route to a gateway, an ENI or another
// target, or to a prefix list.
func (s *State) RouteTablesTo(id string) []*RouteTable {
	return all[*RouteTable](s, TableRouteTable, byTarget, id)
}

// RouteTableOf returns the route table that a subnet uses: its own, or the
// main one of its VPC.
func (s *State) RouteTableOf(subnet *Subnet) *RouteTable {
	if t := seek[RouteTable](s, TableRouteTable, bySubnet, subnet.ID); t != nil {
		return t
	}
	return s.MainRouteTable(subnet.VPC)
}

// GatewayRouteTable returns the route table of what comes in by an internet
// gateway, nil if it has none (VPC User Guide, "Gateway route tables").
func (s *State) GatewayRouteTable(g *InternetGateway) *RouteTable {
	return seek[RouteTable](s, TableRouteTable, byGateway, g.ID)
}

// MainRouteTable returns the main route table of a VPC.
func (s *State) MainRouteTable(vpc string) *RouteTable {
	for _, t := range all[*RouteTable](s, TableRouteTable, byVPC, vpc) {
		if t.Main() {
			return t
		}
	}
	return nil
}

// Origins of routes (EC2 RouteOrigin).
const (
	originTable = "CreateRouteTable"
	originRoute = "CreateRoute"
)

// AssociateRouteTableInput is AssociateRouteTable's: a Subnet or a Gateway.
type AssociateRouteTableInput struct {
	Table   string // "rtb-..."
	Subnet  string
	Gateway string // "igw-..."
}

// CreateRouteTable makes a route table with the local routes of its VPC.
func (s *Service) CreateRouteTable(ctx context.Context, vpc string, tags Tags) (*RouteTable, error) {
	return result(ctx, s, func(t *tx) (*RouteTable, error) { return t.createRouteTable(vpc, tags) })
}

// DeleteRouteTable deletes a route table without associations.
func (s *Service) DeleteRouteTable(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteRouteTable(id) })
}

// AssociateRouteTable binds a table to a subnet or gateway that has none of its
// own yet, and returns the association.
func (s *Service) AssociateRouteTable(ctx context.Context, in AssociateRouteTableInput) (RouteTableAssociation, error) {
	return result(ctx, s, func(t *tx) (RouteTableAssociation, error) { return t.associateRouteTable(in) })
}

// DisassociateRouteTable gives a subnet back to the main table of its VPC, or a
// gateway to none.
func (s *Service) DisassociateRouteTable(ctx context.Context, association string) error {
	return s.change(ctx, func(t *tx) error { return t.disassociateRouteTable(association) })
}

// ReplaceRouteTableAssociation puts another table in the place of the one that
// an association names, be it the main one, and returns the new association.
func (s *Service) ReplaceRouteTableAssociation(ctx context.Context, association, table string) (RouteTableAssociation, error) {
	return result(ctx, s, func(t *tx) (RouteTableAssociation, error) {
		return t.replaceRouteTableAssociation(association, table)
	})
}

func (t *tx) createRouteTable(vpc string, tags Tags) (*RouteTable, error) {
	v, err := t.vpc(vpc)
	if err != nil {
		return nil, err
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if err := t.quota(TableRouteTable, v.Region, v.ID); err != nil {
		return nil, err
	}
	return t.newRouteTable(v, false, tags)
}

// newRouteTable makes a route table with the local routes of its VPC.
func (t *tx) newRouteTable(v *VPC, main bool, tags Tags) (*RouteTable, error) {
	id, err := t.mintRow(TableRouteTable, RouteTableID.Prefix)
	if err != nil {
		return nil, err
	}
	r := &RouteTable{ID: id, Region: v.Region, VPC: v.ID, Tags: ownTags(tags), CreatedAt: t.now}
	for _, block := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
		r.Routes = append(r.Routes, Route{Destination: block.CIDR, Local: true, Origin: originTable})
	}
	if main {
		association, err := t.mintAssociation(TableRouteTable, RouteAssociationID)
		if err != nil {
			return nil, err
		}
		r.Associations = []RouteTableAssociation{{ID: association, Main: true}}
	}
	t.put(TableRouteTable, r)
	t.emit("route-table.created", id, "vpc", v.ID)
	return r, nil
}

// mintAssociation makes an id that no association in a table has.
func (t *tx) mintAssociation(table Table, k IDKind) (string, error) {
	return t.mint(k.Prefix, func(id string) bool { return exists(t, table, byAssociation, id) })
}

func (t *tx) deleteRouteTable(id string) error {
	r, err := t.routeTable(id)
	if err != nil {
		return err
	}
	if len(r.Associations) > 0 {
		return refuse(codeDependency, "routeTableId", "The routeTable '%s' has dependencies and cannot be deleted.", id)
	}
	t.forgetTable(r)
	t.remove(TableRouteTable, r)
	t.emit("route-table.deleted", id)
	return nil
}

// errForeignRoute refuses to bring together a table and what is of another VPC.
func errForeignRoute(table, what, id string) error {
	return invalid("routeTableId", "route table %s and %s %s belong to different networks", table, what, id)
}

func (t *tx) associateRouteTable(in AssociateRouteTableInput) (a RouteTableAssociation, err error) {
	r, err := t.routeTable(in.Table)
	if err != nil {
		return a, err
	}
	switch {
	case in.Subnet == "" && in.Gateway == "":
		return a, refuse(codeMissing, "subnetId", "The request must contain the parameter subnetId or gatewayId")
	case in.Subnet != "" && in.Gateway != "":
		return a, refuse(codeCombination, "subnetId", "The request must contain exactly one of subnetId or gatewayId")
	}
	taken := false
	if in.Subnet != "" {
		sub, err := t.subnet(in.Subnet)
		if err != nil {
			return a, err
		}
		if sub.VPC != r.VPC {
			return a, errForeignRoute(r.ID, "subnet", sub.ID)
		}
		taken = exists(t, TableRouteTable, bySubnet, sub.ID)
	} else {
		g, err := t.internetGateway(in.Gateway)
		if err != nil {
			return a, err
		}
		if g.VPC != r.VPC {
			return a, errForeignRoute(r.ID, "network gateway", g.ID)
		}
		if err := t.edgeTable(r); err != nil {
			return a, err
		}
		taken = t.edgeOf(g) != nil
	}
	if taken {
		return a, refuse(codeAlreadyDone, "routeTableId",
			"the specified association for route table %s conflicts with an existing association", r.ID)
	}
	id, err := t.mintAssociation(TableRouteTable, RouteAssociationID)
	if err != nil {
		return a, err
	}
	a = RouteTableAssociation{ID: id, Subnet: in.Subnet, Gateway: in.Gateway}
	t.bindTable(r, a)
	return a, nil
}

// edgeTable tells why a table cannot serve a gateway: frames that come in there
// go to subnets of the VPC or to an ENI in front of them, nowhere else (VPC
// User Guide, "Gateway route tables").
func (t *tx) edgeTable(r *RouteTable) error {
	if r.Main() {
		return invalid("routeTableId", "route table %s is the main route table of its VPC and cannot be associated with a gateway", r.ID)
	}
	for _, route := range r.Routes {
		if err := t.edgeRoute(r, route); err != nil {
			return err
		}
	}
	return nil
}

// edgeOf returns the route table of frames that come in by a gateway.
func (t *tx) edgeOf(g *InternetGateway) *RouteTable {
	return get[*RouteTable](t, TableRouteTable, byGateway, g.ID)
}

// edge reports whether the table serves a gateway.
func (t *RouteTable) edge() bool {
	return slices.ContainsFunc(t.Associations, func(a RouteTableAssociation) bool { return a.Gateway != "" })
}

// bindTable adds an association to a table.
func (t *tx) bindTable(r *RouteTable, a RouteTableAssociation) {
	c := *r
	c.Associations = append(slices.Clip(r.Associations), a)
	t.put(TableRouteTable, &c)
	main := ""
	if a.Main {
		main = r.VPC
	}
	t.emit("route-table.associated", r.ID, "association", a.ID, "subnet", a.Subnet, "gateway", a.Gateway, "mainOf", main)
}

// unbindTable removes an association from a table and returns it.
func (t *tx) unbindTable(r *RouteTable, association string) RouteTableAssociation {
	c := *r
	k := slices.IndexFunc(r.Associations, func(a RouteTableAssociation) bool { return a.ID == association })
	a := r.Associations[k]
	c.Associations = slices.Delete(slices.Clone(r.Associations), k, k+1)
	if len(c.Associations) == 0 {
		c.Associations = nil
	}
	t.put(TableRouteTable, &c)
	t.emit("route-table.disassociated", r.ID, "association", a.ID, "subnet", a.Subnet, "gateway", a.Gateway)
	return a
}

func (t *tx) disassociateRouteTable(association string) error {
	r, err := t.routeAssociation(association)
	if err != nil {
		return err
	}
	for _, a := range r.Associations {
		if a.ID == association && a.Main {
			return invalid("associationId", "cannot disassociate the main route table association %s", association)
		}
	}
	t.unbindTable(r, association)
	return nil
}

func (t *tx) replaceRouteTableAssociation(association, table string) (a RouteTableAssociation, err error) {
	old, err := t.routeAssociation(association)
	if err != nil {
		return a, err
	}
	r, err := t.routeTable(table)
	if err != nil {
		return a, err
	}
	a = old.Associations[slices.IndexFunc(old.Associations, func(a RouteTableAssociation) bool { return a.ID == association })]
	if r.ID == old.ID {
		return a, nil
	}
	if r.VPC != old.VPC {
		switch {
		case a.Main:
			return a, errForeignRoute(r.ID, "network", old.VPC)
		case a.Gateway != "":
			return a, errForeignRoute(r.ID, "network gateway", a.Gateway)
		}
		return a, errForeignRoute(r.ID, "subnet", a.Subnet)
	}
	if a.Main && r.edge() {
		return a, invalid("routeTableId", "route table %s is associated with a gateway and cannot become the main route table", r.ID)
	}
	if a.Gateway != "" {
		if err := t.edgeTable(r); err != nil {
			return a, err
		}
	}
	id, err := t.mintAssociation(TableRouteTable, RouteAssociationID)
	if err != nil {
		return a, err
	}
	a = t.unbindTable(old, association)
	a.ID = id
	t.bindTable(r, a)
	return a, nil
}
