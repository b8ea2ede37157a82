package ec2

import "testing"

// errorRow is one row of a table of EC2's refusals: what is asked, and the code
// and text of the answer, which has status 400.
type errorRow struct {
	row, action string
	params      []string
	code, text  string
}

func (l *lab) refuses(t *testing.T, rows []errorRow) {
	for _, c := range rows {
		t.Run(c.row, func(t *testing.T) {
			r := l.ask(c.action, c.params...)
			if r.status != 400 || r.code() != c.code || r.message() != c.text {
				t.Errorf("%s %v\n%d %s: %s\nwant 400 %s: %s", c.action, c.params, r.status, r.code(), r.message(), c.code, c.text)
			}
		})
	}
}

func params(p ...string) []string { return p }

// errorWorld is a world with what the rows of both tables need.
type errorWorld struct {
	world
	free, used, attachment, primary, primaryAttachment string
	otherGroup, otherENI, otherVPC                     string
	pending, far, allocation, association, publicIP    string
}

func (l *lab) errorWorld() errorWorld {
	l.t.Helper()
	w := errorWorld{world: l.world()}
	w.free = l.must("CreateNetworkInterface", "SubnetId="+w.subnet, "PrivateIpAddress=10.0.1.50").text("networkInterface.networkInterfaceId")
	w.used = l.must("CreateNetworkInterface", "SubnetId="+w.subnet, "PrivateIpAddress=10.0.1.60").text("networkInterface.networkInterfaceId")
	w.attachment = l.must("AttachNetworkInterface", "NetworkInterfaceId="+w.used, "InstanceId="+w.a, "DeviceIndex=1").text("attachmentId")
	r := l.must("DescribeNetworkInterfaces", "Filter.1.Name=attachment.instance-id", "Filter.1.Value.1="+w.a,
		"Filter.2.Name=attachment.device-index", "Filter.2.Value.1=0")
	w.primary, w.primaryAttachment = r.text("networkInterfaceSet.1.networkInterfaceId"), r.text("networkInterfaceSet.1.attachment.attachmentId")

	w.otherVPC = l.must("CreateVpc", "CidrBlock=10.9.0.0/16").text("vpc.vpcId")
	w.otherGroup = l.must("DescribeSecurityGroups", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+w.otherVPC).text("securityGroupInfo.1.groupId")
	other := l.must("CreateSubnet", "VpcId="+w.otherVPC, "CidrBlock=10.9.1.0/24", "AvailabilityZone=us-east-1a").text("subnet.subnetId")
	w.otherENI = l.must("CreateNetworkInterface", "SubnetId="+other).text("networkInterface.networkInterfaceId")
	zone := l.must("CreateSubnet", "VpcId="+w.vpc, "CidrBlock=10.0.2.0/24", "AvailabilityZone=us-east-1b").text("subnet.subnetId")
	w.far = l.must("CreateNetworkInterface", "SubnetId="+zone).text("networkInterface.networkInterfaceId")

	igw := l.must("CreateInternetGateway").text("internetGateway.internetGatewayId")
	l.must("AttachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)
	r = l.must("AllocateAddress")
	w.allocation, w.publicIP = r.text("allocationId"), r.text("publicIp")
	w.association = l.must("AssociateAddress", "AllocationId="+w.allocation, "NetworkInterfaceId="+w.used).text("associationId")
	return w
}

// ec2-facts §1.10 over the wire; internal/control has them with the order of
// checks.
func TestInterfaceErrorRows(t *testing.T) {
	l := newLab(t)
	w := l.errorWorld()
	const none, noInstance, noAttachment = "eni-0123456789abcdef0", "i-0123456789abcdef0", "eni-attach-0123456789abcdef0"
	const image = "ImageId=ami-0123456789abcdef0"
	subnet := "SubnetId=" + w.subnet
	six := params("NetworkInterfaceId=" + w.free)
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		six = append(six, "SecurityGroupId."+number(i+1)+"="+l.must("CreateSecurityGroup", "VpcId="+w.vpc, "GroupName="+name, "GroupDescription=x").text("groupId"))
	}
	l.refuses(t, []errorRow{
		{"unknown ENI", "DescribeNetworkInterfaces", params("NetworkInterfaceId.1=" + none), "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + none + "' does not exist"},
		{"delete unknown ENI", "DeleteNetworkInterface", params("NetworkInterfaceId=" + none), "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + none + "' does not exist"},
		{"malformed ENI id", "DeleteNetworkInterface", params("NetworkInterfaceId=x"), "InvalidNetworkInterfaceID.Malformed", `Invalid id: "x" (expecting "eni-...")`},
		{"attachment unknown", "DetachNetworkInterface", params("AttachmentId=" + noAttachment), "InvalidAttachmentID.NotFound", "The network interface attachment ID '" + noAttachment + "' does not exist"},
		{"attachment id malformed", "DetachNetworkInterface", params("AttachmentId=" + none), "InvalidNetworkInterfaceAttachmentId.Malformed", `Invalid id: "` + none + `" (expecting "eni-attach-...")`},
		{"delete an in-use ENI", "DeleteNetworkInterface", params("NetworkInterfaceId=" + w.used), "InvalidParameterValue", "Network interface '" + w.used + "' is currently in use."},
		{"attach an in-use ENI", "AttachNetworkInterface", params("NetworkInterfaceId="+w.used, "InstanceId="+w.b, "DeviceIndex=1"), "InvalidParameterValue", "Network interface '" + w.used + "' is currently in use."},
		{"launch with in-use ENI", "RunInstances", params(image, "MinCount=1", "MaxCount=1", "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.NetworkInterfaceId="+w.used), "InvalidNetworkInterface.InUse", "Interface: [" + w.used + "] in use."},
		{"device index occupied", "AttachNetworkInterface", params("NetworkInterfaceId="+w.free, "InstanceId="+w.a, "DeviceIndex=1"), "InvalidParameterValue", "Instance '" + w.a + "' already has an interface attached at device index '1'."},
		{"detach primary", "DetachNetworkInterface", params("AttachmentId=" + w.primaryAttachment), "OperationNotPermitted", "The network interface at device index 0 cannot be detached."},
		{"different AZs", "AttachNetworkInterface", params("NetworkInterfaceId="+w.far, "InstanceId="+w.a, "DeviceIndex=2"), "InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone"},
		{"different VPCs", "AttachNetworkInterface", params("NetworkInterfaceId="+w.otherENI, "InstanceId="+w.a, "DeviceIndex=2"), "InvalidParameterCombination", "You may not attach a network interface to an instance in a different VPC"},
		{"unknown instance", "AttachNetworkInterface", params("NetworkInterfaceId="+w.free, "InstanceId="+noInstance, "DeviceIndex=2"), "InvalidInstanceID.NotFound", "The instance ID '" + noInstance + "' does not exist"},
		{"unknown instances", "DescribeInstances", params("InstanceId.1="+noInstance, "InstanceId.2=i-1123456789abcdef0"), "InvalidInstanceID.NotFound", "The instance IDs '" + noInstance + ", i-1123456789abcdef0' do not exist"},
		{"unknown subnet", "CreateNetworkInterface", params("SubnetId=subnet-0123456789abcdef0"), "InvalidSubnetID.NotFound", "The subnet ID 'subnet-0123456789abcdef0' does not exist"},
		{"unknown SG", "CreateNetworkInterface", params(subnet, "SecurityGroupId.1=sg-0123456789abcdef0"), "InvalidGroup.NotFound", "The security group 'sg-0123456789abcdef0' does not exist"},
		{"SG from other VPC on create ENI", "CreateNetworkInterface", params(subnet, "SecurityGroupId.1="+w.otherGroup), "InvalidGroup.NotFound", "You have specified two resources that belong to different networks."},
		{"SG vs subnet other VPC at RunInstances", "RunInstances", params(image, "MinCount=1", "MaxCount=1", subnet, "SecurityGroupId.1="+w.otherGroup), "InvalidParameter", "Security group " + w.otherGroup + " and subnet " + w.subnet + " belong to different networks."},
		{"more than 5 SGs on ENI", "ModifyNetworkInterfaceAttribute", six, "SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached."},
		{"IP outside subnet", "CreateNetworkInterface", params(subnet, "PrivateIpAddress=10.0.9.9"), "InvalidParameterValue", "Address does not fall within the subnet's address range"},
		{"IP outside subnet at RunInstances", "RunInstances", params(image, "MinCount=1", "MaxCount=1", subnet, "PrivateIpAddress=10.0.9.9"), "InvalidParameterValue", "Address 10.0.9.9 does not fall within the subnet's address range"},
		{"reserved IP", "CreateNetworkInterface", params(subnet, "PrivateIpAddress=10.0.1.2"), "InvalidParameterValue", "Address 10.0.1.2 is in subnet's reserved address range"},
		{"IP in use, create ENI", "CreateNetworkInterface", params(subnet, "PrivateIpAddress=10.0.1.50"), "InvalidIPAddress.InUse", "The specified address is already in use."},
		{"IP in use, RunInstances", "RunInstances", params(image, "MinCount=1", "MaxCount=1", subnet, "PrivateIpAddress=10.0.1.50"), "InvalidIPAddress.InUse", "Address 10.0.1.50 is in use."},
		{"assign IP owned by other ENI", "AssignPrivateIpAddresses", params("NetworkInterfaceId="+w.free, "PrivateIpAddress.1=10.0.1.60"), "InvalidParameterValue", "[10.0.1.60] assigned, but move is not allowed."},
		{"assign neither IP nor count", "AssignPrivateIpAddresses", params("NetworkInterfaceId=" + w.free), "InvalidParameter", "One of privateIpAddressSet or privateIpAddressCount or ipv4PrefixSet or ipv4PrefixCount must be specified."},
		{"assign both", "AssignPrivateIpAddresses", params("NetworkInterfaceId="+w.free, "PrivateIpAddress.1=10.0.1.61", "Ipv4PrefixCount=1"), "InvalidParameterCombination", "You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them."},
		{"unassign unknown IP", "UnassignPrivateIpAddresses", params("NetworkInterfaceId="+w.free, "PrivateIpAddress.1=10.0.1.61"), "InvalidParameterValue", "Some of the specified addresses are not assigned to interface " + w.free},
		{"unassign primary", "UnassignPrivateIpAddresses", params("NetworkInterfaceId="+w.free, "PrivateIpAddress.1=10.0.1.50"), "InvalidParameterValue", "Value (10.0.1.50) for parameter privateIpAddress is invalid. The primary IP address of an interface cannot be unassigned."},
		{"per-ENI IP limit", "AssignPrivateIpAddresses", params("NetworkInterfaceId="+w.used, "SecondaryPrivateIpAddressCount=6"), "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."},
		{"per-ENI IP limit at launch", "RunInstances", params(image, "InstanceType=t3.micro", "MinCount=1", "MaxCount=1", "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.NetworkInterfaceId="+w.wide(l)), "InvalidInterface.IpAddressLimitExceeded", "Interface " + w.wide(l) + " has 3 private addresses, which exceeds the limit of 2 for t3.micro"},
		{"too many ENIs", "AttachNetworkInterface", params("NetworkInterfaceId="+w.free, "InstanceId="+w.full(l), "DeviceIndex=3"), "AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"},
		{"subnet full", "RunInstances", params(image, "MinCount=100", "MaxCount=100", "SubnetId="+w.small(l)), "InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request."},
		{"no free /28", "CreateNetworkInterface", params("SubnetId="+w.small(l), "Ipv4PrefixCount=1"), "InsufficientCidrBlocks", "The specified subnet does not have enough free cidr blocks to satisfy the request."},
		{"NIC and instance-level subnet", "RunInstances", params(image, "MinCount=1", "MaxCount=1", subnet, "NetworkInterface.1.DeviceIndex=0"), "InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request"},
		{"NIC and instance-level groups", "RunInstances", params(image, "MinCount=1", "MaxCount=1", "SecurityGroupId.1="+w.group, "NetworkInterface.1.DeviceIndex=0"), "InvalidParameterCombination", "Network interfaces and an instance-level security groups may not be specified on the same request"},
		{"no attribute to modify", "ModifyNetworkInterfaceAttribute", params("NetworkInterfaceId=" + w.free), "InvalidParameterCombination", "No attributes specified."},
		{"two attributes to modify", "ModifyNetworkInterfaceAttribute", params("NetworkInterfaceId="+w.free, "Description.Value=x", "EnablePrimaryIpv6=true"), "InvalidParameterCombination", "Multiple attributes specified"},
	})
	// A dry run of what would succeed is refused too, with a status of its own.
	if r := l.ask("DeleteNetworkInterface", "NetworkInterfaceId="+w.free, "DryRun=true"); r.status != 412 || r.code() != "DryRunOperation" ||
		r.message() != "Request would have succeeded, but DryRun flag is set." {
		t.Errorf("dry run: %d %s", r.status, r.raw)
	}
	l.until("networkInterfaceSet.1.status", "available", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+w.free)
}

// wide is an ENI with three private addresses.
func (w *errorWorld) wide(l *lab) string {
	r := l.must("DescribeNetworkInterfaces", "Filter.1.Name=description", "Filter.1.Value.1=wide")
	if r.count("networkInterfaceSet") == 0 {
		return l.must("CreateNetworkInterface", "SubnetId="+w.subnet, "Description=wide", "SecondaryPrivateIpAddressCount=2").text("networkInterface.networkInterfaceId")
	}
	return r.text("networkInterfaceSet.1.networkInterfaceId")
}

// full is an instance with as many ENIs as its type takes.
func (w *errorWorld) full(l *lab) string {
	id := l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "InstanceType=t3.micro", "MinCount=1", "MaxCount=1",
		"NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.SubnetId="+w.subnet,
		"NetworkInterface.2.DeviceIndex=1", "NetworkInterface.2.SubnetId="+w.subnet).text("instancesSet.1.instanceId")
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "running", "DescribeInstances", "InstanceId.1="+id)
	return id
}

// small is a /28.
func (w *errorWorld) small(l *lab) string {
	r := l.must("DescribeSubnets", "Filter.1.Name=cidr-block", "Filter.1.Value.1=10.0.3.0/28")
	if r.count("subnetSet") == 0 {
		return l.must("CreateSubnet", "VpcId="+w.vpc, "CidrBlock=10.0.3.0/28").text("subnet.subnetId")
	}
	return r.text("subnetSet.1.subnetId")
}

// ec2-facts §2 over the wire.
func TestAddressErrorRows(t *testing.T) {
	l := newLab(t)
	w := l.errorWorld()
	const none, noAssociation = "eipalloc-0123456789abcdef0", "eipassoc-0123456789abcdef0"
	allocation, eni := "AllocationId="+w.allocation, "NetworkInterfaceId="+w.free
	l.refuses(t, []errorRow{
		{"unknown allocation", "AssociateAddress", params("AllocationId="+none, eni), "InvalidAllocationID.NotFound", "The allocation ID '" + none + "' does not exist"},
		{"describe unknown allocation", "DescribeAddresses", params("AllocationId.1=" + none), "InvalidAllocationID.NotFound", "The allocation ID '" + none + "' does not exist"},
		{"describe unknown address", "DescribeAddresses", params("PublicIp.1=9.9.9.9"), "InvalidAddress.NotFound", "Address '9.9.9.9' not found."},
		{"release unknown allocation", "ReleaseAddress", params("AllocationId=" + none), "InvalidAllocationID.NotFound", "The allocation ID '" + none + "' does not exist"},
		{"release an associated one, nondefault VPC", "ReleaseAddress", params(allocation), "InvalidIPAddress.InUse", "Address " + w.publicIP + " is in use."},
		{"unknown association", "DisassociateAddress", params("AssociationId=" + noAssociation), "InvalidAssociationID.NotFound", "The association ID '" + noAssociation + "' does not exist"},
		{"AllowReassociation=false on a mapped one", "AssociateAddress", params(allocation, eni, "AllowReassociation=false"), "Resource.AlreadyAssociated", "resource " + w.allocation + " is already associated with associate-id " + w.association},
		{"no internet gateway", "AssociateAddress", params(allocation, "NetworkInterfaceId="+w.otherENI), "Gateway.NotAttached", "Network " + w.otherVPC + " is not attached to any internet gateway"},
		{"ENI and instance", "AssociateAddress", params(allocation, eni, "InstanceId="+w.b), "InvalidParameterCombination", "You may specify network interface id or instance id, but not both in the same call"},
		{"instance with several ENIs", "AssociateAddress", params(allocation, "InstanceId="+w.a), "InvalidInstanceID", "There are multiple interfaces attached to instance '" + w.a + "'. Please specify an interface ID for the operation instead."},
		{"foreign private address", "AssociateAddress", params(allocation, eni, "PrivateIpAddress=10.0.1.99"), "InvalidParameterValue", "10.0.1.99 is not mapped to the interface " + w.free},
	})
	// Re-association is implicit, idempotent, and gives a new association.
	moved := l.must("AssociateAddress", allocation, "InstanceId="+w.b).text("associationId")
	if moved == w.association || l.must("AssociateAddress", allocation, "InstanceId="+w.b).text("associationId") != moved {
		t.Errorf("association %s became %s", w.association, moved)
	}
	if got := l.must("DescribeInstances", "InstanceId.1="+w.b).text("reservationSet.1.instancesSet.1.ipAddress"); got != w.publicIP {
		t.Errorf("DescribeInstances shows %s, want the Elastic IP %s", got, w.publicIP)
	}
	// It follows a secondary address to another ENI.
	l.must("AssignPrivateIpAddresses", eni, "PrivateIpAddress.1=10.0.1.80")
	l.must("AssociateAddress", allocation, eni, "PrivateIpAddress=10.0.1.80")
	l.must("AssignPrivateIpAddresses", "NetworkInterfaceId="+w.used, "PrivateIpAddress.1=10.0.1.80", "AllowReassignment=true")
	r := l.must("DescribeAddresses", "Filter.1.Name=network-interface-id", "Filter.1.Value.1="+w.used)
	if r.text("addressesSet.1.privateIpAddress") != "10.0.1.80" || r.text("addressesSet.1.instanceId") != w.a || r.text("addressesSet.1.subnetId") != w.subnet {
		t.Errorf("after the move of its address: %s", r.raw)
	}
	l.must("UnassignPrivateIpAddresses", "NetworkInterfaceId="+w.used, "PrivateIpAddress.1=10.0.1.80")
	if got := l.must("DescribeAddresses", "AllocationId.1="+w.allocation).text("addressesSet.1.associationId"); got != "-" {
		t.Errorf("still associated by %s after the address is gone", got)
	}
}
