package ec2

import (
	"strings"
	"testing"
)

// walkNetworks performs the actions on what is around a VPC, and leaves nothing
// but the world behind.
func walkNetworks(t *testing.T, l *lab, w world, eni string) {
	t.Helper()
	walkVPCAttributes(t, l, w)
	walkRoutes(t, l, w, eni)
	walkNetworkACLs(t, l, w)
	walkDHCPOptions(t, l, w)
	walkBlocks(t, l, w)
	walkDefaults(t, l, w)
	walkPeerings(t, l, w)
	walkNewDefault(t, l)
}

func walkVPCAttributes(t *testing.T, l *lab, w world) {
	t.Helper()
	l.must("ModifyVpcAttribute", "VpcId="+w.vpc, "EnableDnsHostnames.Value=true")
	l.refused("InvalidParameterCombination", "ModifyVpcAttribute", "VpcId="+w.vpc)
	l.refused("InvalidParameterCombination", "ModifyVpcAttribute", "VpcId="+w.vpc, "EnableDnsHostnames.Value=true", "EnableDnsSupport.Value=true")
	for attribute, want := range map[string]string{
		"enableDnsHostnames": "true", "enableDnsSupport": "true", "enableNetworkAddressUsageMetrics": "false",
	} {
		if got := l.must("DescribeVpcAttribute", "VpcId="+w.vpc, "Attribute="+attribute).text(attribute + ".value"); got != want {
			t.Errorf("%s is %s, want %s", attribute, got, want)
		}
	}
	l.refused("InvalidParameterCombination", "ModifySubnetAttribute", "SubnetId="+w.subnet, "MapPublicIpOnLaunch.Value=true", "EnableDns64.Value=true")
	l.refused("InvalidParameterValue", "ModifySubnetAttribute", "SubnetId="+w.subnet, "AssignIpv6AddressOnCreation.Value=true")
	l.must("ModifySubnetAttribute", "SubnetId="+w.subnet, "PrivateDnsHostnameTypeOnLaunch=resource-name")
	l.must("ModifySubnetAttribute", "SubnetId="+w.subnet, "EnableResourceNameDnsARecordOnLaunch.Value=true")
	r := l.must("DescribeSubnets", "Filter.1.Name=private-dns-name-options-on-launch.hostname-type", "Filter.1.Value.1=resource-name")
	if r.text("subnetSet.1.subnetId") != w.subnet || r.text("subnetSet.1.privateDnsNameOptionsOnLaunch.enableResourceNameDnsARecord") != "true" {
		t.Errorf("subnet %s", r.raw)
	}
	if n := l.must("DescribeAccountAttributes").count("accountAttributeSet"); n != 6 {
		t.Errorf("%d attributes of the account", n)
	}
	r = l.must("DescribeAccountAttributes", "AttributeName.1=default-vpc")
	def := l.must("DescribeVpcs", "Filter.1.Name=is-default", "Filter.1.Value.1=true")
	if got := r.text("accountAttributeSet.1.attributeValueSet.1.attributeValue"); got != def.text("vpcSet.1.vpcId") {
		t.Errorf("default VPC %s, want that of %s", got, def.raw)
	}
	l.refused("InvalidParameterValue", "DescribeAccountAttributes", "AttributeName.1=shoe-size")
	if r = l.must("DescribeVpcs", "VpcId.1="+w.vpc); r.text("vpcSet.1.cidrBlockAssociationSet.1.cidrBlockState.state") != "associated" ||
		r.text("vpcSet.1.isDefault") != "false" || r.text("vpcSet.1.dhcpOptionsId")[:5] != "dopt-" {
		t.Errorf("VPC %s", r.raw)
	}
}

func walkRoutes(t *testing.T, l *lab, w world, eni string) {
	t.Helper()
	igw := l.must("CreateInternetGateway", "TagSpecification.1.ResourceType=internet-gateway", "TagSpecification.1.Tag.1.Key=a",
		"TagSpecification.1.Tag.1.Value=b").text("internetGateway.internetGatewayId")
	l.must("AttachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)
	l.refused("Resource.AlreadyAssociated", "AttachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)
	r := l.must("DescribeInternetGateways", "Filter.1.Name=attachment.vpc-id", "Filter.1.Value.1="+w.vpc, "Filter.2.Name=tag:a", "Filter.2.Value.1=b")
	if r.text("internetGatewaySet.1.internetGatewayId") != igw || r.text("internetGatewaySet.1.attachmentSet.1.state") != "available" {
		t.Errorf("gateway %s", r.raw)
	}
	eigw := l.must("CreateEgressOnlyInternetGateway", "VpcId="+w.vpc).text("egressOnlyInternetGateway.egressOnlyInternetGatewayId")
	if got := l.must("DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGatewayId.1="+eigw).text("egressOnlyInternetGatewaySet.1.attachmentSet.1.vpcId"); got != w.vpc {
		t.Errorf("egress-only gateway of %s", got)
	}

	table := l.must("CreateRouteTable", "VpcId="+w.vpc).text("routeTable.routeTableId")
	association := l.must("AssociateRouteTable", "RouteTableId="+table, "SubnetId="+w.subnet).text("associationId")
	l.must("CreateRoute", "RouteTableId="+table, "DestinationCidrBlock=0.0.0.0/0", "GatewayId="+igw)
	l.must("CreateRoute", "RouteTableId="+table, "DestinationIpv6CidrBlock=::/0", "EgressOnlyInternetGatewayId="+eigw)
	l.must("CreateRoute", "RouteTableId="+table, "DestinationCidrBlock=192.168.10.10/32", "NetworkInterfaceId="+eni)
	l.refused("RouteAlreadyExists", "CreateRoute", "RouteTableId="+table, "DestinationCidrBlock=0.0.0.0/0", "GatewayId="+igw)
	l.must("ReplaceRoute", "RouteTableId="+table, "DestinationCidrBlock=10.0.0.0/16", "NetworkInterfaceId="+eni)
	l.must("ReplaceRoute", "RouteTableId="+table, "DestinationCidrBlock=10.0.0.0/16", "LocalTarget=true")
	l.must("ReplaceRoute", "RouteTableId="+table, "DestinationCidrBlock=192.168.10.10/32", "InstanceId="+w.a)
	r = l.must("DescribeRouteTables", "Filter.1.Name=route.instance-id", "Filter.1.Value.1="+w.a, "Filter.2.Name=association.subnet-id", "Filter.2.Value.1="+w.subnet)
	for path, want := range map[string]string{
		"routeSet.1.gatewayId": "local", "routeSet.1.origin": "CreateRouteTable", "routeSet.1.state": "active",
		"routeSet.2.gatewayId": igw, "routeSet.2.destinationCidrBlock": "0.0.0.0/0", "routeSet.2.origin": "CreateRoute",
		"routeSet.3.egressOnlyInternetGatewayId": eigw, "routeSet.3.destinationIpv6CidrBlock": "::/0",
		"routeSet.4.instanceId": w.a, "routeSet.4.instanceOwnerId": DefaultAccount, "routeSet.4.state": "active",
		"associationSet.1.subnetId": w.subnet, "associationSet.1.main": "false", "associationSet.1.associationState.state": "associated",
	} {
		if got := r.text("routeTableSet.1." + path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	l.must("ReplaceRoute", "RouteTableId="+table, "DestinationCidrBlock=192.168.10.10/32", "NetworkInterfaceId="+eni)
	r = l.must("DescribeRouteTables", "RouteTableId.1="+table, "Filter.1.Name=route.state", "Filter.1.Value.1=blackhole")
	if r.text("routeTableSet.1.routeSet.4.state") != "blackhole" || r.text("routeTableSet.1.routeSet.4.instanceId") != "-" ||
		r.text("routeTableSet.1.routeSet.4.networkInterfaceId") != eni {
		t.Errorf("the route to an unattached ENI: %s", r.raw)
	}
	for _, destination := range []string{"DestinationCidrBlock=0.0.0.0/0", "DestinationCidrBlock=192.168.10.10/32", "DestinationIpv6CidrBlock=::/0"} {
		l.must("DeleteRoute", "RouteTableId="+table, destination)
	}
	l.refused("InvalidRoute.NotFound", "DeleteRoute", "RouteTableId="+table, "DestinationCidrBlock=0.0.0.0/0")
	other := l.must("CreateRouteTable", "VpcId="+w.vpc).text("routeTable.routeTableId")
	association = l.must("ReplaceRouteTableAssociation", "AssociationId="+association, "RouteTableId="+other).text("newAssociationId")
	l.refused("DependencyViolation", "DeleteRouteTable", "RouteTableId="+other)
	l.must("CreateTags", "ResourceId.1="+table, "ResourceId.2="+eigw, "ResourceId.3="+igw, "Tag.1.Key=walk", "Tag.1.Value=x")
	if n := l.must("DescribeTags", "Filter.1.Name=key", "Filter.1.Value.1=walk").count("tagSet"); n != 3 {
		t.Errorf("%d tags, want 3", n)
	}
	l.must("DisassociateRouteTable", "AssociationId="+association)
	l.must("DeleteRouteTable", "RouteTableId="+other)
	l.must("DeleteRouteTable", "RouteTableId="+table)
	l.refused("InvalidRouteTableID.NotFound", "DescribeRouteTables", "RouteTableId.1="+table)
	l.must("DeleteEgressOnlyInternetGateway", "EgressOnlyInternetGatewayId="+eigw)
	l.refused("DependencyViolation", "DeleteInternetGateway", "InternetGatewayId="+igw)
	l.must("DetachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)
	l.must("DeleteInternetGateway", "InternetGatewayId="+igw)
}

func walkNetworkACLs(t *testing.T, l *lab, w world) {
	t.Helper()
	acl := l.must("CreateNetworkAcl", "VpcId="+w.vpc).text("networkAcl.networkAclId")
	l.must("CreateNetworkAclEntry", "NetworkAclId="+acl, "RuleNumber=100", "Egress=false", "RuleAction=allow", "Protocol=6",
		"CidrBlock=0.0.0.0/0", "PortRange.From=80", "PortRange.To=443")
	l.must("CreateNetworkAclEntry", "NetworkAclId="+acl, "RuleNumber=110", "Egress=true", "RuleAction=deny", "Protocol=58",
		"Ipv6CidrBlock=::/0", "Icmp.Type=-1", "Icmp.Code=-1")
	l.refused("NetworkAclEntryAlreadyExists", "CreateNetworkAclEntry", "NetworkAclId="+acl, "RuleNumber=100", "Egress=false", "RuleAction=allow",
		"Protocol=-1", "CidrBlock=0.0.0.0/0")
	l.must("ReplaceNetworkAclEntry", "NetworkAclId="+acl, "RuleNumber=100", "Egress=false", "RuleAction=allow", "Protocol=17",
		"CidrBlock=0.0.0.0/0", "PortRange.From=53", "PortRange.To=53")
	old := l.must("DescribeNetworkAcls", "Filter.1.Name=association.subnet-id", "Filter.1.Value.1="+w.subnet).text("networkAclSet.1.associationSet.1.networkAclAssociationId")
	standard := l.must("DescribeNetworkAcls", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+w.vpc, "Filter.2.Name=default", "Filter.2.Value.1=true").text("networkAclSet.1.networkAclId")
	association := l.must("ReplaceNetworkAclAssociation", "AssociationId="+old, "NetworkAclId="+acl).text("newAssociationId")
	r := l.must("DescribeNetworkAcls", "Filter.1.Name=entry.port-range.from", "Filter.1.Value.1=53", "Filter.2.Name=entry.icmp.type", "Filter.2.Value.1=-1")
	for path, want := range map[string]string{
		"networkAclId": acl, "default": "false", "associationSet.1.subnetId": w.subnet, "associationSet.1.networkAclAssociationId": association,
		"entrySet.1.ruleNumber": "100", "entrySet.1.portRange.to": "53", "entrySet.1.protocol": "17", "entrySet.1.egress": "false",
		"entrySet.2.ruleNumber": "32767", "entrySet.2.ruleAction": "deny", "entrySet.2.cidrBlock": "0.0.0.0/0",
		"entrySet.3.icmpTypeCode.code": "-1", "entrySet.3.ipv6CidrBlock": "::/0", "entrySet.4.egress": "true", "entrySet.4.protocol": "-1",
	} {
		if got := r.text("networkAclSet.1." + path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if n := r.count("networkAclSet.1.entrySet"); n != 4 {
		t.Errorf("%d entries, want two and the two last ones", n)
	}
	l.refused("DependencyViolation", "DeleteNetworkAcl", "NetworkAclId="+acl)
	l.must("ReplaceNetworkAclAssociation", "AssociationId="+association, "NetworkAclId="+standard)
	l.must("DeleteNetworkAclEntry", "NetworkAclId="+acl, "RuleNumber=100", "Egress=false")
	l.refused("InvalidNetworkAclEntry.NotFound", "DeleteNetworkAclEntry", "NetworkAclId="+acl, "RuleNumber=100", "Egress=false")
	l.must("DeleteNetworkAcl", "NetworkAclId="+acl)
	l.refused("InvalidParameterValue", "DeleteNetworkAcl", "NetworkAclId="+standard)
}

func walkDHCPOptions(t *testing.T, l *lab, w world) {
	t.Helper()
	options := l.must("CreateDhcpOptions", "DhcpConfiguration.1.Key=domain-name", "DhcpConfiguration.1.Value.1=lab.test",
		"DhcpConfiguration.2.Key=domain-name-servers", "DhcpConfiguration.2.Value.1=10.0.0.2", "DhcpConfiguration.2.Value.2=10.0.0.3").text("dhcpOptions.dhcpOptionsId")
	l.refused("InvalidParameterValue", "CreateDhcpOptions", "DhcpConfiguration.1.Key=router", "DhcpConfiguration.1.Value.1=10.0.0.1")
	l.must("AssociateDhcpOptions", "DhcpOptionsId="+options, "VpcId="+w.vpc)
	r := l.must("DescribeDhcpOptions", "Filter.1.Name=value", "Filter.1.Value.1=10.0.0.3", "Filter.2.Name=key", "Filter.2.Value.1=domain-name*")
	if r.text("dhcpOptionsSet.1.dhcpOptionsId") != options || r.text("dhcpOptionsSet.1.dhcpConfigurationSet.2.valueSet.2.value") != "10.0.0.3" {
		t.Errorf("options %s", r.raw)
	}
	if got := l.must("DescribeVpcs", "Filter.1.Name=dhcp-options-id", "Filter.1.Value.1="+options).text("vpcSet.1.vpcId"); got != w.vpc {
		t.Errorf("%s has the options", got)
	}
	l.refused("DependencyViolation", "DeleteDhcpOptions", "DhcpOptionsId="+options)
	l.must("AssociateDhcpOptions", "DhcpOptionsId=default", "VpcId="+w.vpc)
	l.must("DeleteDhcpOptions", "DhcpOptionsId="+options)
	if got := l.must("DescribeVpcs", "VpcId.1="+w.vpc).text("vpcSet.1.dhcpOptionsId"); got != "default" {
		t.Errorf("the VPC has the options %s", got)
	}
}

func walkBlocks(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("AssociateVpcCidrBlock", "VpcId="+w.vpc, "AmazonProvidedIpv6CidrBlock=true")
	v6, association := r.text("ipv6CidrBlockAssociation.ipv6CidrBlock"), r.text("ipv6CidrBlockAssociation.associationId")
	extra := l.must("AssociateVpcCidrBlock", "VpcId="+w.vpc, "CidrBlock=100.64.0.0/16").text("cidrBlockAssociation.associationId")
	l.refused("InvalidVpc.Range", "AssociateVpcCidrBlock", "VpcId="+w.vpc, "CidrBlock=192.168.0.0/16")
	l.refused("UnsupportedOperation", "AssociateVpcCidrBlock", "VpcId="+w.vpc, "Ipv6Pool=mine")
	r = l.must("DescribeVpcs", "Filter.1.Name=ipv6-cidr-block-association.ipv6-cidr-block", "Filter.1.Value.1="+v6,
		"Filter.2.Name=cidr-block-association.cidr-block", "Filter.2.Value.1=100.64.0.0/16")
	for path, want := range map[string]string{
		"vpcId": w.vpc, "ipv6CidrBlockAssociationSet.1.ipv6CidrBlockState.state": "associated", "ipv6CidrBlockAssociationSet.1.ipv6Pool": "Amazon",
		"ipv6CidrBlockAssociationSet.1.networkBorderGroup": "us-east-1", "cidrBlockAssociationSet.2.associationId": extra,
	} {
		if got := r.text("vpcSet.1." + path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if n := l.must("DescribeNetworkAcls", "Filter.1.Name=association.subnet-id", "Filter.1.Value.1="+w.subnet).count("networkAclSet.1.entrySet"); n != 8 {
		t.Errorf("%d entries of a default network ACL with IPv6, want 100, 101, 32767 and 32768 twice", n)
	}
	block := strings.TrimSuffix(v6, "/56") + "/64"
	sub := l.must("AssociateSubnetCidrBlock", "SubnetId="+w.subnet, "Ipv6CidrBlock="+block).text("ipv6CidrBlockAssociation.associationId")
	l.must("ModifySubnetAttribute", "SubnetId="+w.subnet, "AssignIpv6AddressOnCreation.Value=true")
	r = l.must("DescribeSubnets", "Filter.1.Name=ipv6-cidr-block-association.association-id", "Filter.1.Value.1="+sub)
	if r.text("subnetSet.1.subnetId") != w.subnet || r.text("subnetSet.1.assignIpv6AddressOnCreation") != "true" ||
		r.text("subnetSet.1.ipv6CidrBlockAssociationSet.1.ipv6CidrBlock") != block {
		t.Errorf("subnet %s", r.raw)
	}
	l.refused("DependencyViolation", "DisassociateVpcCidrBlock", "AssociationId="+association)

	var kept []string
	for _, cidr := range []string{"10.0.1.128/28", block} {
		kept = append(kept, l.must("CreateSubnetCidrReservation", "SubnetId="+w.subnet, "Cidr="+cidr, "ReservationType=explicit",
			"Description=kept").text("subnetCidrReservation.subnetCidrReservationId"))
	}
	r = l.must("GetSubnetCidrReservations", "SubnetId="+w.subnet, "Filter.1.Name=reservationType", "Filter.1.Value.1=explicit")
	if r.text("subnetIpv4CidrReservationSet.1.cidr") != "10.0.1.128/28" || r.text("subnetIpv6CidrReservationSet.1.cidr") != block {
		t.Errorf("reservations %s", r.raw)
	}
	if got := l.must("DeleteSubnetCidrReservation", "SubnetCidrReservationId="+kept[0]).text("deletedSubnetCidrReservation.cidr"); got != "10.0.1.128/28" {
		t.Errorf("deleted %s", got)
	}
	r = l.must("DisassociateSubnetCidrBlock", "AssociationId="+sub)
	if got := r.text("ipv6CidrBlockAssociation.ipv6CidrBlockState.state"); got != "disassociating" {
		t.Errorf("the subnet's block is %s", got)
	}
	l.refused("InvalidSubnetCidrReservationID.NotFound", "DeleteSubnetCidrReservation", "SubnetCidrReservationId="+kept[1])
	l.must("DisassociateVpcCidrBlock", "AssociationId="+association)
	if got := l.must("DisassociateVpcCidrBlock", "AssociationId="+extra).text("cidrBlockAssociation.cidrBlock"); got != "100.64.0.0/16" {
		t.Errorf("disassociated %s", got)
	}
	r = l.must("CreateVpc", "CidrBlock=10.7.0.0/16", "AmazonProvidedIpv6CidrBlock=true")
	v6 = strings.TrimSuffix(r.text("vpc.ipv6CidrBlockAssociationSet.1.ipv6CidrBlock"), "/56") + "/64"
	made := l.must("CreateSubnet", "VpcId="+r.text("vpc.vpcId"), "CidrBlock=10.7.0.0/24", "Ipv6CidrBlock="+v6)
	if made.text("subnet.ipv6CidrBlockAssociationSet.1.ipv6CidrBlock") != v6 {
		t.Errorf("subnet %s", made.raw)
	}
	l.must("DeleteSubnet", "SubnetId="+made.text("subnet.subnetId"))
	l.must("DeleteVpc", "VpcId="+r.text("vpc.vpcId"))
}

func walkDefaults(t *testing.T, l *lab, w world) {
	t.Helper()
	l.refused("DefaultVpcAlreadyExists", "CreateDefaultVpc")
	l.refused("DefaultSubnetAlreadyExistsInAvailabilityZone", "CreateDefaultSubnet", "AvailabilityZone=us-east-1a")
	r := l.must("DescribeSubnets", "Filter.1.Name=default-for-az", "Filter.1.Value.1=true", "Filter.2.Name=availability-zone", "Filter.2.Value.1=us-east-1a")
	for _, names := range [][2]string{{"defaultForAz", "availabilityZone"}, {"default-for-az", "availability-zone"}} {
		old := l.must("DescribeSubnets", "Filter.1.Name="+names[0], "Filter.1.Value.1=true", "Filter.2.Name="+names[1], "Filter.2.Value.1=us-east-1a")
		if got, want := old.text("subnetSet.1.subnetId"), r.text("subnetSet.1.subnetId"); got != want || old.count("subnetSet") != 1 {
			t.Errorf("by %v: %s, want %s", names, got, want)
		}
	}
	if n := l.must("DescribeVpcs", "Filter.1.Name=isDefault", "Filter.1.Value.1=true").count("vpcSet"); n != 1 {
		t.Errorf("%d default VPCs by isDefault", n)
	}
	if r.count("subnetSet") != 1 || r.text("subnetSet.1.mapPublicIpOnLaunch") != "true" {
		t.Errorf("the default subnet: %s", r.raw)
	}
	l.must("DeleteSubnet", "SubnetId="+r.text("subnetSet.1.subnetId"))
	if got := l.must("CreateDefaultSubnet", "AvailabilityZoneId="+r.text("subnetSet.1.availabilityZoneId")).text("subnet.cidrBlock"); got != r.text("subnetSet.1.cidrBlock") {
		t.Errorf("made again with %s", got)
	}
	r = l.must("DescribeVpcClassicLink", "VpcId.1="+w.vpc)
	if r.text("vpcSet.1.classicLinkEnabled") != "false" || r.count("vpcSet") != 1 {
		t.Errorf("%s", r.raw)
	}
	if n := l.must("DescribeVpcClassicLink", "Filter.1.Name=is-classic-link-enabled", "Filter.1.Value.1=true").count("vpcSet"); n != 0 {
		t.Errorf("%d VPCs are linked to EC2-Classic", n)
	}
	if r = l.must("DescribeVpcClassicLinkDnsSupport", "VpcIds.1="+w.vpc); r.text("vpcs.1.classicLinkDnsSupported") != "false" {
		t.Errorf("%s", r.raw)
	}
}

func walkPeerings(t *testing.T, l *lab, w world) {
	t.Helper()
	peer := l.must("CreateVpc", "CidrBlock=10.8.0.0/16").text("vpc.vpcId")
	r := l.must("CreateVpcPeeringConnection", "VpcId="+w.vpc, "PeerVpcId="+peer, "PeerOwnerId="+DefaultAccount,
		"TagSpecification.1.ResourceType=vpc-peering-connection", "TagSpecification.1.Tag.1.Key=a", "TagSpecification.1.Tag.1.Value=b")
	id := r.text("vpcPeeringConnection.vpcPeeringConnectionId")
	if r.text("vpcPeeringConnection.status.code") != "initiating-request" || r.text("vpcPeeringConnection.accepterVpcInfo.cidrBlock") != "-" ||
		r.text("vpcPeeringConnection.requesterVpcInfo.cidrBlock") != "10.0.0.0/16" || r.text("vpcPeeringConnection.expirationTime") == "-" {
		t.Errorf("asked for: %s", r.raw)
	}
	l.refused("UnsupportedOperation", "CreateVpcPeeringConnection", "VpcId="+w.vpc, "PeerVpcId="+peer, "PeerOwnerId=210987654321")
	l.refused("VpcPeeringConnectionAlreadyExists", "CreateVpcPeeringConnection", "VpcId="+w.vpc, "PeerVpcId="+peer)
	if got := l.must("AcceptVpcPeeringConnection", "VpcPeeringConnectionId="+id).text("vpcPeeringConnection.accepterVpcInfo.cidrBlockSet.1.cidrBlock"); got != "10.8.0.0/16" {
		t.Errorf("the accepter's block is %s", got)
	}
	r = l.must("DescribeVpcPeeringConnections", "Filter.1.Name=status-code", "Filter.1.Value.1=active", "Filter.2.Name=tag:a", "Filter.2.Value.1=b")
	if r.text("vpcPeeringConnectionSet.1.vpcPeeringConnectionId") != id || r.text("vpcPeeringConnectionSet.1.status.message") != "Active" {
		t.Errorf("accepted: %s", r.raw)
	}
	l.must("DeleteVpcPeeringConnection", "VpcPeeringConnectionId="+id)
	l.refused("InvalidStateTransition", "AcceptVpcPeeringConnection", "VpcPeeringConnectionId="+id)
	id = l.must("CreateVpcPeeringConnection", "VpcId="+w.vpc, "PeerVpcId="+peer).text("vpcPeeringConnection.vpcPeeringConnectionId")
	l.must("RejectVpcPeeringConnection", "VpcPeeringConnectionId="+id)
	if got := l.must("DescribeVpcPeeringConnections", "VpcPeeringConnectionId.1="+id).text("vpcPeeringConnectionSet.1.status.code"); got != "rejected" {
		t.Errorf("rejected: %s", got)
	}
	l.must("DeleteVpc", "VpcId="+peer)
}

// walkNewDefault deletes the default VPC, of which no other walk may need
// anything, and makes another.
func walkNewDefault(t *testing.T, l *lab) {
	t.Helper()
	vpc := l.must("DescribeAccountAttributes", "AttributeName.1=default-vpc").text("accountAttributeSet.1.attributeValueSet.1.attributeValue")
	for _, s := range l.must("DescribeSubnets", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+vpc).at("subnetSet").Children {
		l.must("DeleteSubnet", "SubnetId="+s.text("subnetId"))
	}
	igw := l.must("DescribeInternetGateways", "Filter.1.Name=attachment.vpc-id", "Filter.1.Value.1="+vpc).text("internetGatewaySet.1.internetGatewayId")
	l.must("DetachInternetGateway", "InternetGatewayId="+igw, "VpcId="+vpc)
	l.must("DeleteVpc", "VpcId="+vpc)
	if got := l.must("DescribeAccountAttributes", "AttributeName.1=default-vpc").text("accountAttributeSet.1.attributeValueSet.1.attributeValue"); got != "none" {
		t.Errorf("default VPC %s", got)
	}
	l.refused("DefaultVpcDoesNotExist", "CreateDefaultSubnet", "AvailabilityZone=us-east-1a")
	if r := l.must("CreateDefaultVpc"); r.text("vpc.isDefault") != "true" || r.text("vpc.cidrBlock") != "172.31.0.0/16" {
		t.Errorf("the new default VPC: %s", r.raw)
	}
}
