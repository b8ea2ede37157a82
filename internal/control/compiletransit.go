package control

import "enilab/internal/dataplane/spec"

// transitSpec has of a transit gateway what frames pass: attachments that are
// available, and the IPv4 routes of its tables, static ones first.
func transitSpec(s *State, g *TransitGateway) *spec.Transit {
	if g.State == TransitDeleted {
		return nil
	}
	gateway := &spec.Transit{ID: g.ID}
	for _, a := range all[*TransitAttachment](s, TableTransitAttachment, byTarget, g.ID) {
		if !a.State.live() {
			continue
		}
		to := spec.TransitAttachment{ID: a.ID, VPC: a.VPC, Subnets: a.Subnets}
		if r := s.TransitTable(a.Table); r != nil && r.State == TransitAvailable && a.TableState == TransitAssociated {
			to.Table = r.ID
		}
		gateway.Attachments = append(gateway.Attachments, to)
	}
	for _, r := range all[*TransitTable](s, TableTransitTable, byTarget, g.ID) {
		if r.State != TransitAvailable {
			continue
		}
		table := spec.TransitTable{ID: r.ID}
		for _, route := range s.TransitRoutes(r) {
			if !route.Destination.Addr().Is4() {
				continue
			}
			to := spec.TransitRoute{Prefix: route.Destination}
			if route.State == RouteActive {
				to.Attachment = route.Attachment
			}
			table.Routes = append(table.Routes, to)
		}
		gateway.Tables = append(gateway.Tables, table)
	}
	return gateway
}

// transitOfAttachment is the gateway of an attachment.
func transitOfAttachment(s *State, id string) []string {
	if a := s.TransitAttachment(id); a != nil {
		return []string{a.Gateway}
	}
	return nil
}

// transitOfTable is the gateway of a table.
func transitOfTable(s *State, id string) []string {
	if r := s.TransitTable(id); r != nil {
		return []string{r.Gateway}
	}
	return nil
}

// transitsOfVPC are the gateways to which a VPC is attached.
func transitsOfVPC(s *State, id string) (gateways []string) {
	for _, a := range all[*TransitAttachment](s, TableTransitAttachment, byTarget, id) {
		gateways = append(gateways, a.Gateway)
	}
	return gateways
}

// routesToTransit are the route tables with a route to the gateway of an
// attachment.
func routesToTransit(s *State, id string) []string {
	if a := s.TransitAttachment(id); a != nil {
		return routesTo(s, a.Gateway)
	}
	return nil
}
