package ec2

import (
	"strings"
	"testing"
)

// walkLaunches launches instances with all that RunInstances says, and looks
// for each where DescribeInstances shows it.
func walkLaunches(t *testing.T, l *lab, w world) {
	t.Helper()
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	l.must("ImportKeyPair", "KeyName=walk", "PublicKeyMaterial=c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUdwUzR0d3hPUE9qRVlUdVBrQ3VlNVlFSGE5bWtIVHVVaWJvaEJkdVpMdHo=")
	r := l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1", "InstanceType=m5.xlarge", "KeyName=walk",
		"UserData=IyEvYmluL3No", "ClientToken=walk-1", "EbsOptimized=true", "Monitoring.Enabled=true", "DisableApiTermination=true",
		"InstanceInitiatedShutdownBehavior=terminate", "MetadataOptions.HttpTokens=required", "MetadataOptions.HttpPutResponseHopLimit=2",
		"PrivateDnsNameOptions.HostnameType=resource-name", "PrivateDnsNameOptions.EnableResourceNameDnsARecord=true",
		"Placement.AvailabilityZone=us-east-1a",
		"NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.SubnetId="+w.subnet, "NetworkInterface.1.SecurityGroupId.1="+w.group,
		"NetworkInterface.1.PrivateIpAddresses.1.PrivateIpAddress=10.0.1.70", "NetworkInterface.1.PrivateIpAddresses.1.Primary=true",
		"NetworkInterface.1.PrivateIpAddresses.2.PrivateIpAddress=10.0.1.71",
		"NetworkInterface.1.ConnectionTrackingSpecification.UdpTimeout=45",
		"NetworkInterface.2.DeviceIndex=1", "NetworkInterface.2.NetworkInterfaceId="+eni,
		"NetworkInterface.3.DeviceIndex=2", "NetworkInterface.3.SubnetId="+w.subnet, "NetworkInterface.3.DeleteOnTermination=false",
		"NetworkInterface.3.Ipv4PrefixCount=1", "NetworkInterface.3.Description=pods",
		"TagSpecification.1.ResourceType=instance", "TagSpecification.1.Tag.1.Key=Name", "TagSpecification.1.Tag.1.Value=walk",
		"TagSpecification.3.ResourceType=volume", "TagSpecification.3.Tag.1.Key=disk", "TagSpecification.3.Tag.1.Value=root",
		"TagSpecification.2.ResourceType=network-interface", "TagSpecification.2.Tag.1.Key=of", "TagSpecification.2.Tag.1.Value=walk")
	id := r.text("instancesSet.1.instanceId")
	r = l.must("DescribeInstances", "Filter.1.Name=reservation-id", "Filter.1.Value.1="+r.text("reservationId"))
	for path, want := range map[string]string{
		"instanceId": id, "imageId": "ami-0123456789abcdef0", "keyName": "walk", "clientToken": "walk-1", "ebsOptimized": "true",
		"monitoring.state": "enabled", "metadataOptions.httpTokens": "required", "metadataOptions.httpPutResponseHopLimit": "2",
		"privateDnsNameOptions.hostnameType": "resource-name", "privateDnsNameOptions.enableResourceNameDnsARecord": "true",
		"privateDnsName": id + ".ec2.internal", "privateIpAddress": "10.0.1.70", "amiLaunchIndex": "0",
		"networkInterfaceSet.1.privateIpAddressesSet.2.privateIpAddress":   "10.0.1.71",
		"networkInterfaceSet.1.connectionTrackingConfiguration.udpTimeout": "45",
		"networkInterfaceSet.1.attachment.deleteOnTermination":             "true",
		"networkInterfaceSet.2.networkInterfaceId":                         eni,
		"networkInterfaceSet.2.attachment.deleteOnTermination":             "false",
		"networkInterfaceSet.3.description":                                "pods",
		"networkInterfaceSet.3.attachment.deleteOnTermination":             "false",
		"networkInterfaceSet.3.attachment.deviceIndex":                     "2",
	} {
		if got := r.text("reservationSet.1.instancesSet.1." + path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for filter, value := range map[string]string{
		"image-id": "ami-0123456789abcdef0", "key-name": "walk", "client-token": "walk-1", "launch-index": "0", "private-dns-name": id + ".*",
		"private-dns-name-options.hostname-type": "resource-name", "network-interface.ipv4-prefixes.ipv4-prefix": "10.0.1.*/28",
		"metadata-options.http-tokens": "required", "network-interface.attachment.device-index": "2",
	} {
		found := l.must("DescribeInstances", "Filter.1.Name="+filter, "Filter.1.Value.1="+value, "Filter.2.Name=instance-id", "Filter.2.Value.1="+id)
		if found.count("reservationSet") != 1 {
			t.Errorf("not found by %s=%s", filter, value)
		}
	}
	if got := l.must("DescribeInstanceAttribute", "InstanceId="+id, "Attribute=userData").text("userData.value"); got != "IyEvYmluL3No" {
		t.Errorf("user data %q", got)
	}
	volume := l.must("DescribeVolumes", "Filter.1.Name=tag:disk", "Filter.1.Value.1=root").text("volumeSet.1.volumeId")
	l.must("CreateTags", "ResourceId.1="+volume, "Tag.1.Key=more", "Tag.1.Value=1")
	if n := l.must("DescribeTags", "Filter.1.Name=resource-id", "Filter.1.Value.1="+volume).count("tagSet"); n != 2 {
		t.Errorf("%d tags on the root volume, want 2", n)
	}
	l.refused("OperationNotPermitted", "TerminateInstances", "InstanceId.1="+id)
	l.must("ModifyInstanceAttribute", "InstanceId="+id, "DisableApiTermination.Value=false")
	l.terminate(id)
	pods := l.must("DescribeNetworkInterfaces", "Filter.1.Name=description", "Filter.1.Value.1=pods")
	if pods.text("networkInterfaceSet.1.tagSet.1.value") != "walk" || pods.count("networkInterfaceSet.1.ipv4PrefixSet") != 1 {
		t.Errorf("the ENI that survives: %s", pods.raw)
	}
	l.must("DeleteNetworkInterface", "NetworkInterfaceId="+pods.text("networkInterfaceSet.1.networkInterfaceId"))
	l.must("DeleteNetworkInterface", "NetworkInterfaceId="+eni)
	l.must("DeleteKeyPair", "KeyName=walk")

	// Without a subnet: the default VPC's, with a public address and names.
	r = l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "MinCount=2", "MaxCount=2", "InstanceType=t3.micro", "SecurityGroup.1=default")
	if r.count("instancesSet") != 2 || r.text("instancesSet.2.amiLaunchIndex") != "1" {
		t.Errorf("launched %s", r.raw)
	}
	one, two := r.text("instancesSet.1.instanceId"), r.text("instancesSet.2.instanceId")
	described := l.must("DescribeInstances", "InstanceId.1="+one, "InstanceId.2="+two)
	if described.count("reservationSet") != 1 || described.count("reservationSet.1.instancesSet") != 2 {
		t.Errorf("one launch shows as %s", described.raw)
	}
	public := described.text("reservationSet.1.instancesSet.1.ipAddress")
	name := "ec2-" + strings.ReplaceAll(public, ".", "-") + ".compute-1.amazonaws.com"
	if got := described.text("reservationSet.1.instancesSet.1.dnsName"); got != name {
		t.Errorf("public name %q, want %q", got, name)
	}
	eth0 := l.must("DescribeNetworkInterfaces", "Filter.1.Name=association.public-dns-name", "Filter.1.Value.1="+name)
	if eth0.text("networkInterfaceSet.1.association.ipOwnerId") != "amazon" || eth0.text("networkInterfaceSet.1.association.allocationId") != "-" {
		t.Errorf("auto-assigned address: %s", eth0.raw)
	}
	if got := l.must("DescribeNetworkInterfaceAttribute", "NetworkInterfaceId="+eth0.text("networkInterfaceSet.1.networkInterfaceId"),
		"Attribute=associatePublicIpAddress").text("associatePublicIpAddress"); got != "true" {
		t.Errorf("associatePublicIpAddress %s", got)
	}
	l.must("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eth0.text("networkInterfaceSet.1.networkInterfaceId"), "AssociatePublicIpAddress=false")
	if got := l.must("DescribeInstances", "InstanceId.1="+eth0.text("networkInterfaceSet.1.attachment.instanceId")).
		text("reservationSet.1.instancesSet.1.ipAddress"); got != "-" {
		t.Errorf("the public address %s is still there", got)
	}
	l.terminate(one, two)

	for _, c := range []struct {
		code   string
		params []string
	}{
		{"InvalidParameterCombination", []string{"SubnetId=" + w.subnet, "NetworkInterface.1.DeviceIndex=0"}},
		{"InvalidParameterCombination", []string{"SecurityGroupId.1=" + w.group, "NetworkInterface.1.DeviceIndex=0"}},
		{"InvalidParameterCombination", []string{"SubnetId=" + w.subnet, "SecurityGroup.1=default"}},
		{"MissingParameter", []string{"NetworkInterface.1.SubnetId=" + w.subnet}},
		{"InvalidGroup.NotFound", []string{"SecurityGroup.1=nobody"}},
		{"InvalidKeyPair.NotFound", []string{"SubnetId=" + w.subnet, "KeyName=nobody"}},
		{"InvalidParameterValue", []string{"SubnetId=" + w.subnet, "UserData=!"}},
		{"InvalidParameterCombination", []string{"SubnetId=" + w.subnet, "InstanceType=m5.large", "CreditSpecification.CpuCredits=unlimited"}},
		{"InvalidLaunchTemplateName.NotFoundException", []string{"SubnetId=" + w.subnet, "LaunchTemplate.LaunchTemplateName=x"}},
	} {
		l.refused(c.code, "RunInstances", append([]string{"ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1"}, c.params...)...)
	}
}

// terminate ends instances and waits until their ENIs are free.
func (l *lab) terminate(ids ...string) {
	l.t.Helper()
	for _, id := range ids {
		l.must("TerminateInstances", "InstanceId.1="+id)
		l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+id)
	}
}

// walkIPv6 gives an ENI IPv6 addresses and prefixes in a VPC with a block.
func walkIPv6(t *testing.T, l *lab, _ world) {
	t.Helper()
	v := l.must("CreateVpc", "CidrBlock=10.6.0.0/16", "AmazonProvidedIpv6CidrBlock=true")
	vpc := v.text("vpc.vpcId")
	block := strings.Replace(v.text("vpc.ipv6CidrBlockAssociationSet.1.ipv6CidrBlock"), "/56", "/64", 1)
	sub := l.must("CreateSubnet", "VpcId="+vpc, "CidrBlock=10.6.0.0/24", "Ipv6CidrBlock="+block).text("subnet.subnetId")
	base := strings.TrimSuffix(block, "::/64")
	n := l.must("CreateNetworkInterface", "SubnetId="+sub, "Ipv6Addresses.1.Ipv6Address="+base+"::42", "EnablePrimaryIpv6=true",
		"ConnectionTrackingSpecification.TcpEstablishedTimeout=350", "ClientToken=six")
	eni := n.text("networkInterface.networkInterfaceId")
	if n.text("clientToken") != "six" || n.text("networkInterface.ipv6AddressesSet.1.isPrimaryIpv6") != "true" ||
		n.text("networkInterface.connectionTrackingConfiguration.tcpEstablishedTimeout") != "350" {
		t.Errorf("created %s", n.raw)
	}
	r := l.must("AssignIpv6Addresses", "NetworkInterfaceId="+eni, "Ipv6AddressCount=2", "Ipv6PrefixCount=1")
	added, prefix := r.text("assignedIpv6Addresses.1"), r.text("assignedIpv6PrefixSet.1")
	if r.count("assignedIpv6Addresses") != 2 || !strings.HasSuffix(prefix, "/80") {
		t.Errorf("assigned %s", r.raw)
	}
	found := l.must("DescribeNetworkInterfaces", "Filter.1.Name=ipv6-addresses.ipv6-address", "Filter.1.Value.1="+added)
	if found.text("networkInterfaceSet.1.networkInterfaceId") != eni || found.count("networkInterfaceSet.1.ipv6AddressesSet") != 3 ||
		found.text("networkInterfaceSet.1.ipv6PrefixSet.1.ipv6Prefix") != prefix {
		t.Errorf("found %s", found.raw)
	}
	l.must("UnassignIpv6Addresses", "NetworkInterfaceId="+eni, "Ipv6Addresses.1="+added, "Ipv6Prefix.1="+prefix)
	l.refused("InvalidParameterValue", "UnassignIpv6Addresses", "NetworkInterfaceId="+eni, "Ipv6Addresses.1="+base+"::42")
	l.must("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "ConnectionTrackingSpecification.UdpTimeout=30")
	l.must("DeleteNetworkInterface", "NetworkInterfaceId="+eni)
	l.must("DeleteSubnet", "SubnetId="+sub)
	l.must("DeleteVpc", "VpcId="+vpc)
}

// walkNAT makes a NAT gateway that works and one that fails.
func walkNAT(t *testing.T, l *lab, w world) {
	t.Helper()
	elastic := l.must("AllocateAddress")
	allocation := elastic.text("allocationId")
	l.refused("MissingParameter", "CreateNatGateway", "SubnetId="+w.subnet)
	l.refused("NatGatewayNotFound", "DescribeNatGateways", "NatGatewayId.1=nat-0123456789abcdef0")
	failing := l.must("CreateNatGateway", "SubnetId="+w.subnet, "AllocationId="+allocation).text("natGateway.natGatewayId")
	r := l.until("natGatewaySet.1.state", "failed", "DescribeNatGateways", "NatGatewayId.1="+failing)
	if r.text("natGatewaySet.1.failureCode") != "Gateway.NotAttached" {
		t.Errorf("failed: %s", r.raw)
	}
	igw := l.must("CreateInternetGateway").text("internetGateway.internetGatewayId")
	l.must("AttachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)

	r = l.must("CreateNatGateway", "SubnetId="+w.subnet, "AllocationId="+allocation, "PrivateIpAddress=10.0.1.200", "ClientToken=nat",
		"TagSpecification.1.ResourceType=natgateway", "TagSpecification.1.Tag.1.Key=a", "TagSpecification.1.Tag.1.Value=b")
	id := r.text("natGateway.natGatewayId")
	if r.text("natGateway.state") != "pending" || r.text("natGateway.natGatewayAddressSet.1.privateIp") != "10.0.1.200" || r.text("clientToken") != "nat" {
		t.Errorf("created %s", r.raw)
	}
	r = l.until("natGatewaySet.1.state", "available", "DescribeNatGateways", "Filter.1.Name=tag:a", "Filter.1.Value.1=b")
	eni := r.text("natGatewaySet.1.natGatewayAddressSet.1.networkInterfaceId")
	if r.text("natGatewaySet.1.natGatewayAddressSet.1.publicIp") != elastic.text("publicIp") || r.text("natGatewaySet.1.connectivityType") != "public" {
		t.Errorf("available %s", r.raw)
	}
	r = l.must("DescribeNetworkInterfaces", "Filter.1.Name=interface-type", "Filter.1.Value.1=nat_gateway")
	attachment := r.text("networkInterfaceSet.1.attachment.attachmentId")
	for path, want := range map[string]string{
		"networkInterfaceId": eni, "status": "in-use", "requesterManaged": "true", "description": "Interface for NAT Gateway " + id,
		"sourceDestCheck": "false", "association.allocationId": allocation, "attachment.instanceOwnerId": "amazon-aws", "attachment.status": "attached",
	} {
		if got := r.text("networkInterfaceSet.1." + path); got != want {
			t.Errorf("its ENI has %s %q, want %q", path, got, want)
		}
	}
	if got := l.must("DescribeAddresses", "AllocationId.1="+allocation).text("addressesSet.1.networkInterfaceId"); got != eni {
		t.Errorf("the Elastic IP leads to %s", got)
	}
	l.refused("OperationNotPermitted", "DetachNetworkInterface", "AttachmentId="+attachment)
	l.refused("AuthFailure", "DeleteNetworkInterface", "NetworkInterfaceId="+eni)
	l.refused("AuthFailure", "DisassociateAddress", "AssociationId="+r.text("networkInterfaceSet.1.association.associationId"))
	l.refused("InvalidIPAddress.InUse", "ReleaseAddress", "AllocationId="+allocation)
	l.refused("DependencyViolation", "DeleteSubnet", "SubnetId="+w.subnet)

	private := l.must("CreateNatGateway", "SubnetId="+w.subnet, "ConnectivityType=private").text("natGateway.natGatewayId")
	for _, id := range []string{id, private} {
		if got := l.must("DeleteNatGateway", "NatGatewayId="+id).text("natGatewayId"); got != id {
			t.Errorf("deleted %s", got)
		}
		l.until("natGatewaySet.1.state", "deleted", "DescribeNatGateways", "NatGatewayId.1="+id)
	}
	if n := l.must("DescribeNetworkInterfaces", "Filter.1.Name=requester-managed", "Filter.1.Value.1=true").count("networkInterfaceSet"); n != 0 {
		t.Errorf("%d ENIs are left of NAT gateways", n)
	}
	l.must("ReleaseAddress", "AllocationId="+allocation)
	l.must("DetachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)
	l.must("DeleteInternetGateway", "InternetGatewayId="+igw)
}

func walkPermissions(t *testing.T, l *lab, eni string) {
	t.Helper()
	r := l.must("CreateNetworkInterfacePermission", "NetworkInterfaceId="+eni, "AwsAccountId=111122223333", "Permission=INSTANCE-ATTACH")
	id := r.text("interfacePermission.networkInterfacePermissionId")
	l.refused("InvalidParameterValue", "CreateNetworkInterfacePermission", "NetworkInterfaceId="+eni, "AwsAccountId=111122223333", "Permission=ALL")
	l.refused("MissingParameter", "CreateNetworkInterfacePermission", "NetworkInterfaceId="+eni, "Permission=EIP-ASSOCIATE")
	r = l.must("DescribeNetworkInterfacePermissions", "Filter.1.Name=network-interface-permission.network-interface-id", "Filter.1.Value.1="+eni)
	if r.text("networkInterfacePermissions.1.permissionState.state") != "granted" || r.text("networkInterfacePermissions.1.awsAccountId") != "111122223333" {
		t.Errorf("described %s", r.raw)
	}
	l.must("DeleteNetworkInterfacePermission", "NetworkInterfacePermissionId="+id, "Force=true")
	l.refused("InvalidPermissionID.NotFound", "DeleteNetworkInterfacePermission", "NetworkInterfacePermissionId="+id)
}
