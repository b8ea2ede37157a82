package control

// DHCPOptions returns one set of DHCP options.
func (s *State) DHCPOptions(id string) *DHCPOptions {
	return seek[DHCPOptions](s, TableDHCPOptions, byID, id)
}

// DHCPOptionSets returns every set of DHCP options.
func (s *State) DHCPOptionSets() []*DHCPOptions {
	return all[*DHCPOptions](s, TableDHCPOptions, byCreation)
}

// PrefixList returns one customer-managed prefix list.
func (s *State) PrefixList(id string) *PrefixList {
	return seek[PrefixList](s, TablePrefixList, byID, id)
}

// PrefixLists returns every customer-managed prefix list.
func (s *State) PrefixLists() []*PrefixList { return all[*PrefixList](s, TablePrefixList, byCreation) }

// InternetGateway returns one internet gateway.
func (s *State) InternetGateway(id string) *InternetGateway {
	return seek[InternetGateway](s, TableInternetGateway, byID, id)
}

// InternetGateways returns every internet gateway.
func (s *State) InternetGateways() []*InternetGateway {
	return all[*InternetGateway](s, TableInternetGateway, byCreation)
}

// EgressOnlyGateway returns one egress-only internet gateway.
func (s *State) EgressOnlyGateway(id string) *EgressOnlyGateway {
	return seek[EgressOnlyGateway](s, TableEgressOnlyGateway, byID, id)
}

// EgressOnlyGateways returns every egress-only internet gateway.
func (s *State) EgressOnlyGateways() []*EgressOnlyGateway {
	return all[*EgressOnlyGateway](s, TableEgressOnlyGateway, byCreation)
}

// NATGateway returns one NAT gateway.
func (s *State) NATGateway(id string) *NATGateway {
	return seek[NATGateway](s, TableNATGateway, byID, id)
}

// natGatewayOf is the NAT gateway that an ENI is of, nil if it is of none.
func (s *State) natGatewayOf(n *NetworkInterface) *NATGateway {
	return seek[NATGateway](s, TableNATGateway, byInterface, n.ID)
}

// NATGateways returns every NAT gateway.
func (s *State) NATGateways() []*NATGateway { return all[*NATGateway](s, TableNATGateway, byCreation) }

// Peering returns one VPC peering connection, of which either side is in a
// region that s shows.
func (s *State) Peering(id string) *Peering { return seek[Peering](s, TablePeering, byID, id) }

// Peerings returns every VPC peering connection.
func (s *State) Peerings() []*Peering { return all[*Peering](s, TablePeering, byCreation) }

// RouteTable returns one route table.
func (s *State) RouteTable(id string) *RouteTable {
	return seek[RouteTable](s, TableRouteTable, byID, id)
}

// RouteTables returns every route table.
func (s *State) RouteTables() []*RouteTable { return all[*RouteTable](s, TableRouteTable, byCreation) }

// NetworkACL returns one network ACL.
func (s *State) NetworkACL(id string) *NetworkACL {
	return seek[NetworkACL](s, TableNetworkACL, byID, id)
}

// NetworkACLs returns every network ACL.
func (s *State) NetworkACLs() []*NetworkACL { return all[*NetworkACL](s, TableNetworkACL, byCreation) }

// KeyPair returns one key pair.
func (s *State) KeyPair(id string) *KeyPair { return seek[KeyPair](s, TableKeyPair, byID, id) }

// KeyPairs returns every key pair.
func (s *State) KeyPairs() []*KeyPair { return all[*KeyPair](s, TableKeyPair, byCreation) }

// FlowLog returns one flow log.
func (s *State) FlowLog(id string) *FlowLog { return seek[FlowLog](s, TableFlowLog, byID, id) }

// FlowLogs returns every flow log.
func (s *State) FlowLogs() []*FlowLog { return all[*FlowLog](s, TableFlowLog, byCreation) }

// CIDRReservation returns one subnet CIDR reservation.
func (s *State) CIDRReservation(id string) *CIDRReservation {
	return seek[CIDRReservation](s, TableCIDRReservation, byID, id)
}

// CIDRReservations returns every subnet CIDR reservation.
func (s *State) CIDRReservations() []*CIDRReservation {
	return all[*CIDRReservation](s, TableCIDRReservation, byCreation)
}

// InterfacePermission returns one network interface permission.
func (s *State) InterfacePermission(id string) *InterfacePermission {
	return seek[InterfacePermission](s, TableInterfacePermission, byID, id)
}

// InterfacePermissions returns every network interface permission.
func (s *State) InterfacePermissions() []*InterfacePermission {
	return all[*InterfacePermission](s, TableInterfacePermission, byCreation)
}

// Founded reports whether a region is in use: it has had its default VPC.
func (s *State) Founded(region string) bool {
	return seek[Region](s, TableRegion, byID, region) != nil
}

// DefaultVPC returns the default VPC of a region, nil if it was deleted.
func (s *State) DefaultVPC(region string) *VPC {
	for _, v := range s.VPCs() {
		if v.Default && v.Region == region {
			return v
		}
	}
	return nil
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

// NetworkACLOf returns the network ACL of a subnet.
func (s *State) NetworkACLOf(subnet string) *NetworkACL {
	return seek[NetworkACL](s, TableNetworkACL, bySubnet, subnet)
}
