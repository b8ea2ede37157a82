// Package cni drives the laboratory with the EC2 code of amazon-vpc-cni-k8s,
// the plugin that gives EKS's pods addresses of the VPC: its package awsutils,
// unmodified, which asks instance metadata and EC2 and compares the two. run.sh
// gives ENILAB_URL and ENILAB_BIN.
package cni

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/amazon-vpc-cni-k8s/pkg/awsutils"
	"github.com/aws/amazon-vpc-cni-k8s/pkg/ipamd/datastore"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// patience bounds each waiter; a laboratory needs milliseconds.
const patience = 60 * time.Second

// cluster is a VPC with one node, an m5.large: 3 interfaces of 10 addresses.
type cluster struct {
	t   *testing.T
	ctx context.Context
	ec2 *ec2.Client
	url string

	vpc, subnet, small, group, node string
}

// TestNode is a node's life: its plugin finds itself, takes interfaces and
// addresses until the type's limits, and gives them back.
func TestNode(t *testing.T) {
	url := os.Getenv("ENILAB_URL")
	if url == "" || os.Getenv("ENILAB_BIN") == "" {
		t.Fatal("ENILAB_URL and ENILAB_BIN are not set: run this by make contract")
	}
	c := &cluster{t: t, ctx: t.Context(), url: url, ec2: ec2.New(ec2.Options{
		Region: "us-east-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})}
	c.create()
	t.Setenv("AWS_EC2_ENDPOINT", url)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", c.metadata())
	t.Setenv("CLUSTER_NAME", "lab")
	c.addresses()
	c.prefixes()
	c.sixes()
	c.delete()
}

func must[T any](c *cluster) func(T, error) T {
	return func(out T, err error) T {
		c.t.Helper()
		c.done(err)
		return out
	}
}

func (c *cluster) done(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func same[T comparable](c *cluster, what string, got, want T) {
	c.t.Helper()
	if got != want {
		c.t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// refused wants EC2's code in what the plugin says.
func (c *cluster) refused(code string, err error) {
	c.t.Helper()
	if err == nil || !strings.Contains(err.Error(), code) {
		c.t.Fatalf("got %v, want a refusal with %s", err, code)
	}
}

func named(kind types.ResourceType, tags ...string) []types.TagSpecification {
	spec := types.TagSpecification{ResourceType: kind}
	for pair := range slices.Chunk(tags, 2) {
		spec.Tags = append(spec.Tags, types.Tag{Key: &pair[0], Value: &pair[1]})
	}
	return []types.TagSpecification{spec}
}

// create makes the VPC and the node, whose tracking of idle flows is its own.
func (c *cluster) create() {
	vpc := must[*ec2.CreateVpcOutput](c)(c.ec2.CreateVpc(c.ctx, &ec2.CreateVpcInput{
		CidrBlock: new("10.81.0.0/16"), AmazonProvidedIpv6CidrBlock: new(true),
	})).Vpc
	c.vpc = *vpc.VpcId
	c.done(ec2.NewVpcAvailableWaiter(c.ec2).Wait(c.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{c.vpc}}, patience))
	six := must[*ec2.DescribeVpcsOutput](c)(c.ec2.DescribeVpcs(c.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{c.vpc}})).
		Vpcs[0].Ipv6CidrBlockAssociationSet[0]
	block := must[netip.Prefix](c)(netip.ParsePrefix(*six.Ipv6CidrBlock))
	subnet := func(cidr string, six *string, tags ...string) string {
		return *must[*ec2.CreateSubnetOutput](c)(c.ec2.CreateSubnet(c.ctx, &ec2.CreateSubnetInput{
			VpcId: &c.vpc, CidrBlock: &cidr, Ipv6CidrBlock: six, AvailabilityZone: new("us-east-1a"),
			TagSpecifications: named(types.ResourceTypeSubnet, tags...),
		})).Subnet.SubnetId
	}
	c.subnet = subnet("10.81.1.0/24", new(netip.PrefixFrom(block.Addr(), 64).String()), "Name", "nodes")
	c.small = subnet("10.81.2.0/28", nil, "Name", "small", "kubernetes.io/role/cni", "0")
	c.group = *must[*ec2.CreateSecurityGroupOutput](c)(c.ec2.CreateSecurityGroup(c.ctx, &ec2.CreateSecurityGroupInput{
		VpcId: &c.vpc, GroupName: new("nodes"), Description: new("nodes"),
	})).GroupId
	c.node = *must[*ec2.RunInstancesOutput](c)(c.ec2.RunInstances(c.ctx, &ec2.RunInstancesInput{
		ImageId: new("ami-0123456789abcdef0"), InstanceType: types.InstanceTypeM5Large, MinCount: new(int32(1)), MaxCount: new(int32(1)),
		NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
			DeviceIndex: new(int32(0)), SubnetId: &c.subnet, Groups: []string{c.group}, PrivateIpAddress: new("10.81.1.10"),
			Ipv6AddressCount: new(int32(1)),
			ConnectionTrackingSpecification: &types.ConnectionTrackingSpecificationRequest{
				TcpEstablishedTimeout: new(int32(3600)),
			},
		}},
	})).Instances[0].InstanceId
	c.done(ec2.NewInstanceRunningWaiter(c.ec2, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Second }).
		Wait(c.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{c.node}}, patience))
}

// metadata serves the node's metadata at an address of its own, as the SDK takes
// a host for that and no path.
func (c *cluster) metadata() string {
	c.t.Helper()
	server := exec.CommandContext(c.ctx, os.Getenv("ENILAB_BIN"), "imds", "--instance", c.node, "--endpoint", c.url, "--listen", "127.0.0.1:0")
	server.Stderr = os.Stderr
	out := must[io.ReadCloser](c)(server.StdoutPipe())
	c.done(server.Start())
	c.t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	line := must[string](c)(bufio.NewReader(out).ReadString('\n'))
	_, address, _ := strings.Cut(strings.TrimSpace(line), ": ")
	return strings.TrimSuffix(address, "/latest/meta-data/")
}

// plugin is the node's, with the groups of its first interface.
func (c *cluster) plugin(custom, six bool) *awsutils.EC2InstanceMetadataCache {
	c.t.Helper()
	p := must[*awsutils.EC2InstanceMetadataCache](c)(awsutils.New(c.ctx, true, custom, true, !six, six))
	c.done(p.FetchInstanceTypeLimits(c.ctx))
	c.done(p.RefreshSGIDs(c.ctx, p.GetPrimaryENImac(), &datastore.DataStoreAccess{}))
	return p
}

// describe is what EC2 says of one interface.
func (c *cluster) describe(eni string) types.NetworkInterface {
	c.t.Helper()
	return must[*ec2.DescribeNetworkInterfacesOutput](c)(c.ec2.DescribeNetworkInterfaces(c.ctx, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{eni},
	})).NetworkInterfaces[0]
}

// enis is how many interfaces the VPC has.
func (c *cluster) enis() int {
	c.t.Helper()
	return len(must[*ec2.DescribeNetworkInterfacesOutput](c)(c.ec2.DescribeNetworkInterfaces(c.ctx, &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{{Name: new("vpc-id"), Values: []string{c.vpc}}},
	})).NetworkInterfaces)
}

// lag tells the node's metadata to stay as they are, or to be true again.
func (c *cluster) lag(ms string) {
	c.t.Helper()
	q := must[*http.Request](c)(http.NewRequestWithContext(c.ctx, http.MethodPut, c.url+"/api/v1/instances/"+c.node+"/metadata-lag",
		strings.NewReader(`{"lagMs": `+ms+`}`)))
	q.Header.Set("Content-Type", "application/json")
	r := must[*http.Response](c)(http.DefaultClient.Do(q))
	r.Body.Close()
	same(c, "status of the lag", r.StatusCode/100, 2)
}

// delete ends with the VPC.
func (c *cluster) delete() {
	must[*ec2.TerminateInstancesOutput](c)(c.ec2.TerminateInstances(c.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{c.node}}))
	c.done(ec2.NewInstanceTerminatedWaiter(c.ec2, func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Second }).
		Wait(c.ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{c.node}}, patience))
	same(c, "interfaces at the end", c.enis(), 0)
	for _, subnet := range []string{c.subnet, c.small} {
		must[*ec2.DeleteSubnetOutput](c)(c.ec2.DeleteSubnet(c.ctx, &ec2.DeleteSubnetInput{SubnetId: &subnet}))
	}
	must[*ec2.DeleteSecurityGroupOutput](c)(c.ec2.DeleteSecurityGroup(c.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &c.group}))
	must[*ec2.DeleteVpcOutput](c)(c.ec2.DeleteVpc(c.ctx, &ec2.DeleteVpcInput{VpcId: &c.vpc}))
}
