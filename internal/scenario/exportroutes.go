package scenario

import (
	"slices"

	"enilab/internal/control"
)

func (e *exporter) gateways(f *file) {
	for _, g := range here(e, e.s.InternetGateways()) {
		f.InternetGateways = append(f.InternetGateways, internetGateway{Name: e.names[g.ID], VPC: e.names[g.VPC], Tags: e.tags(g.ID, g.Tags)})
	}
	for _, a := range e.s.Addresses() {
		if e.names[a.AllocationID] == "" {
			continue
		}
		out := elasticIP{Name: e.names[a.AllocationID], Tags: e.tags(a.AllocationID, a.Tags)}
		// That of a NAT gateway is written there.
		if n := e.s.NetworkInterface(a.NetworkInterface); n != nil && !n.RequesterManaged {
			out.NetworkInterface = e.interfaceName(n.ID)
			if a.PrivateIP != n.Addresses[0].Addr {
				out.IP = a.PrivateIP.String()
			}
		}
		f.ElasticIPs = append(f.ElasticIPs, out)
	}
	for _, g := range here(e, e.s.NATGateways()) {
		out := natGateway{Name: e.names[g.ID], Subnet: e.names[g.Subnet], ElasticIP: e.names[g.Allocation], Tags: e.tags(g.ID, g.Tags)}
		if g.PrivateIP.IsValid() {
			out.IP = g.PrivateIP.String()
		}
		f.NATGateways = append(f.NATGateways, out)
	}
}

func (e *exporter) isMain(t *control.RouteTable) bool {
	return slices.ContainsFunc(t.Associations, func(a control.RouteTableAssociation) bool { return a.Main })
}

// bareMain reports whether a table is a VPC's main one and has nothing that a
// new VPC's would lack.
func (e *exporter) bareMain(t *control.RouteTable) bool {
	if !e.isMain(t) {
		return false
	}
	for _, r := range t.Routes {
		if !r.Local && r.Endpoint == "" {
			return false
		}
	}
	return !slices.ContainsFunc(t.Associations, func(a control.RouteTableAssociation) bool { return a.Gateway != "" })
}

func (e *exporter) routing(f *file) {
	for _, t := range here(e, e.s.RouteTables()) {
		out := routeTable{Name: e.names[t.ID], VPC: e.names[t.VPC], Tags: e.tags(t.ID, t.Tags)}
		for _, a := range t.Associations {
			switch {
			case a.Gateway != "":
				out.Gateway = e.names[a.Gateway]
			case a.Subnet != "":
				out.Subnets = append(out.Subnets, e.names[a.Subnet])
			}
		}
		if e.isMain(t) {
			// No key makes a table the main one: who uses it names it.
			e.leave("route table %s: that it is the main one of VPC %s", out.Name, out.VPC)
			for _, n := range here(e, e.s.SubnetsOf(t.VPC)) {
				if used := e.s.RouteTableOf(n); used != nil && used.ID == t.ID && !slices.Contains(out.Subnets, e.names[n.ID]) {
					out.Subnets = append(out.Subnets, e.names[n.ID])
				}
			}
		}
		for _, r := range t.Routes {
			if r.Local || r.Endpoint != "" {
				continue // they come with the VPC, and with the endpoint
			}
			if one, ok := e.route(r, out.Name); ok {
				out.Routes = append(out.Routes, one)
			}
		}
		f.RouteTables = append(f.RouteTables, out)
	}
	e.acls(f)
}

func (e *exporter) route(r control.Route, of string) (route, bool) {
	out := route{
		InternetGateway: e.names[r.Gateway], NATGateway: e.names[r.NATGateway], NetworkInterface: e.interfaceName(r.Interface),
		Peering: e.names[r.Peering], TransitGateway: e.names[r.Transit],
	}
	if out == (route{}) || r.PrefixList != "" || r.EgressOnly != "" || r.Destination.Addr().Is6() {
		to := r.PrefixList
		if r.Destination.IsValid() {
			to = r.Destination.String()
		}
		e.leave("route table %s: its route to %s, whose target has gone or has no word here", of, to)
		return out, false
	}
	out.Destination = r.Destination.String()
	return out, true
}

// ordinaryASN is a transit gateway's unless it is given another.
const ordinaryASN = 64512

func (e *exporter) joins(f *file) {
	for _, p := range here(e, e.s.Peerings()) {
		out := peering{Name: e.names[p.ID], Requester: e.names[p.Requester.VPC], Accepter: e.names[p.Accepter.VPC], Tags: e.tags(p.ID, p.Tags)}
		if p.State == control.PeeringPending {
			out.Accepted = new(false)
		}
		f.Peerings = append(f.Peerings, out)
	}
	for _, g := range here(e, e.s.TransitGateways()) {
		f.TransitGateways = append(f.TransitGateways, e.transit(g))
	}
	for _, p := range here(e, e.s.VPCEndpoints()) {
		out := endpoint{Name: e.names[p.ID], VPC: e.names[p.VPC], Service: serviceShort(e.region, p.Service), Tags: e.tags(p.ID, p.Tags)}
		for _, id := range p.RouteTables {
			if e.names[id] == "" {
				e.leave("endpoint %s: its route in the main route table of the VPC", out.Name)
				continue
			}
			out.RouteTables = append(out.RouteTables, e.names[id])
		}
		if p.Type == control.EndpointInterface {
			out.Type = endpointInterface
			out.Subnets = e.namesOf(p.Subnets)
			out.Groups = e.namesOf(p.Groups)
			if privateNames(out.Service) != p.PrivateDNS {
				out.PrivateDNS = &p.PrivateDNS
			}
		}
		f.Endpoints = append(f.Endpoints, out)
	}
}

// namesOf leaves out what has no name: a default group among groups.
func (e *exporter) namesOf(ids []string) (names []string) {
	for _, id := range ids {
		if name := e.names[id]; name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (e *exporter) transit(g *control.TransitGateway) transitGateway {
	out := transitGateway{Name: e.names[g.ID], Description: g.Description, Tags: e.tags(g.ID, g.Tags)}
	if g.ASN != ordinaryASN {
		out.ASN = new(int(g.ASN))
	}
	if g.AssociationTable == "" {
		out.DefaultAssociation = new(false)
	}
	if g.PropagationTable == "" {
		out.DefaultPropagation = new(false)
	}
	another := func(gateway string) bool { return gateway != g.ID }
	attachments := slices.DeleteFunc(here(e, e.s.TransitAttachments()), func(a *control.TransitAttachment) bool { return another(a.Gateway) })
	for _, a := range attachments {
		out.Attachments = append(out.Attachments, transitAttachment{
			Name: e.names[a.ID], VPC: e.names[a.VPC], Subnets: e.namesOf(a.Subnets), Tags: e.tags(a.ID, a.Tags),
		})
	}
	for _, t := range e.s.TransitTables() {
		if another(t.Gateway) {
			continue
		}
		var routes []transitRoute
		for _, r := range t.Routes {
			routes = append(routes, transitRoute{Destination: r.Destination.String(), Attachment: e.names[r.Attachment], Blackhole: r.Attachment == ""})
		}
		if t.ID == g.DefaultTable() {
			out.Routes = routes
			continue
		}
		if e.names[t.ID] == "" {
			continue
		}
		table := transitTable{Name: e.names[t.ID], Routes: routes, Tags: e.tags(t.ID, t.Tags), Propagations: e.namesOf(t.Propagations)}
		for _, a := range attachments {
			if a.Table == t.ID {
				table.Associations = append(table.Associations, e.names[a.ID])
			}
		}
		out.RouteTables = append(out.RouteTables, table)
	}
	return out
}
