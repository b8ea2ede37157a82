package ec2

import (
	"slices"
	"strings"
	"testing"
)

func walkEndpoints(t *testing.T, l *lab, w world) {
	t.Helper()
	const s3 = "ServiceName=com.amazonaws.us-east-1.s3"
	table := l.must("CreateRouteTable", "VpcId="+w.vpc).text("routeTable.routeTableId")
	r := l.must("CreateVpcEndpoint", "VpcId="+w.vpc, s3, "RouteTableId.1="+table)
	id := r.text("vpcEndpoint.vpcEndpointId")
	if r.text("vpcEndpoint.state") != "available" || r.text("vpcEndpoint.routeTableIdSet.1") != table {
		t.Errorf("gateway endpoint: %s", r.raw)
	}
	route := func(want int) {
		t.Helper()
		r := l.must("DescribeRouteTables", "RouteTableId.1="+table, "Filter.1.Name=route.gateway-id", "Filter.1.Value.1="+id)
		if r.count("routeTableSet") != want {
			t.Errorf("%d tables lead to the endpoint, want %d: %s", r.count("routeTableSet"), want, r.raw)
		}
	}
	route(1)
	l.refused("RouteAlreadyExists", "CreateVpcEndpoint", "VpcId="+w.vpc, s3, "RouteTableId.1="+table)
	l.refused("InvalidParameterValue", "DeleteRoute", "RouteTableId="+table, "DestinationPrefixListId=pl-63a5400a")
	l.must("ModifyVpcEndpoint", "VpcEndpointId="+id, "RemoveRouteTableId.1="+table)
	route(0)
	l.must("ModifyVpcEndpoint", "VpcEndpointId="+id, "AddRouteTableId.1="+table, `PolicyDocument={"Statement":[]}`)
	route(1)
	l.refused("InvalidPolicyDocument", "ModifyVpcEndpoint", "VpcEndpointId="+id, "PolicyDocument=all")

	r = l.must("CreateVpcEndpoint", "VpcId="+w.vpc, "ServiceName=com.amazonaws.us-east-1.ssm", "VpcEndpointType=Interface", "SubnetId.1="+w.subnet,
		"SecurityGroupId.1="+w.group, "PrivateDnsEnabled=false")
	ssm := r.text("vpcEndpoint.vpcEndpointId")
	if r.text("vpcEndpoint.state") != "pending" || !strings.HasSuffix(r.text("vpcEndpoint.dnsEntrySet.1.dnsName"), ".ssm.us-east-1.vpce.amazonaws.com") {
		t.Errorf("interface endpoint: %s", r.raw)
	}
	r = l.until("vpcEndpointSet.1.state", "available", "DescribeVpcEndpoints", "VpcEndpointId.1="+ssm)
	eni := r.text("vpcEndpointSet.1.networkInterfaceIdSet.1")
	r = l.must("DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni)
	if r.text("networkInterfaceSet.1.interfaceType") != "vpc_endpoint" || r.text("networkInterfaceSet.1.requesterManaged") != "true" ||
		r.text("networkInterfaceSet.1.groupSet.1.groupId") != w.group || r.text("networkInterfaceSet.1.status") != "in-use" {
		t.Errorf("its interface: %s", r.raw)
	}
	l.refused("AuthFailure", "DeleteNetworkInterface", "NetworkInterfaceId="+eni)
	l.refused("DependencyViolation", "DeleteVpc", "VpcId="+w.vpc)
	if n := l.must("DescribeVpcEndpoints", "Filter.1.Name=vpc-endpoint-type", "Filter.1.Value.1=Interface").count("vpcEndpointSet"); n != 1 {
		t.Errorf("%d interface endpoints", n)
	}
	r = l.must("DeleteVpcEndpoints", "VpcEndpointId.1="+id, "VpcEndpointId.2="+ssm, "VpcEndpointId.3=vpce-00000000000000000")
	if r.count("unsuccessful") != 1 || r.text("unsuccessful.1.error.code") != "InvalidVpcEndpointId.NotFound" {
		t.Errorf("deleted: %s", r.raw)
	}
	for deadline := 0; l.must("DescribeVpcEndpoints").count("vpcEndpointSet") > 0; deadline++ {
		if deadline > 1000 {
			t.Fatal("endpoints stay")
		}
	}
	l.refused("InvalidNetworkInterfaceID.NotFound", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni)
	l.must("DeleteRouteTable", "RouteTableId="+table)

	all := l.must("DescribeVpcEndpointServices")
	names := all.at("serviceNameSet")
	if !slices.ContainsFunc(names.Children, func(e element) bool { return e.Text == "com.amazonaws.us-east-1.s3" }) {
		t.Error("no S3")
	}
	r = l.must("DescribeVpcEndpointServices", s3[:len("ServiceName")]+".1=com.amazonaws.us-east-1.s3", "Filter.1.Name=service-type", "Filter.1.Value.1=Gateway")
	if r.count("serviceDetailSet") != 1 || r.text("serviceDetailSet.1.serviceType.1.serviceType") != "Gateway" {
		t.Errorf("S3: %s", r.raw)
	}
	if got := l.refused("InvalidServiceName", "CreateVpcEndpoint", "VpcId="+w.vpc, "ServiceName=fake-service").message(); got != "The Vpc Endpoint Service 'fake-service' does not exist" {
		t.Error(got)
	}
	l.refused("UnsupportedOperation", "CreateVpcEndpoint", "VpcId="+w.vpc, s3, "VpcEndpointType=GatewayLoadBalancer")
	l.refused("InvalidVpcEndpointId.NotFound", "DescribeVpcEndpoints", "VpcEndpointId.1=vpce-00000000000000000")
}

// walkTrunks does what a CNI controller does for a pod with groups of its own.
func walkTrunks(t *testing.T, l *lab, w world) {
	t.Helper()
	create := func(params ...string) string {
		return l.must("CreateNetworkInterface", append(params, "SubnetId="+w.subnet)...).text("networkInterface.networkInterfaceId")
	}
	trunk, branch, other := create("InterfaceType=trunk"), create("InterfaceType=branch"), create()
	r := l.must("AssociateTrunkInterface", "TrunkInterfaceId="+trunk, "BranchInterfaceId="+branch, "VlanId=1")
	id := r.text("interfaceAssociation.associationId")
	if r.text("interfaceAssociation.interfaceProtocol") != "VLAN" || r.text("interfaceAssociation.vlanId") != "1" || !strings.HasPrefix(id, "trunk-assoc-") {
		t.Errorf("associated: %s", r.raw)
	}
	r = l.must("DescribeNetworkInterfaces", "NetworkInterfaceId.1="+branch)
	if r.text("networkInterfaceSet.1.interfaceType") != "branch" || r.text("networkInterfaceSet.1.status") != "in-use" {
		t.Errorf("a branch: %s", r.raw)
	}
	l.refused("InvalidParameterValue", "AssociateTrunkInterface", "TrunkInterfaceId="+trunk, "BranchInterfaceId="+other, "VlanId=1")
	l.refused("InvalidParameterValue", "AssociateTrunkInterface", "TrunkInterfaceId="+other, "BranchInterfaceId="+branch, "VlanId=2")
	l.refused("InvalidParameterValue", "AttachNetworkInterface", "NetworkInterfaceId="+branch, "InstanceId="+w.a, "DeviceIndex=2")
	l.refused("MissingParameter", "AssociateTrunkInterface", "TrunkInterfaceId="+trunk, "BranchInterfaceId="+other)
	l.must("AssociateTrunkInterface", "TrunkInterfaceId="+trunk, "BranchInterfaceId="+other, "GreKey=7")
	if n := l.must("DescribeTrunkInterfaceAssociations").count("interfaceAssociationSet"); n != 2 {
		t.Errorf("%d associations", n)
	}
	if got := l.must("DescribeTrunkInterfaceAssociations", "Filter.1.Name=interface-protocol", "Filter.1.Value.1=VLAN").text("interfaceAssociationSet.1.branchInterfaceId"); got != branch {
		t.Errorf("the branch by VLAN is %s, want %s", got, branch)
	}
	l.must("DisassociateTrunkInterface", "AssociationId="+id)
	if got := l.must("DescribeNetworkInterfaces", "NetworkInterfaceId.1="+branch).text("networkInterfaceSet.1.status"); got != "available" {
		t.Errorf("a former branch is %s", got)
	}
	l.refused("InvalidAssociationID.NotFound", "DisassociateTrunkInterface", "AssociationId="+id)
	// A branch can be deleted as it is, and a trunk takes its associations along.
	for _, eni := range []string{other, trunk, branch} {
		l.must("DeleteNetworkInterface", "NetworkInterfaceId="+eni)
	}
	if n := l.must("DescribeTrunkInterfaceAssociations").count("interfaceAssociationSet"); n != 0 {
		t.Errorf("%d associations of nothing", n)
	}
}
