package control

import "slices"

// newRouteTable makes a route table with the local routes of its VPC.
func (t *tx) newRouteTable(v *VPC, main bool, tags Tags) (*RouteTable, error) {
	id, err := t.mintRow(TableRouteTable, kindRouteTable.prefix)
	if err != nil {
		return nil, err
	}
	r := &RouteTable{ID: id, Region: v.Region, VPC: v.ID, Tags: ownTags(tags), CreatedAt: t.now}
	for _, block := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
		r.Routes = append(r.Routes, Route{Destination: block.CIDR, Local: true, Origin: originTable})
	}
	if main {
		association, err := t.mintAssociation(TableRouteTable, kindRouteAssociation)
		if err != nil {
			return nil, err
		}
		r.Associations = []RouteTableAssociation{{ID: association, Main: true}}
	}
	t.put(TableRouteTable, r)
	t.emit("route-table.created", id, "vpc", v.ID)
	return r, nil
}

// Origins of routes (EC2 RouteOrigin).
const (
	originTable = "CreateRouteTable"
	originRoute = "CreateRoute"
)

// mintAssociation makes an id that no association in a table has.
func (t *tx) mintAssociation(table Table, k kind) (string, error) {
	return t.mint(k.prefix, func(id string) bool { return exists(t, table, byAssociation, id) })
}
