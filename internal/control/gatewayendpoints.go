package control

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
)

func (t *tx) openGatewayEndpoint(e *VPCEndpoint, in CreateVPCEndpointInput) error {
	switch {
	case len(in.Subnets) > 0:
		return errNotInterface("subnetIds")
	case len(in.Groups) > 0:
		return errNotInterface("securityGroupIds")
	case in.PrivateDNS != nil && *in.PrivateDNS:
		return errNotInterface("privateDnsEnabled")
	}
	for _, id := range in.RouteTables {
		if err := t.routeToEndpoint(e, id); err != nil {
			return err
		}
	}
	return nil
}

// endpointSources are addresses that no host of the internet and no Elastic IP can
// have, for carriers to translate to (RFC 6598).
var endpointSources = netip.MustParsePrefix("100.64.0.0/10")

// endpointSource is an address for an endpoint that no other has. It follows from
// the id, so that one laboratory's captures resemble the next one's.
func (t *tx) endpointSource(id string) netip.Addr {
	sum := sha256.Sum256([]byte(id))
	mask := uint32(1)<<(32-endpointSources.Bits()) - 1
	for n := binary.BigEndian.Uint32(sum[:]); ; n++ {
		if ip := nth(endpointSources, int(n&mask)); !exists(t, TableVPCEndpoint, bySource, ip) {
			return ip
		}
	}
}

// sourceEndpoints gives sources to gateway endpoints that are from before they
// carried frames.
func (t *tx) sourceEndpoints() {
	for _, e := range list[*VPCEndpoint](t, TableVPCEndpoint, byID) {
		if e.Type == EndpointGateway && e.State == EndpointAvailable && !e.Source.IsValid() {
			c := *e
			c.Source = t.endpointSource(e.ID)
			t.put(TableVPCEndpoint, &c)
		}
	}
}

// servicePrefixes is the prefix list of a service. It is AWS's and there whether
// or not anybody has asked for the region's default VPC.
func (t *tx) servicePrefixes(e *VPCEndpoint) (*PrefixList, error) {
	t.awsPrefixLists()
	for _, l := range list[*PrefixList](t, TablePrefixList, byName, e.Region, e.Service) {
		if l.AWS {
			return l, nil
		}
	}
	return nil, refuse(codeInternal, "", "region %s has no prefix list of %s", e.Region, e.Service)
}

// routeToEndpoint puts a route to e into a table.
func (t *tx) routeToEndpoint(e *VPCEndpoint, table string) error {
	r, err := t.routeTable(table)
	if err != nil {
		return err
	}
	if r.VPC != e.VPC {
		return errForeignRoute(r.ID, "vpc endpoint", e.ID)
	}
	if slices.Contains(e.RouteTables, r.ID) {
		return nil
	}
	l, err := t.servicePrefixes(e)
	if err != nil {
		return err
	}
	route := Route{PrefixList: l.ID, Endpoint: e.ID, Origin: originRoute}
	if r.index(route) >= 0 {
		return refuse("RouteAlreadyExists", "routeTableIds", "route table %s already has a route with destination-prefix-list-id %s", r.ID, l.ID)
	}
	if err := t.placed(r, route); err != nil {
		return err
	}
	c := *r
	c.Routes = append(slices.Clip(r.Routes), route)
	if err := t.routesFit(&c); err != nil {
		return err
	}
	t.put(TableRouteTable, &c)
	t.emitRoute("route.created", r, route)
	e.RouteTables = append(slices.Clip(e.RouteTables), r.ID)
	return nil
}

// unrouteEndpoint takes the route to e out of a table.
func (t *tx) unrouteEndpoint(e *VPCEndpoint, table string) {
	r := get[*RouteTable](t, TableRouteTable, byID, table)
	if r == nil {
		return
	}
	if k := slices.IndexFunc(r.Routes, func(route Route) bool { return route.Endpoint == e.ID }); k >= 0 {
		c := *r
		c.Routes = slices.Delete(slices.Clone(r.Routes), k, k+1)
		t.put(TableRouteTable, &c)
		t.emitRoute("route.deleted", r, r.Routes[k])
	}
}

// forgetTable takes a route table that goes from the endpoints that it leads to.
func (t *tx) forgetTable(r *RouteTable) {
	for _, e := range t.endpointsOf(r.VPC) {
		if slices.Contains(e.RouteTables, r.ID) {
			c := *e
			c.RouteTables = without(e.RouteTables, r.ID)
			t.put(TableVPCEndpoint, &c)
		}
	}
}

func (t *tx) modifyGatewayEndpoint(e *VPCEndpoint, in ModifyVPCEndpointInput) error {
	switch {
	case len(in.AddSubnets)+len(in.RemoveSubnets) > 0:
		return errNotInterface("subnetIds")
	case len(in.AddGroups)+len(in.RemoveGroups) > 0:
		return errNotInterface("securityGroupIds")
	case in.PrivateDNS != nil && *in.PrivateDNS:
		return errNotInterface("privateDnsEnabled")
	}
	for _, id := range in.RemoveRouteTables {
		r, err := t.routeTable(id)
		if err != nil {
			return err
		}
		t.unrouteEndpoint(e, r.ID)
		e.RouteTables = without(e.RouteTables, r.ID)
	}
	for _, id := range in.AddRouteTables {
		if err := t.routeToEndpoint(e, id); err != nil {
			return err
		}
	}
	return nil
}
