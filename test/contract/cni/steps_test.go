package cni

import (
	"slices"

	"github.com/aws/amazon-vpc-cni-k8s/pkg/awsutils"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// addresses takes an interface with secondary addresses, more of them, and gives all back.
func (c *cluster) addresses() {
	p := c.plugin(false, false)
	same(c, "the plugin's node", p.GetInstanceID(), c.node)
	same(c, "its region", p.GetRegion(), "us-east-1")
	same(c, "its type", p.GetInstanceType(), "m5.large")
	same(c, "its address", p.GetLocalIPv4().String(), "10.81.1.10")
	same(c, "interfaces it may have", p.GetENILimit(), 3)
	same(c, "prefixes for its type", p.IsPrefixDelegationSupported(), true)
	if blocks := must[[]string](c)(p.GetVPCIPv4CIDRs()); !slices.Equal(blocks, []string{"10.81.0.0/16"}) {
		c.t.Fatalf("blocks of the VPC: %v", blocks)
	}
	same(c, "the small subnet is left out", must[bool](c)(p.IsSubnetExcluded(c.ctx, c.small)), true)
	same(c, "subnets", len(must[[]types.Subnet](c)(p.GetVpcSubnets(c.ctx))), 2)
	found := must[awsutils.DescribeAllENIsResult](c)(p.DescribeAllENIs(c.ctx))
	same(c, "interfaces at first", len(found.ENIMetadata), 1)

	eni := must[string](c)(p.AllocENI(c.ctx, nil, "", 4, 0))
	metadata := must[awsutils.ENIMetadata](c)(p.WaitForENIAndIPsAttached(eni, 4))
	same(c, "addresses in the metadata", len(metadata.IPv4Addresses), 5)
	same(c, "device number in the metadata", metadata.DeviceNumber, 1)
	same(c, "subnet in the metadata", metadata.SubnetIPv4CIDR, "10.81.1.0/24")
	said := c.describe(eni)
	same(c, "MAC", metadata.MAC, *said.MacAddress)
	same(c, "address", metadata.PrimaryIPv4Address(), *said.PrivateIpAddress)
	same(c, "description", *said.Description, "aws-K8S-"+c.node)
	same(c, "deleted with the node", *said.Attachment.DeleteOnTermination, true)
	same(c, "groups", len(said.Groups) == 1 && *said.Groups[0].GroupId == c.group, true)
	same(c, "idle timeout, as the first interface has it", aws.ToInt32(said.ConnectionTrackingConfiguration.TcpEstablishedTimeout), 3600)
	tags := must[awsutils.DescribeAllENIsResult](c)(p.DescribeAllENIs(c.ctx)).TagMap[eni]
	same(c, "node in the tags", tags["node.k8s.amazonaws.com/instance_id"], c.node)
	same(c, "cluster in the tags", tags["cluster.k8s.amazonaws.com/name"], "lab")
	c.done(p.TagENI(c.ctx, eni, nil))

	more := must[*ec2.AssignPrivateIpAddressesOutput](c)(p.AllocIPAddresses(c.ctx, eni, 3))
	same(c, "addresses assigned", len(more.AssignedPrivateIpAddresses), 3)
	_, err := p.AllocIPAddresses(c.ctx, eni, 9)
	c.refused("PrivateIpAddressLimitExceeded", err)
	c.done(p.DeallocIPAddresses(c.ctx, eni, []string{*more.AssignedPrivateIpAddresses[0].PrivateIpAddress}))
	same(c, "addresses in EC2", len(must[[]types.NetworkInterfacePrivateIpAddress](c)(p.GetIPv4sFromEC2(c.ctx, eni))), 7)
	same(c, "addresses in the metadata", len(must[awsutils.ENIMetadata](c)(p.WaitForENIAndIPsAttached(eni, 6)).IPv4Addresses), 7)

	// The plugin deletes what it could not attach.
	third := must[string](c)(p.AllocENI(c.ctx, nil, "", 1, 0))
	_, err = p.AllocENI(c.ctx, nil, "", 1, 0)
	c.refused("AttachmentLimitExceeded", err)
	same(c, "interfaces of the VPC", c.enis(), 3)

	// Metadata that lag name an interface that is gone; EC2's refusal says which.
	c.lag("3600000")
	c.done(p.FreeENI(c.ctx, third))
	same(c, "interfaces in metadata that lag", len(must[[]awsutils.ENIMetadata](c)(p.GetAttachedENIs())), 3)
	same(c, "interfaces that are", len(must[awsutils.DescribeAllENIsResult](c)(p.DescribeAllENIs(c.ctx)).ENIMetadata), 2)
	c.lag("0")
	same(c, "interfaces in the metadata", len(must[[]awsutils.ENIMetadata](c)(p.GetAttachedENIs())), 2)
	c.done(p.FreeENI(c.ctx, eni))
	c.done(p.FreeENI(c.ctx, eni)) // what is gone is freed
	same(c, "interfaces of the VPC", c.enis(), 1)
}

// prefixes takes blocks of 16 addresses, and asks a subnet that is too small for one.
func (c *cluster) prefixes() {
	p := c.plugin(false, false)
	p.InitCachedPrefixDelegation(true)
	eni := must[string](c)(p.AllocENI(c.ctx, nil, "", 1, 0))
	same(c, "prefixes in the metadata", len(must[awsutils.ENIMetadata](c)(p.WaitForENIAndIPsAttached(eni, 1)).IPv4Prefixes), 1)
	more := must[*ec2.AssignPrivateIpAddressesOutput](c)(p.AllocIPAddresses(c.ctx, eni, 2))
	same(c, "prefixes assigned", len(more.AssignedIpv4Prefixes), 2)
	c.done(p.DeallocPrefixAddresses(c.ctx, eni, []string{*more.AssignedIpv4Prefixes[0].Ipv4Prefix}))
	same(c, "prefixes in EC2", len(must[[]types.Ipv4PrefixSpecification](c)(p.GetIPv4PrefixesFromEC2(c.ctx, eni))), 2)
	c.done(p.FreeENI(c.ctx, eni))

	custom := c.plugin(true, false)
	custom.InitCachedPrefixDelegation(true)
	_, err := custom.AllocENI(c.ctx, []*string{&c.group}, c.small, 1, 0)
	c.refused("InsufficientCidrBlocks", err)
	custom.InitCachedPrefixDelegation(false)
	eni = must[string](c)(custom.AllocENI(c.ctx, []*string{&c.group}, c.small, 8, 0))
	same(c, "subnet", must[string](c)(custom.GetENISubnetID(c.ctx, eni)), c.small)
	_, err = custom.AllocENI(c.ctx, []*string{&c.group}, c.small, 8, 0)
	c.refused("InsufficientFreeAddressesInSubnet", err)
	c.done(custom.FreeENI(c.ctx, eni))
}

// sixes gives the first interface an IPv6 prefix, as a node of an IPv6 cluster has it.
func (c *cluster) sixes() {
	p := c.plugin(false, true)
	first := p.GetPrimaryENI()
	same(c, "its IPv6 address", p.GetLocalIPv6().String(), *c.describe(first).Ipv6Addresses[0].Ipv6Address)
	same(c, "IPv6 blocks of the VPC", len(must[[]string](c)(p.GetVPCIPv6CIDRs())), 1)
	prefix := must[[]*string](c)(p.AllocIPv6Prefixes(c.ctx, first))
	same(c, "prefixes assigned", len(prefix), 1)
	said := must[[]types.Ipv6PrefixSpecification](c)(p.GetIPv6PrefixesFromEC2(c.ctx, first))
	same(c, "the prefix in EC2", *said[0].Ipv6Prefix, *prefix[0])
	attached := must[[]awsutils.ENIMetadata](c)(p.GetAttachedENIs())
	same(c, "the prefix in the metadata", *attached[0].IPv6Prefixes[0].Ipv6Prefix, *prefix[0])
	c.done(p.DeallocPrefixAddresses(c.ctx, first, []string{*prefix[0]}))
	same(c, "prefixes after that", len(must[[]types.Ipv6PrefixSpecification](c)(p.GetIPv6PrefixesFromEC2(c.ctx, first))), 0)
}
