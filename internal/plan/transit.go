package plan

import (
	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// transitSpec has of a transit gateway what frames pass: attachments that are
// available, and the IPv4 routes of its tables, static ones first.
func transitSpec(s *control.State, g *control.TransitGateway) *spec.Transit {
	if g.State == control.TransitDeleted {
		return nil
	}
	gateway := &spec.Transit{ID: g.ID}
	for _, a := range s.TransitAttachmentsOf(g.ID) {
		if !a.State.Live() {
			continue
		}
		to := spec.TransitAttachment{ID: a.ID, VPC: a.VPC, Subnets: a.Subnets}
		if r := s.TransitTable(a.Table); r != nil && r.State == control.TransitAvailable && a.TableState == control.TransitAssociated {
			to.Table = r.ID
		}
		gateway.Attachments = append(gateway.Attachments, to)
	}
	for _, r := range s.TransitTablesOf(g.ID) {
		if r.State != control.TransitAvailable {
			continue
		}
		table := spec.TransitTable{ID: r.ID}
		for _, route := range s.TransitRoutes(r) {
			if !route.Destination.Addr().Is4() {
				continue
			}
			to := spec.TransitRoute{Prefix: route.Destination}
			if route.State == control.RouteActive {
				to.Attachment = route.Attachment
			}
			table.Routes = append(table.Routes, to)
		}
		gateway.Tables = append(gateway.Tables, table)
	}
	return gateway
}

// transitOfAttachment is the gateway of an attachment.
func transitOfAttachment(s *control.State, id string) []string {
	if a := s.TransitAttachment(id); a != nil {
		return []string{a.Gateway}
	}
	return nil
}

// transitOfTable is the gateway of a table.
func transitOfTable(s *control.State, id string) []string {
	if r := s.TransitTable(id); r != nil {
		return []string{r.Gateway}
	}
	return nil
}

// transitsOfVPC are the gateways to which a VPC is attached.
func transitsOfVPC(s *control.State, id string) (gateways []string) {
	for _, a := range s.TransitAttachmentsOf(id) {
		gateways = append(gateways, a.Gateway)
	}
	return gateways
}

// routesToTransit are the route tables with a route to the gateway of an
// attachment.
func routesToTransit(s *control.State, id string) []string {
	if a := s.TransitAttachment(id); a != nil {
		return routesTo(s, a.Gateway)
	}
	return nil
}
