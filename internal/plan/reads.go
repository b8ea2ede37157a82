package plan

import (
	"slices"

	"enilab/internal/control"
)

// reads tells which specs read rows other than their own: a change of a row
// concerns the specs of those rows of the second table that touched names, in the
// State before it or in the one after. A spec that reads a further row gets a
// line here, and nothing else.
var reads = []struct {
	row, spec control.Table
	touched   func(s *control.State, id string) (ids []string)
}{
	// A subnet's local routes are the blocks of its VPC.
	{control.TableVPC, control.TableSubnet, func(s *control.State, id string) []string { return ids(s.SubnetsOf(id)) }},
	// A rule that names a prefix list is for each of its entries.
	{control.TablePrefixList, control.TableSecurityGroup, func(s *control.State, id string) []string {
		return ids(s.SecurityGroupsNaming(id))
	}},
	// A subnet uses the route table and the network ACL that name it, or the main
	// table of its VPC.
	{control.TableRouteTable, control.TableSubnet, func(s *control.State, id string) []string {
		if t := s.RouteTable(id); t != nil {
			return ids(s.SubnetsOf(t.VPC))
		}
		return nil
	}},
	{control.TableNetworkACL, control.TableSubnet, func(s *control.State, id string) []string {
		if a := s.NetworkACL(id); a != nil {
			return ids(s.SubnetsOf(a.VPC))
		}
		return nil
	}},
	// A route is a blackhole while its target is gone, and stands for each entry
	// of a prefix list.
	{control.TableNetworkInterface, control.TableRouteTable, routesTo},
	{control.TableInternetGateway, control.TableRouteTable, routesTo},
	{control.TableNATGateway, control.TableRouteTable, routesTo},
	{control.TablePeering, control.TableRouteTable, routesTo},
	{control.TablePrefixList, control.TableRouteTable, routesTo},
	{control.TableVPCEndpoint, control.TableRouteTable, routesTo},
	// A transit gateway's tables lead to its attachments, by the blocks of their
	// VPCs; a route to it is a blackhole without an attachment of its own VPC.
	{control.TableTransitAttachment, control.TableTransitGateway, transitOfAttachment},
	{control.TableTransitTable, control.TableTransitGateway, transitOfTable},
	{control.TableVPC, control.TableTransitGateway, transitsOfVPC},
	{control.TableTransitAttachment, control.TableRouteTable, routesToTransit},
	// An ENI forgets connections as the type of its instance does.
	{control.TableInstance, control.TableNetworkInterface, func(s *control.State, id string) []string {
		return ids(s.InterfacesOf(id))
	}},
	// An Elastic IP stands for a private address of the ENI that it is on.
	{control.TableAddress, control.TableNetworkInterface, func(s *control.State, id string) []string {
		if a := s.Address(id); a != nil && a.NetworkInterface != "" {
			return []string{a.NetworkInterface}
		}
		return nil
	}},
	// The ENI of a NAT gateway translates while that is available.
	{control.TableNATGateway, control.TableNetworkInterface, func(s *control.State, id string) []string {
		if g := s.NATGateway(id); g != nil && g.Interface != "" {
			return []string{g.Interface}
		}
		return nil
	}},
	// The guest of an ENI has the addresses that routes lead to it.
	{control.TableRouteTable, control.TableNetworkInterface, func(s *control.State, id string) (enis []string) {
		if t := s.RouteTable(id); t != nil {
			for _, r := range t.Routes {
				if overlay(r) {
					enis = append(enis, r.Interface)
				}
			}
		}
		return enis
	}},
	// What comes in by an internet gateway asks the table that serves it.
	{control.TableRouteTable, control.TableInternetGateway, func(s *control.State, id string) (gateways []string) {
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

func routesTo(s *control.State, id string) []string { return ids(s.RouteTablesTo(id)) }

func ids[T control.Row](rows []T) []string {
	list := make([]string, len(rows))
	for i, r := range rows {
		list[i] = r.Identity().ID
	}
	return list
}

// concerned are the changes of a Turn and, as if they had changed, the rows whose
// specs read a row that has.
func concerned(t control.Turn) []control.Change {
	type row struct {
		table control.Table
		id    string
	}
	known := make(map[row]bool, len(t.Changes))
	for _, c := range t.Changes {
		known[row{c.Table, c.ID}] = true
	}
	all := slices.Clip(t.Changes)
	for _, c := range t.Changes {
		for _, r := range reads {
			if r.row != c.Table {
				continue
			}
			touched := r.touched(t.After, c.ID)
			if c.Before != nil {
				// What it has let go of is concerned too.
				touched = append(touched, r.touched(t.Before, c.ID)...)
			}
			for _, id := range touched {
				at := row{r.spec, id}
				if known[at] {
					continue
				}
				known[at] = true
				k := r.spec.Kind()
				all = append(all, control.Change{Table: r.spec, ID: id, Before: asAny(k.Row(t.Before, id)), After: asAny(k.Row(t.After, id))})
			}
		}
	}
	return all
}

// asAny keeps a row that is not there a nil.
func asAny(r control.Row) any {
	if r == nil {
		return nil
	}
	return r
}
