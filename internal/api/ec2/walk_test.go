package ec2

import (
	"maps"
	"slices"
	"testing"
)

// TestEveryAction performs all implemented actions once, in one life of a
// laboratory. Every answer is judged by the model.
func TestEveryAction(t *testing.T) {
	l := newLab(t)
	w := l.world()

	if n := l.must("DescribeRegions").count("regionInfo"); n < 15 {
		t.Errorf("%d regions", n)
	}
	if got := l.must("DescribeAvailabilityZones").text("availabilityZoneInfo.1.zoneId"); got != "use1-az4" && got[:7] != "use1-az" {
		t.Errorf("zone id %s", got)
	}
	if got := l.must("DescribeVpcs", "VpcId.1="+w.vpc).text("vpcSet.1.cidrBlock"); got != "10.0.0.0/16" {
		t.Errorf("CIDR %s", got)
	}
	if got := l.must("DescribeVpcAttribute", "VpcId="+w.vpc, "Attribute=enableDnsSupport").text("enableDnsSupport.value"); got != "true" {
		t.Errorf("enableDnsSupport %s", got)
	}
	if got := l.must("DescribeSubnets", "SubnetId.1="+w.subnet).text("subnetSet.1.availableIpAddressCount"); got != "249" {
		t.Errorf("%s addresses left, want 251 less two instances", got)
	}
	walkGroups(t, l, w)
	eni := walkInterface(t, l, w)
	walkAddress(t, l, eni)
	walkInstances(t, l, w)
	walkTags(t, l, w, eni)
	walkNetworks(t, l, w, eni)
	walkAttributes(t, l, w)
	walkListed(t, l, w)
	walkLaunches(t, l, w)
	walkIPv6(t, l, w)
	walkNAT(t, l, w)
	walkPermissions(t, l, eni)
	walkRules(t, l, w)
	walkFlowLogs(t, l, w)
	walkInsights(t, l, w)
	walkVolumes(t, l, w)
	walkTemplates(t, l, w)
	walkEndpoints(t, l, w)
	walkTrunks(t, l, w)
	walkTransits(t, l, w)
	walkNone(t, l)

	l.must("DeleteNetworkInterface", "NetworkInterfaceId="+eni)
	for _, i := range []string{w.a, w.b} {
		l.must("TerminateInstances", "InstanceId.1="+i)
		l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+i)
	}
	l.must("DeleteSecurityGroup", "GroupId="+w.group)
	l.must("DeleteSubnet", "SubnetId="+w.subnet)
	l.must("DeleteVpc", "VpcId="+w.vpc)
	l.refused("InvalidVpcID.NotFound", "DescribeVpcs", "VpcId.1="+w.vpc)

	for _, action := range slices.Sorted(maps.Keys(handlers)) {
		if !l.answered[action] {
			t.Errorf("%s has no test", action)
		}
	}
}

func walkGroups(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("AuthorizeSecurityGroupIngress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=22",
		"IpPermissions.1.ToPort=22", "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0", "IpPermissions.1.IpRanges.1.Description=anyone",
		"IpPermissions.1.Groups.1.GroupId="+w.group)
	if n := r.count("securityGroupRuleSet"); n != 2 {
		t.Errorf("%d rules of two sources: %s", n, r.raw)
	}
	l.refused("InvalidPermission.Duplicate", "AuthorizeSecurityGroupIngress", "GroupId="+w.group, "IpProtocol=tcp", "FromPort=22",
		"ToPort=22", "CidrIp=0.0.0.0/0")
	l.must("AuthorizeSecurityGroupEgress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=udp", "IpPermissions.1.FromPort=53",
		"IpPermissions.1.ToPort=53", "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0")
	g := l.must("DescribeSecurityGroups", "GroupId.1="+w.group)
	if n := g.count("securityGroupInfo.1.ipPermissions"); n != 1 {
		t.Errorf("%d permissions, want the two sources in one: %s", n, g.raw)
	}
	if got := g.text("securityGroupInfo.1.ipPermissions.1.ipRanges.1.description"); got != "anyone" {
		t.Errorf("description %s", got)
	}
	if n := l.must("DescribeSecurityGroupRules", "Filter.1.Name=group-id", "Filter.1.Value.1="+w.group).count("securityGroupRuleSet"); n != 4 {
		t.Errorf("%d rules, want 4", n)
	}
	l.must("RevokeSecurityGroupIngress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=6", "IpPermissions.1.FromPort=22",
		"IpPermissions.1.ToPort=22", "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")
	l.refused("InvalidPermission.NotFound", "RevokeSecurityGroupIngress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=tcp",
		"IpPermissions.1.FromPort=22", "IpPermissions.1.ToPort=22", "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")
	egress := l.must("DescribeSecurityGroups", "GroupId.1="+w.group).at("securityGroupInfo.1.ipPermissionsEgress")
	if len(egress.Children) != 2 || egress.text("1.ipProtocol") != "-1" || egress.text("1.fromPort") != "-" {
		t.Errorf("egress %+v", egress)
	}
	l.must("RevokeSecurityGroupEgress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=udp", "IpPermissions.1.FromPort=53",
		"IpPermissions.1.ToPort=53", "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0")
}

func walkInterface(t *testing.T, l *lab, w world) string {
	t.Helper()
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet, "PrivateIpAddress=10.0.1.42", "SecurityGroupId.1="+w.group,
		"Description=<vip> & \"more\"").text("networkInterface.networkInterfaceId")
	attachment := l.must("AttachNetworkInterface", "NetworkInterfaceId="+eni, "InstanceId="+w.a, "DeviceIndex=1").text("attachmentId")
	r := l.until("networkInterfaceSet.1.attachment.status", "attached", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni)
	if got := r.text("networkInterfaceSet.1.description"); got != "<vip> & \"more\"" {
		t.Errorf("description %q", got)
	}
	for attribute, path := range map[string]string{
		"description": "description.value", "groupSet": "groupSet.1.groupId", "sourceDestCheck": "sourceDestCheck.value",
		"attachment": "attachment.attachmentId", "associatePublicIpAddress": "associatePublicIpAddress",
	} {
		if r := l.must("DescribeNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "Attribute="+attribute); r.at(path) == nil {
			t.Errorf("attribute %s: %s", attribute, r.raw)
		}
	}
	l.must("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "SourceDestCheck.Value=false")
	l.must("ResetNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "SourceDestCheck=")
	l.refused("InvalidParameterCombination", "ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eni)
	l.refused("InvalidParameterCombination", "ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "SourceDestCheck.Value=true",
		"Description.Value=x")
	got := l.must("AssignPrivateIpAddresses", "NetworkInterfaceId="+eni, "PrivateIpAddress.1=10.0.1.43")
	if got.text("assignedPrivateIpAddressesSet.1.privateIpAddress") != "10.0.1.43" {
		t.Errorf("assigned %s", got.raw)
	}
	l.must("UnassignPrivateIpAddresses", "NetworkInterfaceId="+eni, "PrivateIpAddress.1=10.0.1.43")
	l.must("DetachNetworkInterface", "AttachmentId="+attachment, "Force=true")
	l.until("networkInterfaceSet.1.status", "available", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni)
	return eni
}

func walkAddress(t *testing.T, l *lab, eni string) {
	t.Helper()
	r := l.must("AllocateAddress", "Domain=vpc")
	allocation, ip := r.text("allocationId"), r.text("publicIp")
	l.refused("Gateway.NotAttached", "AssociateAddress", "AllocationId="+allocation, "NetworkInterfaceId="+eni)
	vpc := l.must("DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni).text("networkInterfaceSet.1.vpcId")
	igw := l.must("CreateInternetGateway").text("internetGateway.internetGatewayId")
	l.must("AttachInternetGateway", "InternetGatewayId="+igw, "VpcId="+vpc)
	association := l.must("AssociateAddress", "AllocationId="+allocation, "NetworkInterfaceId="+eni).text("associationId")
	r = l.must("DescribeNetworkInterfaces", "Filter.1.Name=association.public-ip", "Filter.1.Value.1="+ip)
	if r.text("networkInterfaceSet.1.association.associationId") != association {
		t.Errorf("association %s, want %s", r.raw, association)
	}
	if got := l.must("DescribeAddresses", "PublicIp.1="+ip).text("addressesSet.1.privateIpAddress"); got != "10.0.1.42" {
		t.Errorf("private address %s", got)
	}
	l.refused("InvalidIPAddress.InUse", "ReleaseAddress", "AllocationId="+allocation)
	l.must("DisassociateAddress", "AssociationId="+association)
	l.refused("InvalidAssociationID.NotFound", "DisassociateAddress", "AssociationId="+association)
	l.must("ReleaseAddress", "AllocationId="+allocation)
	l.refused("InvalidAllocationID.NotFound", "ReleaseAddress", "AllocationId="+allocation)
	if got := l.must("AllocateAddress", "Address="+ip); got.text("publicIp") != ip {
		t.Errorf("recovered %s, want %s", got.raw, ip)
	}
	if n := l.must("DescribeAddressesAttribute", "Attribute=domain-name").count("addressSet"); n != 0 {
		t.Errorf("%d addresses have reverse names", n)
	}
	l.must("DetachInternetGateway", "InternetGatewayId="+igw, "VpcId="+vpc)
	l.must("DeleteInternetGateway", "InternetGatewayId="+igw)
}

func walkInstances(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("StopInstances", "InstanceId.1="+w.b)
	if r.text("instancesSet.1.previousState.name") != "running" || r.text("instancesSet.1.currentState.code") != "64" {
		t.Errorf("stopping: %s", r.raw)
	}
	l.until("reservationSet.1.instancesSet.1.instanceState.code", "80", "DescribeInstances", "InstanceId.1="+w.b)
	if n := l.must("DescribeInstanceStatus", "InstanceId.1="+w.b).count("instanceStatusSet"); n != 0 {
		t.Error("a stopped instance among the running")
	}
	if got := l.must("DescribeInstanceStatus", "InstanceId.1="+w.b, "IncludeAllInstances=true").text("instanceStatusSet.1.instanceStatus.status"); got != "not-applicable" {
		t.Errorf("status of a stopped instance: %s", got)
	}
	l.must("StartInstances", "InstanceId.1="+w.b)
	l.until("instanceStatusSet.1.instanceStatus.status", "ok", "DescribeInstanceStatus", "InstanceId.1="+w.b)
	l.must("RebootInstances", "InstanceId.1="+w.b)
	if _, err := l.svc.FailInstance(t.Context(), w.b, "freeze"); err != nil {
		t.Fatal(err)
	}
	r = l.must("DescribeInstanceStatus", "InstanceId.1="+w.b)
	if r.text("instanceStatusSet.1.instanceStatus.details.1.status") != "failed" || r.text("instanceStatusSet.1.systemStatus.status") != "ok" {
		t.Errorf("a frozen guest: %s", r.raw)
	}
	if got := l.must("DescribeInstanceTypes", "InstanceType.1=t3.medium").text("instanceTypeSet.1.networkInfo.maximumNetworkInterfaces"); got != "3" {
		t.Errorf("t3.medium takes %s ENIs, want 3", got)
	}
	timeouts := l.must("DescribeInstanceTypes", "InstanceType.1=c8a.12xlarge")
	for name, want := range map[string]string{"defaultTcpEstablishedTimeout": "350", "defaultUdpTimeout": "30", "defaultUdpStreamTimeout": "180"} {
		if got := timeouts.text("instanceTypeSet.1.networkInfo.connectionTrackingConfiguration." + name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func walkTags(t *testing.T, l *lab, w world, eni string) {
	t.Helper()
	l.must("CreateTags", "ResourceId.1="+eni, "ResourceId.2="+w.a, "Tag.1.Key=role", "Tag.1.Value=vip")
	if n := l.must("DescribeTags", "Filter.1.Name=key", "Filter.1.Value.1=role").count("tagSet"); n != 2 {
		t.Errorf("%d tags, want 2", n)
	}
	l.must("DeleteTags", "ResourceId.1="+eni, "Tag.1.Key=role", "Tag.1.Value=other")
	if got := l.must("DescribeTags", "Filter.1.Name=resource-id", "Filter.1.Value.1="+eni).text("tagSet.1.value"); got != "vip" {
		t.Errorf("a tag of another value was deleted: %s", got)
	}
	l.must("DeleteTags", "ResourceId.1="+eni, "Tag.1.Key=role")
	if n := l.must("DescribeTags", "Filter.1.Name=resource-id", "Filter.1.Value.1="+eni).count("tagSet"); n != 0 {
		t.Errorf("%d tags left", n)
	}
}
