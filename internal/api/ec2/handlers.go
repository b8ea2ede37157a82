package ec2

// handlers are the implemented actions with the parameters each acts on.
var handlers = func() map[string]handler {
	t := make(map[string]handler)
	bindNetworks(t)
	bindRouting(t)
	bindPerimeter(t)
	bindBlocks(t)
	bindPeerings(t)
	bindGroups(t)
	bindInterfaces(t)
	bindPermissions(t)
	bindNATGateways(t)
	bindAddresses(t)
	bindInstances(t)
	bindTags(t)
	bindInstanceAttributes(t)
	bindVolumes(t)
	bindSnapshots(t)
	bindImages(t)
	bindOfferings(t)
	bindKeyPairs(t)
	bindRuleChanges(t)
	bindPrefixLists(t)
	bindFlowLogs(t)
	bindLaunchTemplates(t)
	bindEndpoints(t)
	bindTrunks(t)
	bindTransits(t)
	bindNone(t)
	return t
}()

func bindNetworks(t map[string]handler) {
	bind(t, "AllRegions RegionName Filter", describeRegions)
	// The laboratory has ordinary zones only, so that all of them are always shown.
	bind(t, "AllAvailabilityZones ZoneName ZoneId Filter", describeAvailabilityZones)

	bind(t, "AttributeName", describeAccountAttributes)

	bind(t, "CidrBlock TagSpecification InstanceTenancy AmazonProvidedIpv6CidrBlock", createVpc)
	bind(t, "VpcId Filter MaxResults NextToken", describeVpcs)
	bind(t, "VpcId Attribute", describeVpcAttribute)
	bind(t, "VpcId EnableDnsSupport EnableDnsHostnames EnableNetworkAddressUsageMetrics", modifyVpcAttribute)
	bind(t, "VpcId", deleteVpc)
	bind(t, "VpcId CidrBlock AvailabilityZone AvailabilityZoneId Ipv6CidrBlock TagSpecification Ipv6Native=false", createSubnet)
	bind(t, "SubnetId Filter MaxResults NextToken", describeSubnets)
	bind(t, "SubnetId MapPublicIpOnLaunch AssignIpv6AddressOnCreation EnableDns64 PrivateDnsHostnameTypeOnLaunch"+
		" EnableResourceNameDnsARecordOnLaunch EnableResourceNameDnsAAAARecordOnLaunch", modifySubnetAttribute)
	bind(t, "SubnetId", deleteSubnet)
}

func bindBlocks(t map[string]handler) {
	bind(t, "VpcId CidrBlock AmazonProvidedIpv6CidrBlock", associateVpcCidrBlock)
	bind(t, "AssociationId", disassociateVpcCidrBlock)
	bind(t, "SubnetId Ipv6CidrBlock", associateSubnetCidrBlock)
	bind(t, "AssociationId", disassociateSubnetCidrBlock)
	bind(t, "SubnetId Cidr ReservationType Description TagSpecification", createSubnetCidrReservation)
	bind(t, "SubnetId Filter MaxResults NextToken", getSubnetCidrReservations)
	bind(t, "SubnetCidrReservationId", deleteSubnetCidrReservation)
	bind(t, "", createDefaultVpc)
	bind(t, "AvailabilityZone AvailabilityZoneId Ipv6Native=false", createDefaultSubnet)
	bind(t, "VpcId Filter", describeVpcClassicLink)
	bind(t, "VpcIds MaxResults NextToken", describeVpcClassicLinkDNSSupport)
}

func bindPeerings(t map[string]handler) {
	bind(t, "VpcId PeerVpcId PeerRegion PeerOwnerId TagSpecification", createVpcPeeringConnection)
	bind(t, "VpcPeeringConnectionId Filter MaxResults NextToken", describeVpcPeeringConnections)
	bind(t, "VpcPeeringConnectionId", acceptVpcPeeringConnection)
	bind(t, "VpcPeeringConnectionId", rejectVpcPeeringConnection)
	bind(t, "VpcPeeringConnectionId", deleteVpcPeeringConnection)
}

func bindRouting(t map[string]handler) {
	const destination = "RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId"
	const target = " GatewayId EgressOnlyInternetGatewayId NatGatewayId NetworkInterfaceId InstanceId VpcPeeringConnectionId" +
		" TransitGatewayId"
	bind(t, "VpcId TagSpecification", createRouteTable)
	bind(t, "RouteTableId Filter MaxResults NextToken", describeRouteTables)
	bind(t, "RouteTableId", deleteRouteTable)
	bind(t, "RouteTableId SubnetId GatewayId", associateRouteTable)
	bind(t, "AssociationId", disassociateRouteTable)
	bind(t, "AssociationId RouteTableId", replaceRouteTableAssociation)
	bind(t, destination+target, createRoute)
	bind(t, destination+target+" LocalTarget", replaceRoute)
	bind(t, destination, deleteRoute)
}

// bindPerimeter binds what stands between a VPC or a subnet and the rest.
func bindPerimeter(t map[string]handler) {
	bind(t, "TagSpecification", createInternetGateway)
	bind(t, "InternetGatewayId Filter MaxResults NextToken", describeInternetGateways)
	bind(t, "InternetGatewayId VpcId", attachInternetGateway)
	bind(t, "InternetGatewayId VpcId", detachInternetGateway)
	bind(t, "InternetGatewayId", deleteInternetGateway)
	bind(t, "VpcId TagSpecification", createEgressOnlyInternetGateway)
	bind(t, "EgressOnlyInternetGatewayId Filter MaxResults NextToken", describeEgressOnlyInternetGateways)
	bind(t, "EgressOnlyInternetGatewayId", deleteEgressOnlyInternetGateway)

	const entry = "NetworkAclId RuleNumber Egress RuleAction Protocol CidrBlock Ipv6CidrBlock PortRange Icmp"
	bind(t, "VpcId TagSpecification", createNetworkACL)
	bind(t, "NetworkAclId Filter MaxResults NextToken", describeNetworkACLs)
	bind(t, "NetworkAclId", deleteNetworkACL)
	bind(t, entry, createNetworkACLEntry)
	bind(t, entry, replaceNetworkACLEntry)
	bind(t, "NetworkAclId RuleNumber Egress", deleteNetworkACLEntry)
	bind(t, "AssociationId NetworkAclId", replaceNetworkACLAssociation)

	bind(t, "DhcpConfiguration TagSpecification", createDhcpOptions)
	bind(t, "DhcpOptionsId Filter MaxResults NextToken", describeDhcpOptions)
	bind(t, "DhcpOptionsId VpcId", associateDhcpOptions)
	bind(t, "DhcpOptionsId", deleteDhcpOptions)
}

func bindGroups(t map[string]handler) {
	const permissions = " IpPermissions.IpProtocol IpPermissions.FromPort IpPermissions.ToPort IpPermissions.IpRanges" +
		" IpPermissions.Ipv6Ranges IpPermissions.PrefixListIds IpPermissions.Groups.GroupId IpPermissions.Groups.GroupName" +
		" IpPermissions.Groups.UserId IpPermissions.Groups.VpcId IpPermissions.Groups.VpcPeeringConnectionId" +
		" IpPermissions.Groups.Description IpProtocol FromPort ToPort CidrIp SourceSecurityGroupName SourceSecurityGroupOwnerId"
	bind(t, "GroupName GroupDescription VpcId TagSpecification", createSecurityGroup)
	bind(t, "GroupId GroupName Filter MaxResults NextToken", describeSecurityGroups)
	bind(t, "GroupId GroupName", deleteSecurityGroup)
	bind(t, "SecurityGroupRuleId Filter MaxResults NextToken", describeSecurityGroupRules)
	bind(t, "GroupId GroupName TagSpecification"+permissions, authorizeIngress)
	bind(t, "GroupId TagSpecification"+permissions, authorizeEgress)
	bind(t, "GroupId GroupName SecurityGroupRuleId"+permissions, revokeIngress)
	bind(t, "GroupId SecurityGroupRuleId"+permissions, revokeEgress)
}

func bindInterfaces(t map[string]handler) {
	bind(t, "SubnetId Description SecurityGroupId PrivateIpAddress PrivateIpAddresses SecondaryPrivateIpAddressCount"+
		" Ipv4Prefix Ipv4PrefixCount Ipv6Addresses Ipv6AddressCount Ipv6Prefix Ipv6PrefixCount EnablePrimaryIpv6"+
		" ConnectionTrackingSpecification TagSpecification InterfaceType", createNetworkInterface)
	bind(t, "NetworkInterfaceId Filter MaxResults NextToken IncludeManagedResources", describeNetworkInterfaces)
	bind(t, "NetworkInterfaceId", deleteNetworkInterface)
	bind(t, "NetworkInterfaceId Attribute", describeNetworkInterfaceAttribute)
	bind(t, "NetworkInterfaceId Description SecurityGroupId SourceDestCheck Attachment.AttachmentId"+
		" Attachment.DeleteOnTermination ConnectionTrackingSpecification EnablePrimaryIpv6 AssociatePublicIpAddress",
		modifyNetworkInterfaceAttribute)
	bind(t, "NetworkInterfaceId SourceDestCheck", resetNetworkInterfaceAttribute)
	bind(t, "NetworkInterfaceId InstanceId DeviceIndex NetworkCardIndex", attachNetworkInterface)
	bind(t, "AttachmentId Force", detachNetworkInterface)
	bind(t, "NetworkInterfaceId PrivateIpAddress SecondaryPrivateIpAddressCount Ipv4Prefix Ipv4PrefixCount AllowReassignment",
		assignPrivateIPAddresses)
	bind(t, "NetworkInterfaceId PrivateIpAddress Ipv4Prefix", unassignPrivateIPAddresses)
	bind(t, "NetworkInterfaceId Ipv6Addresses Ipv6AddressCount Ipv6Prefix Ipv6PrefixCount", assignIpv6Addresses)
	bind(t, "NetworkInterfaceId Ipv6Addresses Ipv6Prefix", unassignIpv6Addresses)
}

func bindAddresses(t map[string]handler) {
	bind(t, "Domain=vpc PublicIpv4Pool=amazon NetworkBorderGroup Address TagSpecification", allocateAddress)
	bind(t, "AllocationId PublicIp NetworkInterfaceId InstanceId PrivateIpAddress AllowReassociation", associateAddress)
	bind(t, "AssociationId PublicIp", disassociateAddress)
	bind(t, "AllocationId PublicIp NetworkBorderGroup", releaseAddress)
	bind(t, "AllocationId PublicIp Filter", describeAddresses)
	bind(t, "AllocationId Attribute MaxResults NextToken", describeAddressesAttribute)
}

func bindInstances(t map[string]handler) {
	// Any image is taken and none is booted: the guests are enilab's own.
	bind(t, "LaunchTemplate.LaunchTemplateId LaunchTemplate.LaunchTemplateName LaunchTemplate.Version"+
		" ImageId InstanceType MinCount MaxCount SubnetId SecurityGroupId SecurityGroup PrivateIpAddress Ipv6Address"+
		" Ipv6AddressCount EnablePrimaryIpv6 TagSpecification KeyName UserData"+
		" "+mappingParams+
		" Placement.AvailabilityZone Placement.AvailabilityZoneId Placement.Tenancy"+
		" Placement.HostId Placement.Affinity"+
		" IamInstanceProfile.Name IamInstanceProfile.Arn Placement.GroupName= CpuOptions.CoreCount CpuOptions.ThreadsPerCore"+
		" NetworkPerformanceOptions.BandwidthWeighting=default EbsOptimized Monitoring.Enabled"+
		" DisableApiTermination DisableApiStop InstanceInitiatedShutdownBehavior CreditSpecification.CpuCredits"+
		" MetadataOptions.HttpTokens MetadataOptions.HttpEndpoint MetadataOptions.HttpPutResponseHopLimit"+
		" MetadataOptions.HttpProtocolIpv6 MetadataOptions.InstanceMetadataTags"+
		" PrivateDnsNameOptions.HostnameType PrivateDnsNameOptions.EnableResourceNameDnsARecord"+
		" PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord MaintenanceOptions.AutoRecovery=default"+
		" EnclaveOptions.Enabled=false HibernationOptions.Configured"+
		" CapacityReservationSpecification.CapacityReservationPreference=open"+
		" NetworkInterface.DeviceIndex NetworkInterface.NetworkCardIndex NetworkInterface.NetworkInterfaceId"+
		" NetworkInterface.SubnetId NetworkInterface.SecurityGroupId NetworkInterface.Description"+
		" NetworkInterface.PrivateIpAddress NetworkInterface.PrivateIpAddresses NetworkInterface.SecondaryPrivateIpAddressCount"+
		" NetworkInterface.Ipv4Prefix NetworkInterface.Ipv4PrefixCount NetworkInterface.Ipv6Addresses"+
		" NetworkInterface.Ipv6AddressCount NetworkInterface.Ipv6Prefix NetworkInterface.Ipv6PrefixCount"+
		" NetworkInterface.PrimaryIpv6 NetworkInterface.DeleteOnTermination NetworkInterface.AssociatePublicIpAddress"+
		" NetworkInterface.InterfaceType NetworkInterface.ConnectionTrackingSpecification"+
		" NetworkInterface.EnaSrdSpecification.EnaSrdEnabled=false"+
		" NetworkInterface.EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled=false", runInstances)
	bind(t, "InstanceId Filter MaxResults NextToken IncludeManagedResources", describeInstances)
	bind(t, "InstanceId", startInstances)
	bind(t, "InstanceId Force Hibernate", stopInstances)
	bind(t, "InstanceId", rebootInstances)
	// Every guest here can be switched off at once, whether forced or not.
	bind(t, "InstanceId Force SkipOsShutdown", terminateInstances)
	bind(t, "InstanceId IncludeAllInstances Filter MaxResults NextToken IncludeManagedResources", describeInstanceStatus)
	bind(t, "InstanceType Filter MaxResults NextToken", describeInstanceTypes)
}

func bindTags(t map[string]handler) {
	bind(t, "ResourceId Tag", createTags)
	bind(t, "ResourceId Tag", deleteTags)
	bind(t, "Filter MaxResults NextToken", describeTags)
}
