package ec2

import "strings"

// filterAlias is a further name under which an action takes a filter. EC2 takes
// more names than its API reference has by now: it keeps those of former
// references, and in those of its actions that are older than EC2's filters the
// names of attributes.
type filterAlias struct {
	action string
	name   string
	// is the name by which the reference has the filter now. An empty one is a
	// filter that the reference no longer has: the action's table of filters
	// has it, as one of its former ones.
	is   string
	seen string // where the name is, or who asks by it
}

// Former API references, as the documentation comments of the AWS SDK for Go
// have kept them.
const (
	in2015 = "EC2 API reference of 2015 (aws-sdk-go v1.0.0)"
	in2017 = "EC2 API reference of 2017 (aws-sdk-go v1.12.0)"
	in2021 = "EC2 API reference of 2021 (aws-sdk-go v1.40.0)"
	inBoto = "boto 2, documentation of boto.vpc"
)

// filterAliases are all such names but tag-value, which every action with tags
// takes.
var filterAliases = []filterAlias{
	{"DescribeAddresses", "domain", "", in2021 + "; example of the AWS CLI's describe-addresses"},
	{"DescribeAvailabilityZones", "parent-zoneID", "parent-zone-id", in2021},
	{"DescribeAvailabilityZones", "parent-zoneName", "parent-zone-name", in2021},
	{"DescribeInstances", "association.allocation-id", "network-interface.association.allocation-id", in2015},
	{"DescribeInstances", "association.association-id", "network-interface.association.association-id", in2015},
	{"DescribeInstances", "association.ip-owner-id", "network-interface.association.ip-owner-id", in2015},
	{"DescribeInstances", "association.public-ip", "network-interface.association.public-ip", in2015},
	{"DescribeInstances", "group-id", "", in2021 + ": \"EC2-Classic only\""},
	{"DescribeInstances", "group-name", "", in2021 + ": \"EC2-Classic only\""},
	{"DescribeInstances", "network-interface-private-dns-name", "network-interface.private-dns-name", in2015},
	{"DescribeNetworkInterfaces", "attachment.attach.time", "attachment.attach-time", in2017},
	{"DescribeNetworkInterfaces", "attachment.nat-gateway-id", "", in2017},
	{"DescribeNetworkInterfaces", "group-name", "", in2021},
	{"DescribeSubnets", "availabilityZone", "availability-zone", in2021 + "; data source aws_subnet of Terraform"},
	{"DescribeSubnets", "availabilityZoneId", "availability-zone-id", in2021 + "; data source aws_subnet of Terraform"},
	{"DescribeSubnets", "cidr", "cidr-block", in2021},
	{"DescribeSubnets", "cidrBlock", "cidr-block", in2021 + "; data source aws_subnet of Terraform"},
	{"DescribeSubnets", "defaultForAz", "default-for-az", in2021 + "; data source aws_subnet of Terraform"},
	{"DescribeSubnets", "vpcId", "vpc-id", inBoto + "; shell scripts that deploy into the default VPC"},
	{"DescribeVpcs", "cidr-block", "cidr", "module ec2_vpc_net of Ansible's amazon.aws; shell scripts that look for a VPC before they make it"},
	{"DescribeVpcs", "cidrBlock", "cidr", inBoto},
	{"DescribeVpcs", "dhcpOptionsId", "dhcp-options-id", inBoto},
	{"DescribeVpcs", "isDefault", "is-default", in2021 + "; data source aws_vpc of Terraform"},
}

// currentName is the name by which the fields of an action have a filter.
func currentName(action, name string) string {
	for _, a := range filterAliases {
		if a.action == action && a.name == name && a.is != "" {
			return a.is
		}
	}
	return name
}

// tagField is the filter of an action with tags that goes by the tags of a row,
// nil if the name is none of these. Each looks at all tags by itself: a row with
// the key in one tag and the value in another holds tag-key and tag-value (EC2
// User Guide, "Filter resources by tag").
func (f *filterable[T]) tagField(name string) field[T] {
	if f.tags == nil {
		return nil
	}
	of := func(holds func(key, value string, match func(string) bool) bool) field[T] {
		return func(_ *call, row T, match func(string) bool) bool {
			for k, v := range f.tags(row) {
				if holds(k, v, match) {
					return true
				}
			}
			return false
		}
	}
	switch key, one := strings.CutPrefix(name, tagPrefix); {
	case one && key != "":
		return func(_ *call, row T, match func(string) bool) bool {
			v, has := f.tags(row)[key]
			return has && match(v)
		}
	case name == "tag-key":
		return of(func(k, _ string, match func(string) bool) bool { return match(k) })
	case name == "tag-value":
		return of(func(_, v string, match func(string) bool) bool { return match(v) })
	}
	return nil
}
