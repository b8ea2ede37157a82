package ec2

import "testing"

// walkNetworks performs the actions on what is around a VPC, and leaves nothing
// but the world behind.
func walkNetworks(t *testing.T, l *lab, w world, eni string) {
	t.Helper()
	walkVPCAttributes(t, l, w)
	walkRoutes(t, l, w, eni)
	walkNetworkACLs(t, l, w)
	walkDHCPOptions(t, l, w)
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
	l.must("AssociateDhcpOptions", "DhcpOptionsId=default", "VpcId="+w.vpc)
	if got := l.must("DescribeVpcs", "VpcId.1="+w.vpc).text("vpcSet.1.dhcpOptionsId"); got != "default" {
		t.Errorf("the VPC has the options %s", got)
	}
}
