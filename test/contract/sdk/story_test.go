// Package sdk holds the contract's story as aws-sdk-go-v2 tells it. run.sh
// gives ENILAB_URL and WITNESS.
package sdk

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// patience bounds each waiter; a laboratory needs milliseconds.
const patience = 60 * time.Second

// story is one telling, with the client that tells it.
type story struct {
	t   *testing.T
	ctx context.Context
	*ec2.Client

	vpc, gateway, subnet, other, group, clients string
	one, two, client                            string
	eni, attachment, mac                        string
	allocation, association, table, tied        string
}

// TestStory builds a VPC, moves an interface in it and deletes everything.
func TestStory(t *testing.T) {
	url := os.Getenv("ENILAB_URL")
	if url == "" || os.Getenv("WITNESS") == "" {
		t.Fatal("ENILAB_URL and WITNESS are not set: run this by make contract")
	}
	client := ec2.New(ec2.Options{
		Region: "us-east-1", BaseEndpoint: new(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
	s := &story{t: t, ctx: t.Context(), Client: client}
	s.network()
	s.instances()
	s.service()
	s.pages()
	s.move()
	s.deletion()
}

// must returns what a call answered, or ends the test.
func must[T any](s *story) func(T, error) T {
	return func(out T, err error) T {
		s.t.Helper()
		s.done(err)
		return out
	}
}

func (s *story) done(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func same[T comparable](s *story, what string, got, want T) {
	s.t.Helper()
	if got != want {
		s.t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// refused wants EC2's code from a call.
func refused[T any](s *story, code string) func(T, error) {
	return func(_ T, err error) {
		s.t.Helper()
		var refusal smithy.APIError
		if !errors.As(err, &refusal) || refusal.ErrorCode() != code {
			s.t.Fatalf("got %v, want a refusal with %s", err, code)
		}
	}
}

// witness asks the admin API about frames.
func (s *story) witness(args ...string) {
	s.t.Helper()
	said, err := exec.CommandContext(s.ctx, os.Getenv("WITNESS"), args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, said)
	}
	s.t.Logf("%s", said)
}

func named(kind types.ResourceType, name string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{
		{Key: new("Name"), Value: new(name)}, {Key: new("story"), Value: new("sdk")},
	}}}
}

func filter(name string, values ...string) []types.Filter {
	return []types.Filter{{Name: new(name), Values: values}}
}

// network makes a VPC with an internet gateway, two subnets and two groups.
func (s *story) network() {
	vpc := must[*ec2.CreateVpcOutput](s)(s.CreateVpc(s.ctx, &ec2.CreateVpcInput{
		CidrBlock: new("10.77.0.0/16"), TagSpecifications: named(types.ResourceTypeVpc, "lab"),
	}))
	s.vpc = *vpc.Vpc.VpcId
	s.done(ec2.NewVpcAvailableWaiter(s).Wait(s.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{s.vpc}}, patience))
	gateway := must[*ec2.CreateInternetGatewayOutput](s)(s.CreateInternetGateway(s.ctx, &ec2.CreateInternetGatewayInput{}))
	s.gateway = *gateway.InternetGateway.InternetGatewayId
	must[*ec2.AttachInternetGatewayOutput](s)(s.AttachInternetGateway(s.ctx, &ec2.AttachInternetGatewayInput{
		InternetGatewayId: &s.gateway, VpcId: &s.vpc,
	}))
	zones := must[*ec2.DescribeAvailabilityZonesOutput](s)(s.DescribeAvailabilityZones(s.ctx, &ec2.DescribeAvailabilityZonesInput{}))
	subnet := func(cidr string, zone int) string {
		return *must[*ec2.CreateSubnetOutput](s)(s.CreateSubnet(s.ctx, &ec2.CreateSubnetInput{
			VpcId: &s.vpc, CidrBlock: &cidr, AvailabilityZone: zones.AvailabilityZones[zone].ZoneName,
		})).Subnet.SubnetId
	}
	s.subnet, s.other = subnet("10.77.1.0/24", 0), subnet("10.77.2.0/24", 1)
	s.done(ec2.NewSubnetAvailableWaiter(s).Wait(s.ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{s.subnet, s.other}}, patience))
	group := func(name string) string {
		return *must[*ec2.CreateSecurityGroupOutput](s)(s.CreateSecurityGroup(s.ctx, &ec2.CreateSecurityGroupInput{
			VpcId: &s.vpc, GroupName: &name, Description: new("of the story"),
		})).GroupId
	}
	s.group, s.clients = group("service"), group("clients")
	ping := types.IpPermission{
		IpProtocol: new("icmp"), FromPort: new(int32(8)), ToPort: new(int32(-1)),
		IpRanges: []types.IpRange{{CidrIp: new("10.77.0.0/16"), Description: new("ping")}},
	}
	web := types.IpPermission{
		IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(80)),
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &s.clients}},
	}
	allow := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &s.group, IpPermissions: []types.IpPermission{ping, web}}
	rules := must[*ec2.AuthorizeSecurityGroupIngressOutput](s)(s.AuthorizeSecurityGroupIngress(s.ctx, allow))
	same(s, "new rules", len(rules.SecurityGroupRules), 2)
	refused[*ec2.AuthorizeSecurityGroupIngressOutput](s, "InvalidPermission.Duplicate")(s.AuthorizeSecurityGroupIngress(s.ctx, allow))
}

// instances launches two that can own the service, and one that asks it.
func (s *story) instances() {
	launch := func(name, subnet, address, group string) string {
		r := must[*ec2.RunInstancesOutput](s)(s.RunInstances(s.ctx, &ec2.RunInstancesInput{
			ImageId: new("ami-0123456789abcdef0"), InstanceType: types.InstanceTypeT3Medium, MinCount: new(int32(1)), MaxCount: new(int32(1)),
			SubnetId: &subnet, PrivateIpAddress: &address, SecurityGroupIds: []string{group},
			TagSpecifications: named(types.ResourceTypeInstance, name),
		}))
		return *r.Instances[0].InstanceId
	}
	s.one = launch("one", s.subnet, "10.77.1.21", s.group)
	s.two = launch("two", s.subnet, "10.77.1.22", s.group)
	s.client = launch("client", s.other, "10.77.2.10", s.clients)
	all := &ec2.DescribeInstancesInput{InstanceIds: []string{s.one, s.two, s.client}}
	s.done(ec2.NewInstanceRunningWaiter(s, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Second }).Wait(s.ctx, all, patience))
}

// service is an interface with a fixed address, an Elastic IP and a route to it.
func (s *story) service() {
	eni := must[*ec2.CreateNetworkInterfaceOutput](s)(s.CreateNetworkInterface(s.ctx, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &s.subnet, Description: new("service"), Groups: []string{s.group},
		PrivateIpAddresses: []types.PrivateIpAddressSpecification{{Primary: new(true), PrivateIpAddress: new("10.77.1.42")}},
		TagSpecifications:  named(types.ResourceTypeNetworkInterface, "service"),
	}))
	s.eni, s.mac = *eni.NetworkInterface.NetworkInterfaceId, *eni.NetworkInterface.MacAddress
	s.available()
	refused[*ec2.CreateNetworkInterfaceOutput](s, "InvalidIPAddress.InUse")(s.CreateNetworkInterface(s.ctx, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &s.subnet, PrivateIpAddress: new("10.77.1.42"),
	}))
	s.attachment = *must[*ec2.AttachNetworkInterfaceOutput](s)(s.attach(s.one)).AttachmentId
	refused[*ec2.AttachNetworkInterfaceOutput](s, "InvalidParameterValue")(s.attach(s.two))
	address := must[*ec2.AllocateAddressOutput](s)(s.AllocateAddress(s.ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc}))
	s.allocation = *address.AllocationId
	s.association = *must[*ec2.AssociateAddressOutput](s)(s.AssociateAddress(s.ctx, &ec2.AssociateAddressInput{
		AllocationId: &s.allocation, NetworkInterfaceId: &s.eni, PrivateIpAddress: new("10.77.1.42"),
	})).AssociationId
	table := must[*ec2.CreateRouteTableOutput](s)(s.CreateRouteTable(s.ctx, &ec2.CreateRouteTableInput{VpcId: &s.vpc}))
	s.table = *table.RouteTable.RouteTableId
	s.tied = *must[*ec2.AssociateRouteTableOutput](s)(s.AssociateRouteTable(s.ctx, &ec2.AssociateRouteTableInput{
		RouteTableId: &s.table, SubnetId: &s.other,
	})).AssociationId
	for _, r := range []*ec2.CreateRouteInput{
		{RouteTableId: &s.table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: &s.gateway},
		{RouteTableId: &s.table, DestinationCidrBlock: new("10.99.0.42/32"), NetworkInterfaceId: &s.eni},
	} {
		same(s, "the route is made", *must[*ec2.CreateRouteOutput](s)(s.CreateRoute(s.ctx, r)).Return, true)
	}
	s.routed(s.one, types.RouteStateActive)
}

func (s *story) available() {
	s.t.Helper()
	s.done(ec2.NewNetworkInterfaceAvailableWaiter(s, func(o *ec2.NetworkInterfaceAvailableWaiterOptions) { o.MinDelay = time.Second }).
		Wait(s.ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{s.eni}}, patience))
}

func (s *story) attach(instance string) (*ec2.AttachNetworkInterfaceOutput, error) {
	return s.AttachNetworkInterface(s.ctx, &ec2.AttachNetworkInterfaceInput{
		NetworkInterfaceId: &s.eni, InstanceId: &instance, DeviceIndex: new(int32(1)),
	})
}

// routed wants the overlay's route to go to the interface, and to its owner.
func (s *story) routed(owner string, state types.RouteState) {
	s.t.Helper()
	out := must[*ec2.DescribeRouteTablesOutput](s)(s.DescribeRouteTables(s.ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{s.table}}))
	routes := out.RouteTables[0].Routes
	i := slices.IndexFunc(routes, func(r types.Route) bool { return aws.ToString(r.DestinationCidrBlock) == "10.99.0.42/32" })
	if i < 0 {
		s.t.Fatalf("the overlay's route is not among %d", len(routes))
	}
	same(s, "interface of the route", aws.ToString(routes[i].NetworkInterfaceId), s.eni)
	same(s, "instance of the route", aws.ToString(routes[i].InstanceId), owner)
	same(s, "state of the route", routes[i].State, state)
}

// pages wants each interface once, in any page size.
func (s *story) pages() {
	for range 8 {
		must[*ec2.CreateNetworkInterfaceOutput](s)(s.CreateNetworkInterface(s.ctx, &ec2.CreateNetworkInterfaceInput{
			SubnetId: &s.other, Description: new("filler"), Groups: []string{s.clients},
		}))
	}
	ids := func(limit int32, filters []types.Filter) (found []string) {
		p := ec2.NewDescribeNetworkInterfacesPaginator(s, &ec2.DescribeNetworkInterfacesInput{Filters: filters},
			func(o *ec2.DescribeNetworkInterfacesPaginatorOptions) { o.Limit = limit })
		for p.HasMorePages() {
			for _, n := range must[*ec2.DescribeNetworkInterfacesOutput](s)(p.NextPage(s.ctx)).NetworkInterfaces {
				found = append(found, *n.NetworkInterfaceId)
			}
		}
		slices.Sort(found)
		return found
	}
	whole := ids(1000, filter("vpc-id", s.vpc))
	same(s, "interfaces", len(whole), 12)
	if small := ids(5, filter("vpc-id", s.vpc)); !slices.Equal(small, whole) {
		s.t.Fatalf("pages of 5 have %v, want %v", small, whole)
	}
	for _, id := range ids(1000, filter("description", "fill*")) {
		must[*ec2.DeleteNetworkInterfaceOutput](s)(s.DeleteNetworkInterface(s.ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &id}))
	}
}

// move takes the interface from one to two, while the client asks it.
func (s *story) move() {
	s.witness("watch", s.client, "10.77.1.42")
	must[*ec2.DetachNetworkInterfaceOutput](s)(s.DetachNetworkInterface(s.ctx, &ec2.DetachNetworkInterfaceInput{
		AttachmentId: &s.attachment, Force: new(true),
	}))
	s.available()
	s.routed("", types.RouteStateBlackhole)
	must[*ec2.AttachNetworkInterfaceOutput](s)(s.attach(s.two))
	n := must[*ec2.DescribeNetworkInterfacesOutput](s)(s.DescribeNetworkInterfaces(s.ctx, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{s.eni},
	})).NetworkInterfaces[0]
	same(s, "owner", aws.ToString(n.Attachment.InstanceId), s.two)
	same(s, "status", n.Status, types.NetworkInterfaceStatusInUse)
	same(s, "MAC", aws.ToString(n.MacAddress), s.mac)
	same(s, "address", aws.ToString(n.PrivateIpAddress), "10.77.1.42")
	same(s, "group", aws.ToString(n.Groups[0].GroupId), s.group)
	same(s, "Elastic IP", aws.ToString(n.Association.AllocationId), s.allocation)
	a := must[*ec2.DescribeAddressesOutput](s)(s.DescribeAddresses(s.ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{s.allocation}})).Addresses[0]
	same(s, "instance of the Elastic IP", aws.ToString(a.InstanceId), s.two)
	same(s, "association", aws.ToString(a.AssociationId), s.association)
	s.routed(s.two, types.RouteStateActive)
	s.witness("moved", s.eni, s.one, s.two)
}

// deletion leaves nothing, in the order that EC2 asks for.
func (s *story) deletion() {
	all := []string{s.one, s.two, s.client}
	must[*ec2.TerminateInstancesOutput](s)(s.TerminateInstances(s.ctx, &ec2.TerminateInstancesInput{InstanceIds: all}))
	s.done(ec2.NewInstanceTerminatedWaiter(s, func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Second }).
		Wait(s.ctx, &ec2.DescribeInstancesInput{InstanceIds: all}, patience))
	s.available() // a secondary interface outlives its instance
	must[*ec2.DisassociateAddressOutput](s)(s.DisassociateAddress(s.ctx, &ec2.DisassociateAddressInput{AssociationId: &s.association}))
	must[*ec2.ReleaseAddressOutput](s)(s.ReleaseAddress(s.ctx, &ec2.ReleaseAddressInput{AllocationId: &s.allocation}))
	must[*ec2.DeleteNetworkInterfaceOutput](s)(s.DeleteNetworkInterface(s.ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &s.eni}))
	must[*ec2.DisassociateRouteTableOutput](s)(s.DisassociateRouteTable(s.ctx, &ec2.DisassociateRouteTableInput{AssociationId: &s.tied}))
	must[*ec2.DeleteRouteTableOutput](s)(s.DeleteRouteTable(s.ctx, &ec2.DeleteRouteTableInput{RouteTableId: &s.table}))
	refused[*ec2.DeleteVpcOutput](s, "DependencyViolation")(s.DeleteVpc(s.ctx, &ec2.DeleteVpcInput{VpcId: &s.vpc}))
	must[*ec2.DetachInternetGatewayOutput](s)(s.DetachInternetGateway(s.ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: &s.gateway, VpcId: &s.vpc}))
	must[*ec2.DeleteInternetGatewayOutput](s)(s.DeleteInternetGateway(s.ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &s.gateway}))
	for _, id := range []string{s.subnet, s.other} {
		must[*ec2.DeleteSubnetOutput](s)(s.DeleteSubnet(s.ctx, &ec2.DeleteSubnetInput{SubnetId: &id}))
	}
	for _, id := range []string{s.group, s.clients} {
		must[*ec2.DeleteSecurityGroupOutput](s)(s.DeleteSecurityGroup(s.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id}))
	}
	must[*ec2.DeleteVpcOutput](s)(s.DeleteVpc(s.ctx, &ec2.DeleteVpcInput{VpcId: &s.vpc}))
	refused[*ec2.DescribeVpcsOutput](s, "InvalidVpcID.NotFound")(s.DescribeVpcs(s.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{s.vpc}}))
}
