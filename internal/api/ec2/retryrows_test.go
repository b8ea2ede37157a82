package ec2

import (
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// Codes and texts that the retry loops, waiters and error handlers of clients
// look for.
func TestRetryRows(t *testing.T) {
	l := newLab(t)
	w := l.errorWorld()
	slow := func(op control.Operation) {
		t.Helper()
		if _, err := l.svc.ChangeTiming(t.Context(), func(now control.Timing) (control.Timing, error) {
			return now.With(op, control.Fixed(time.Hour)), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	const image, none = "ImageId=ami-0123456789abcdef0", "eigw-0123456789abcdef0"
	run := func(more ...string) []string { return append(params(image, "MinCount=1", "MaxCount=1"), more...) }
	dead := l.must("RunInstances", run("SubnetId="+w.subnet)...).text("instancesSet.1.instanceId")
	l.must("TerminateInstances", "InstanceId.1="+dead)
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+dead)
	slow(control.OpLaunch)
	young := l.must("RunInstances", run("SubnetId="+w.subnet)...).text("instancesSet.1.instanceId")
	r := l.must("DescribeNetworkInterfaces", "Filter.1.Name=attachment.instance-id", "Filter.1.Value.1="+young)
	youngENI := r.text("networkInterfaceSet.1.networkInterfaceId")
	rule := l.must("DescribeSecurityGroupRules", "Filter.1.Name=group-id", "Filter.1.Value.1="+w.group).text("securityGroupRuleSet.1.securityGroupRuleId")
	table := l.must("DescribeRouteTables", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+w.vpc).text("routeTableSet.1.routeTableId")
	igw := l.must("CreateInternetGateway").text("internetGateway.internetGatewayId")
	// The default VPC keeps a subnet in zone a only.
	for _, s := range l.must("DescribeSubnets", "Filter.1.Name=default-for-az", "Filter.1.Value.1=true").at("subnetSet").Children {
		if s.text("availabilityZone") != "us-east-1a" {
			l.must("DeleteSubnet", "SubnetId="+s.text("subnetId"))
		}
	}
	allocation, change := "AllocationId="+w.allocation, "SecurityGroupRule.1.SecurityGroupRuleId="+rule
	tags := func(n, kind string) []string {
		return []string{"TagSpecification." + n + ".ResourceType=" + kind, "TagSpecification." + n + ".Tag.1.Key=a", "TagSpecification." + n + ".Tag.1.Value=b"}
	}
	const source = "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId"
	l.refuses(t, []errorRow{
		{"associate with a pending instance", "AssociateAddress", params(allocation, "InstanceId="+young), "InvalidInstanceID", "The pending instance '" + young + "' is not in a valid state for this operation."},
		{"associate with a terminated instance", "AssociateAddress", params(allocation, "InstanceId="+dead), "InvalidInstanceID", "The terminated instance '" + dead + "' is not in a valid state for this operation."},
		{"associate with a pending instance's ENI", "AssociateAddress", params(allocation, "NetworkInterfaceId="+youngENI), "IncorrectInstanceState", "The pending-instance-creation instance to which '" + youngENI + "' is attached is not in a valid state for this operation"},
		{"associate a foreign address", "AssociateAddress", params(allocation, "NetworkInterfaceId="+w.free, "PrivateIpAddress=10.0.1.99"), "InvalidParameterValue", "10.0.1.99 is not mapped to the interface " + w.free},

		{"malformed VPC, described", "DescribeVpcs", params("VpcId.1=x"), "InvalidVpcID.NotFound", "The vpc ID 'x' does not exist"},
		{"malformed subnet, described", "DescribeSubnets", params("SubnetId.1=subnet-none"), "InvalidSubnetID.NotFound", "The subnet ID 'subnet-none' does not exist"},
		{"malformed VPC, of a subnet", "CreateSubnet", params("VpcId=None", "CidrBlock=10.0.0.0/24"), "InvalidVpcID.NotFound", "The vpc ID 'None' does not exist"},
		{"malformed route table, associated", "AssociateRouteTable", params("RouteTableId=x", "SubnetId="+w.subnet), "InvalidRouteTableID.NotFound", "The routeTable ID 'x' does not exist"},
		{"malformed subnet, associated", "AssociateRouteTable", params("RouteTableId="+table, "SubnetId=x"), "InvalidSubnetID.NotFound", "The subnet ID 'x' does not exist"},
		{"malformed VPC, of a gateway", "AttachInternetGateway", params("InternetGatewayId="+igw, "VpcId=x"), "InvalidVpcId.Malformed", `Invalid id: "x" (expecting "vpc-...")`},
		{"malformed gateway", "AttachInternetGateway", params("InternetGatewayId=x", "VpcId="+w.vpc), "InvalidInternetGatewayId.Malformed", `Invalid id: "x" (expecting "igw-...")`},
		{"malformed group, described", "DescribeSecurityGroups", params("GroupId.1=" + w.a), "InvalidGroupId.Malformed", `Invalid id: "` + w.a + `" (expecting "sg-...")`},
		{"malformed group, deleted", "DeleteSecurityGroup", params("GroupId=x"), "InvalidGroupId.Malformed", "The security group ID 'x' is malformed"},
		{"malformed group, of rules", "DescribeSecurityGroupRules", params("Filter.1.Name=group-id", "Filter.1.Value.1=x"), "InvalidGroupId.Malformed", "The security group ID 'x' is malformed"},
		{"malformed group, authorized", "AuthorizeSecurityGroupIngress", params("GroupId=x", "IpProtocol=-1", "CidrIp=0.0.0.0/0"), "InvalidGroupId.Malformed", `Invalid id: "x" (expecting "sg-...")`},

		{"unknown egress-only gateway", "DeleteEgressOnlyInternetGateway", params("EgressOnlyInternetGatewayId=" + none), "InvalidGatewayID.NotFound", "The gateway ID '" + none + "' does not exist"},
		{"route to an unknown gateway", "CreateRoute", params("RouteTableId="+table, "DestinationCidrBlock=0.0.0.0/0", "GatewayId=igw-0123456789abcdef0"), "InvalidGatewayID.NotFound", "The gateway ID 'igw-0123456789abcdef0' does not exist"},
		{"route to an unknown NAT gateway as gateway", "CreateRoute", params("RouteTableId="+table, "DestinationCidrBlock=0.0.0.0/0", "GatewayId=nat-0123456789abcdef0"), "InvalidGatewayID.NotFound", "The gateway ID 'nat-0123456789abcdef0' does not exist"},
		{"route to an instance as gateway", "CreateRoute", params("RouteTableId="+table, "DestinationCidrBlock=0.0.0.0/0", "GatewayId="+w.a), "InvalidGatewayID.NotFound", "The gateway ID '" + w.a + "' does not exist"},
		{"route to a malformed gateway", "ReplaceRoute", params("RouteTableId="+table, "DestinationCidrBlock=10.0.0.0/16", "GatewayId=x"), "InvalidGatewayID.NotFound", "The gateway ID 'x' does not exist"},

		{"terminate nothing", "TerminateInstances", nil, "InvalidParameterCombination", "No instances specified"},
		{"stop nothing", "StopInstances", nil, "InvalidParameterCombination", "No instances specified"},
		{"monitor nothing", "MonitorInstances", nil, "MissingParameter", "The request must contain the parameter instancesSet"},
		{"tag nothing", "CreateTags", params("Tag.1.Key=a"), "MissingParameter", "The request must contain the parameter resourceIdSet"},
		{"untag nothing", "DeleteTags", params("Tag.1.Key=a"), "MissingParameter", "The request must contain the parameter resourceIdSet"},
		{"tag with nothing", "CreateTags", params("ResourceId.1=" + w.vpc), "MissingParameter", "The request must contain the parameter tagSet"},
		{"log nothing", "CreateFlowLogs", params("ResourceType=VPC", "TrafficType=ALL"), "MissingParameter", "The request must contain the parameter resourceIdSet"},
		{"end no logs", "DeleteFlowLogs", nil, "MissingParameter", "The request must contain the parameter flowLogIdSet"},
		{"route without a table", "CreateRoute", params("DestinationCidrBlock=0.0.0.0/0", "GatewayId="+igw), "MissingParameter", "The request must contain the parameter routeTableId"},

		{"rule without a source", "ModifySecurityGroupRules", params("GroupId="+w.group, change, "SecurityGroupRule.1.SecurityGroupRule.IpProtocol=-1"), "MissingParameter", source},
		{"rule with two sources", "ModifySecurityGroupRules", params("GroupId="+w.group, change, "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=0.0.0.0/0", "SecurityGroupRule.1.SecurityGroupRule.PrefixListId=pl-1"), "InvalidParameterCombination", "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified"},

		{"assign no address", "AssignPrivateIpAddresses", params("NetworkInterfaceId="+w.free, "PrivateIpAddress.1=None"), "InvalidParameterValue", "Value (None) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"unassign no address", "UnassignPrivateIpAddresses", params("NetworkInterfaceId="+w.free, "PrivateIpAddress.1=None"), "InvalidParameterValue", "Value (None) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"create with no address", "CreateNetworkInterface", params("SubnetId="+w.subnet, "PrivateIpAddress=::1"), "InvalidParameterValue", "Value (::1) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"launch with no address", "RunInstances", run("SubnetId="+w.subnet, "PrivateIpAddress=None"), "InvalidParameterValue", "Value (None) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"associate no address", "AssociateAddress", params(allocation, "NetworkInterfaceId="+w.free, "PrivateIpAddress=None"), "InvalidParameterValue", "Value (None) for parameter privateIpAddress is invalid. Not a valid IP address"},
		{"allocate no address", "AllocateAddress", params("Address=None"), "InvalidParameterValue", "Value (None) for parameter address is invalid. Not a valid IP address"},

		{"tags of nothing", "CreateVpc", params("CidrBlock=10.3.0.0/16", "TagSpecification.1.Tag.1.Key=a"), "InvalidParameterValue", "Tag specification resource type must have a value"},
		{"tags of one kind twice", "CreateVpc", append(append(params("CidrBlock=10.3.0.0/16"), tags("1", "vpc")...), tags("2", "vpc")...), "InvalidParameterValue", "The same resource type may not be specified more than once in tag specifications"},
		{"no tags", "CreateVpc", params("CidrBlock=10.3.0.0/16", "TagSpecification.1.ResourceType=vpc"), "InvalidParameterValue", "Tag specification must have at least one tag"},
		{"tags of another kind", "CreateVpc", append(params("CidrBlock=10.3.0.0/16"), tags("1", "subnet")...), "InvalidParameterValue", "'subnet' is not a valid taggable resource type for this operation."},

		{"stop what never ran", "StopInstances", params("InstanceId.1=" + young), "IncorrectInstanceState", "Instance '" + young + "' cannot be stopped as it has never reached the 'running' state."},
		{"launch into no zone", "RunInstances", run("Placement.AvailabilityZone=us-east-1z"), "InvalidParameterValue", "Invalid availability zone: [us-east-1z]"},
		{"launch into no zone, with a subnet", "RunInstances", run("Placement.AvailabilityZone=x", "SubnetId="+w.subnet), "InvalidParameterValue", "Invalid availability zone: [x]"},
		{"launch where no default subnet is", "RunInstances", run("Placement.AvailabilityZone=us-east-1b"), "InvalidInput", "No default subnet for availability zone: 'us-east-1b'."},
	})
}

// Egress-only gateways that are none are passed over.
func TestUnknownEgressOnlyGateways(t *testing.T) {
	l := newLab(t)
	g := l.must("CreateEgressOnlyInternetGateway", "VpcId="+l.world().vpc).text("egressOnlyInternetGateway.egressOnlyInternetGatewayId")
	for _, tt := range []struct {
		ids  []string
		want int
	}{
		{params("EgressOnlyInternetGatewayId.1=eigw-0123456789abcdef0"), 0},
		{params("EgressOnlyInternetGatewayId.1=x"), 0},
		{params("EgressOnlyInternetGatewayId.1=x", "EgressOnlyInternetGatewayId.2="+g, "EgressOnlyInternetGatewayId.3="+g), 1},
		{nil, 1},
	} {
		if n := l.must("DescribeEgressOnlyInternetGateways", tt.ids...).count("egressOnlyInternetGatewaySet"); n != tt.want {
			t.Errorf("%v: %d gateways, want %d", tt.ids, n, tt.want)
		}
	}
}

// What EC2 does in the background shows the states that waiters wait for.
func TestStatesInBetween(t *testing.T) {
	l := newLab(t)
	w := l.world()
	r := l.must("AssociateVpcCidrBlock", "VpcId="+w.vpc, "CidrBlock=10.200.0.0/16")
	if got := r.text("cidrBlockAssociation.cidrBlockState.state"); got != "associating" {
		t.Errorf("a new block is %s", got)
	}
	id := r.text("cidrBlockAssociation.associationId")
	const path = "vpcSet.1.cidrBlockAssociationSet.2.cidrBlockState.state"
	l.until(path, "associated", "DescribeVpcs", "VpcId.1="+w.vpc)
	if _, err := l.svc.ChangeTiming(t.Context(), func(now control.Timing) (control.Timing, error) {
		return now.With(control.OpDisassociateBlock, control.Fixed(time.Hour)).With(control.OpRequestPeering, control.Fixed(time.Hour)), nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := l.must("DisassociateVpcCidrBlock", "AssociationId="+id).text("cidrBlockAssociation.cidrBlockState.state"); got != "disassociating" {
		t.Errorf("a block that goes is %s", got)
	}
	by := params("Filter.1.Name=cidr-block-association.state", "Filter.1.Value.1=disassociating")
	if got := l.must("DescribeVpcs", by...).text(path); got != "disassociating" {
		t.Errorf("it is shown as %s", got)
	}
	v6 := l.must("CreateVpc", "CidrBlock=10.4.0.0/16", "AmazonProvidedIpv6CidrBlock=true")
	if got := v6.text("vpc.ipv6CidrBlockAssociationSet.1.ipv6CidrBlockState.state"); got != "associating" {
		t.Errorf("the IPv6 block of a new VPC is %s", got)
	}
	if got := v6.text("vpc.cidrBlockAssociationSet.1.cidrBlockState.state"); got != "associated" {
		t.Errorf("the first block of a new VPC is %s", got)
	}

	p := l.must("CreateVpcPeeringConnection", "VpcId="+w.vpc, "PeerVpcId="+v6.text("vpc.vpcId"))
	if got := p.text("vpcPeeringConnection.status.code") + ": " + p.text("vpcPeeringConnection.status.message"); got != "initiating-request: Initiating Request to 123456789012" {
		t.Errorf("a peering is asked for: %s", got)
	}
	if p.text("vpcPeeringConnection.expirationTime") == "-" {
		t.Error("it has no end")
	}
	pcx := "VpcPeeringConnectionId=" + p.text("vpcPeeringConnection.vpcPeeringConnectionId")
	if got := l.must("AcceptVpcPeeringConnection", pcx).text("vpcPeeringConnection.status.code"); got != "active" {
		t.Errorf("accepted at once, it is %s", got)
	}
}

// A flow log's bucket that cannot be is told of the resource, as EC2 does.
func TestFlowLogDestinations(t *testing.T) {
	l := newLab(t)
	w := l.world()
	log := func(destination, kind string) *reply {
		return l.ask("CreateFlowLogs", "ResourceType=VPC", "ResourceId.1="+w.vpc, "TrafficType=ALL", "LogDestinationType="+kind,
			"LogDestination="+destination, "DeliverLogsPermissionArn=arn:aws:iam::123456789012:role/logs")
	}
	for _, bucket := range []string{"No_Bucket", "a", "dots..dots", strings.Repeat("b", 64)} {
		r := log("arn:aws:s3:::"+bucket+"/prefix", "s3")
		if r.status != 200 || r.text("unsuccessful.1.error.code") != "400" || r.count("flowLogIdSet") > 0 ||
			r.text("unsuccessful.1.error.message") != "LogDestination: "+bucket+" does not exist" || r.text("unsuccessful.1.resourceId") != w.vpc {
			t.Errorf("the bucket %s: %s", bucket, r.raw)
		}
	}
	for kind, not := range map[string]string{
		"s3": "arn:aws:logs:us-east-1:123456789012:log-group:x", "cloud-watch-logs": "arn:aws:s3:::bucket", "kinesis-data-firehose": "a name",
	} {
		if r := log(not, kind); r.code() != "InvalidParameter" || r.message() != "LogDestination: "+not+" is not a valid ARN" {
			t.Errorf("%s for %s: %s", not, kind, r.raw)
		}
	}
	if r := log("arn:aws:s3:::flows.of-a.vpc/prefix/", "s3"); r.count("flowLogIdSet") != 1 {
		t.Errorf("a bucket: %s", r.raw)
	}
}
