package control

import (
	"encoding/hex"
	"slices"
)

// openInterfaceEndpoint makes the ENIs of e, which is not stored yet.
func (t *tx) openInterfaceEndpoint(v *VPC, e *VPCEndpoint, in CreateVPCEndpointInput, service *EndpointService) error {
	if len(in.RouteTables) > 0 {
		return refuse("InvalidParameter", "routeTableIds", "Route table IDs are only supported for Gateway type VPC Endpoint.") // unverified: code and text
	}
	groups, err := t.groupsFor(e.VPC, in.Groups, func(string) error { return errForeignGroup() })
	if err != nil {
		return err
	}
	e.Groups = groups
	e.PrivateDNS = service.PrivateDNS != "" && (in.PrivateDNS == nil || *in.PrivateDNS)
	if err := t.namesFit(v, e, service); err != nil {
		return err
	}
	var label [4]byte
	t.random(label[:])
	e.DNSLabel = hex.EncodeToString(label[:])
	for _, id := range in.Subnets {
		if err := t.enterSubnet(e, id); err != nil {
			return err
		}
	}
	return nil
}

// namesFit refuses private names where the VPC does not resolve them, or has them
// already.
func (t *tx) namesFit(v *VPC, e *VPCEndpoint, service *EndpointService) error {
	if !e.PrivateDNS {
		return nil
	}
	if !v.DNSSupport || !v.DNSHostnames {
		return refuse("InvalidParameter", "privateDnsEnabled", // unverified: the text
			"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", v.ID)
	}
	for _, other := range t.endpointsOf(v.ID) {
		if other.ID != e.ID && other.PrivateDNS && other.Service == e.Service && other.State != EndpointDeleting {
			return refuse("InvalidParameter", "privateDnsEnabled",
				"private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", service.PrivateDNS, v.ID)
		}
	}
	return nil
}

// enterSubnet makes the ENI of e in one subnet more.
func (t *tx) enterSubnet(e *VPCEndpoint, id string) error {
	sub, err := t.subnet(id)
	if err != nil {
		return err
	}
	if sub.VPC != e.VPC {
		return invalid("subnetIds", "The subnet '%s' is not of the vpc '%s'.", sub.ID, e.VPC) // unverified: code and text
	}
	if slices.Contains(e.Subnets, sub.ID) {
		return nil
	}
	for _, other := range e.Subnets {
		if s := get[*Subnet](t, TableSubnet, byID, other); s.Zone == sub.Zone {
			return refuse("DuplicateSubnetsInSameZone", "subnetIds",
				"Found another VPC endpoint subnet in the availability zone of %s", s.ID)
		}
	}
	made, err := t.newInterface(sub, &CreateInterfaceInput{Description: "VPC Endpoint Interface " + e.ID, IPv6Count: new(0)}, e.Groups, false)
	if err != nil {
		return err
	}
	n := *made
	n.Type, n.RequesterManaged, n.RequesterID, n.WantsPublicIP = TypeVPCEndpoint, true, requesterNAT, false
	t.putInterface(&n)
	e.Subnets, e.Interfaces = append(slices.Clip(e.Subnets), sub.ID), append(slices.Clip(e.Interfaces), n.ID)
	return nil
}

func (t *tx) modifyInterfaceEndpoint(e *VPCEndpoint, in ModifyVPCEndpointInput) error {
	if len(in.AddRouteTables)+len(in.RemoveRouteTables) > 0 {
		return refuse("InvalidParameter", "routeTableIds", "Route table IDs are only supported for Gateway type VPC Endpoint.") // unverified: code and text
	}
	if in.PrivateDNS != nil && *in.PrivateDNS != e.PrivateDNS {
		service := EndpointServiceNamed(e.Region, e.Service)
		if e.PrivateDNS = *in.PrivateDNS && service.PrivateDNS != ""; e.PrivateDNS {
			if err := t.namesFit(get[*VPC](t, TableVPC, byID, e.VPC), e, service); err != nil {
				return err
			}
		}
	}
	if err := t.regroupEndpoint(e, in.AddGroups, in.RemoveGroups); err != nil {
		return err
	}
	for _, id := range in.RemoveSubnets {
		sub, err := t.subnet(id)
		if err != nil {
			return err
		}
		at := slices.Index(e.Subnets, sub.ID)
		if at < 0 {
			continue
		}
		if n := get[*NetworkInterface](t, TableNetworkInterface, byID, e.Interfaces[at]); n != nil {
			t.dropInterface(n)
		}
		e.Interfaces, e.Subnets = without(e.Interfaces, e.Interfaces[at]), without(e.Subnets, sub.ID)
	}
	for _, id := range in.AddSubnets {
		if err := t.enterSubnet(e, id); err != nil {
			return err
		}
	}
	return nil
}

// regroupEndpoint changes the groups of e and of its ENIs.
func (t *tx) regroupEndpoint(e *VPCEndpoint, add, remove []string) error {
	if len(add)+len(remove) == 0 {
		return nil
	}
	groups := slices.Concat(e.Groups, add)
	for _, id := range remove {
		if _, err := t.group(id); err != nil {
			return err
		}
		groups = without(groups, id)
	}
	if len(groups) == 0 {
		return invalid("securityGroupIds", "The vpc endpoint '%s' must keep at least one security group.", e.ID) // unverified: code and text
	}
	groups, err := t.groupsFor(e.VPC, groups, func(string) error { return errForeignGroup() })
	if err != nil {
		return err
	}
	e.Groups = groups
	for _, id := range e.Interfaces {
		n := *get[*NetworkInterface](t, TableNetworkInterface, byID, id)
		n.Groups = groups
		t.putInterface(&n)
		t.emit("network-interface.modified", n.ID, "attribute", "groups")
	}
	return nil
}
