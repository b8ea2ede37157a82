package ec2

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"enilab/internal/api/ec2/model"
)

// Every documented filter of every implemented action is taken, and none that
// is not documented.
func TestEveryFilter(t *testing.T) {
	l := newLab(t)
	w := l.world()
	required := map[string][]string{
		"GetSecurityGroupsForVpc":        {"VpcId=" + w.vpc},
		"GetSubnetCidrReservations":      {"SubnetId=" + w.subnet},
		"DescribeInstanceTypes":          {"MaxResults=5"}, // of which there are many
		"DescribeLaunchTemplateVersions": {"LaunchTemplateVersion.1=$Default"},
	}
	hub := l.hub(w)
	for _, action := range []string{"GetTransitGatewayRouteTableAssociations", "GetTransitGatewayRouteTablePropagations", "SearchTransitGatewayRoutes"} {
		required[action] = []string{"TransitGatewayRouteTableId=" + hub.table}
	}
	required["GetTransitGatewayAttachmentPropagations"] = []string{"TransitGatewayAttachmentId=" + hub.here}
	l.template("filtered", "ImageId=ami-0123456789abcdef0", "NetworkInterface.1.NetworkCardIndex=0")
	for _, action := range slices.Sorted(maps.Keys(model.Filters)) {
		if _, ok := handlers[action]; !ok {
			continue
		}
		params, answers := bareParams(action)
		if !answers {
			continue
		}
		required[action] = append(required[action], params...)
		for _, name := range model.Filters[action] {
			if name == "tag" || strings.HasPrefix(name, "tag:") {
				name = "tag:role"
			}
			value := "*"
			if strings.HasPrefix(name, routeSearch) {
				value = "10.0.0.0/8"
			}
			if r := l.ask(action, append(required[action], "Filter.1.Name="+name, "Filter.1.Value.1="+value)...); r.status != http.StatusOK {
				t.Errorf("%s by %s: %s", action, name, r.raw)
			}
		}
		l.refused("InvalidParameterValue", action, append(required[action], "Filter.1.Name=colour", "Filter.1.Value.1=red")...)
	}
}

// filterWorld is a laboratory in which every action of filterAliases has rows.
func filterWorld(t *testing.T) (*lab, world) {
	l := newLab(t)
	w := l.world()
	igw := l.must("CreateInternetGateway").text("internetGateway.internetGatewayId")
	l.must("AttachInternetGateway", "InternetGatewayId="+igw, "VpcId="+w.vpc)
	l.must("ModifyVpcAttribute", "VpcId="+w.vpc, "EnableDnsHostnames.Value=true")
	l.must("AssociateAddress", "AllocationId="+l.must("AllocateAddress").text("allocationId"), "InstanceId="+w.a)
	l.must("CreateNatGateway", "SubnetId="+w.subnet, "AllocationId="+l.must("AllocateAddress").text("allocationId"))
	return l, w
}

// Every further name of a filter means what the name in the reference means: as
// many rows by any value, by one that some rows have, and by one that none has.
func TestFilterAliases(t *testing.T) {
	l, w := filterWorld(t)
	zone := l.must("DescribeSubnets", "SubnetId.1="+w.subnet).text("subnetSet.1.availabilityZoneId")
	attached := l.must("DescribeNetworkInterfaces", "Filter.1.Name=attachment.instance-id", "Filter.1.Value.1="+w.a)
	held := func(path string) string { return attached.text("networkInterfaceSet.1." + path) }
	// By the further name, so that a row that leads to a wrong filter is seen.
	vpc := l.must("DescribeVpcs", "VpcId.1="+w.vpc)
	values := map[string]string{
		"parent-zoneID": "*", "parent-zoneName": "*", // no zone here has a parent
		"association.allocation-id":          held("association.allocationId"),
		"association.association-id":         held("association.associationId"),
		"association.ip-owner-id":            held("association.ipOwnerId"),
		"association.public-ip":              held("association.publicIp"),
		"network-interface-private-dns-name": held("privateDnsName"),
		"attachment.attach.time":             held("attachment.attachTime"),
		"availabilityZone":                   "us-east-1a",
		"availabilityZoneId":                 zone,
		"cidr":                               "10.0.1.0/24",
		"cidr-block":                         "10.0.0.0/16",
		"cidrBlock":                          "10.0.*", // of the VPC and the subnet
		"defaultForAz":                       "true",
		"isDefault":                          "true",
		"vpcId":                              w.vpc,
		"dhcpOptionsId":                      vpc.text("vpcSet.1.dhcpOptionsId"),
	}
	body := func(action, name, value string) string {
		r := l.must(action, "Filter.1.Name="+name, "Filter.1.Value.1="+value)
		_, rest, _ := strings.Cut(string(r.raw), "</requestId>")
		return rest
	}
	for _, a := range filterAliases {
		if a.seen == "" {
			t.Errorf("%s by %s: nobody was seen to ask so", a.action, a.name)
		}
		if slices.Contains(model.Filters[a.action], a.name) {
			t.Errorf("%s by %s: the reference has that name", a.action, a.name)
		}
		if a.is == "" {
			continue // see TestFormerFilters
		}
		value, ok := values[a.name]
		if !ok {
			t.Errorf("%s by %s: no value to ask for", a.action, a.name)
		}
		all, some, no := body(a.action, a.is, "*"), body(a.action, a.is, value), body(a.action, a.is, "nothing")
		if value != "*" && some == no {
			t.Errorf("%s by %s=%s finds nothing: it proves nothing", a.action, a.is, value)
		}
		if body(a.action, a.name, "*") != all || body(a.action, a.name, value) != some || body(a.action, a.name, "nothing") != no {
			t.Errorf("%s by %s is not as by %s", a.action, a.name, a.is)
		}
	}
	// A name is one action's, not everybody's.
	l.refused("InvalidParameterValue", "DescribeVpcs", "Filter.1.Name=defaultForAz", "Filter.1.Value.1=true")
}

// Filters that the reference no longer has.
func TestFormerFilters(t *testing.T) {
	l, w := filterWorld(t)
	nat := l.must("DescribeNatGateways").text("natGatewaySet.1.natGatewayId")
	tested := make(map[[2]string]bool)
	for _, tt := range []struct {
		action, list, name, value string
		rows                      int
	}{
		{"DescribeAddresses", "addressesSet", "domain", "vpc", 2},
		{"DescribeAddresses", "addressesSet", "domain", "v*", 2},
		{"DescribeAddresses", "addressesSet", "domain", "standard", 0},
		{"DescribeInstances", "reservationSet", "group-name", "web", 0}, // no instance of a VPC has groups of EC2-Classic
		{"DescribeInstances", "reservationSet", "group-id", w.group, 0},
		{"DescribeNetworkInterfaces", "networkInterfaceSet", "group-name", "web", 2},
		{"DescribeNetworkInterfaces", "networkInterfaceSet", "group-name", "w?", 0},
		{"DescribeNetworkInterfaces", "networkInterfaceSet", "attachment.nat-gateway-id", nat, 1},
		{"DescribeNetworkInterfaces", "networkInterfaceSet", "attachment.nat-gateway-id", "*", 1},
	} {
		tested[[2]string{tt.action, tt.name}] = true
		if n := l.must(tt.action, "Filter.1.Name="+tt.name, "Filter.1.Value.1="+tt.value).count(tt.list); n != tt.rows {
			t.Errorf("%s by %s=%s: %d rows, want %d", tt.action, tt.name, tt.value, n, tt.rows)
		}
	}
	for _, a := range filterAliases {
		if a.is == "" && !tested[[2]string{a.action, a.name}] {
			t.Errorf("%s by %s has no test", a.action, a.name)
		}
	}
	l.refused("InvalidParameterValue", "DescribeVpcs", "Filter.1.Name=domain", "Filter.1.Value.1=vpc")
}

// Every action that lists resources with tags takes tag-key, tag-value and
// tag:NAME, the first two each by itself: a key of one tag and a value of another.
func TestTagFilters(t *testing.T) {
	l, w := filterWorld(t)
	l.must("CreateEgressOnlyInternetGateway", "VpcId="+w.vpc)
	l.must("CreateKeyPair", "KeyName=k")
	l.template("tagged", "ImageId=ami-0123456789abcdef0")
	l.must("CreateVpcEndpoint", "VpcId="+w.vpc, "ServiceName=com.amazonaws.us-east-1.s3")
	l.must("CreateFlowLogs", "ResourceType=VPC", "ResourceId.1="+w.vpc, "TrafficType=ALL", "LogDestinationType=s3", "LogDestination=arn:aws:s3:::flows")
	l.must("CreateManagedPrefixList", "PrefixListName=p", "AddressFamily=IPv4", "MaxEntries=1")
	l.must("CreateSubnetCidrReservation", "SubnetId="+w.subnet, "Cidr=10.0.1.128/28", "ReservationType=prefix")
	l.hub(w)
	l.must("CreateVpcPeeringConnection", "VpcId="+w.vpc, "PeerVpcId="+l.must("CreateVpc", "CidrBlock=10.1.0.0/16").text("vpc.vpcId"))
	for _, tt := range []struct {
		action, list, id string
		params           []string
	}{
		{"DescribeAddresses", "addressesSet", "allocationId", nil},
		{"DescribeDhcpOptions", "dhcpOptionsSet", "dhcpOptionsId", nil},
		{"DescribeEgressOnlyInternetGateways", "egressOnlyInternetGatewaySet", "egressOnlyInternetGatewayId", nil},
		{"DescribeFlowLogs", "flowLogSet", "flowLogId", nil},
		{"DescribeInstances", "reservationSet", "instancesSet.1.instanceId", nil},
		{"DescribeInternetGateways", "internetGatewaySet", "internetGatewayId", nil},
		{"DescribeKeyPairs", "keySet", "keyPairId", nil},
		{"DescribeManagedPrefixLists", "prefixListSet", "prefixListId", []string{"PrefixListId.1=" + l.must("DescribeManagedPrefixLists",
			"Filter.1.Name=prefix-list-name", "Filter.1.Value.1=p").text("prefixListSet.1.prefixListId")}},
		{"DescribeNatGateways", "natGatewaySet", "natGatewayId", nil},
		{"DescribeNetworkAcls", "networkAclSet", "networkAclId", nil},
		{"DescribeNetworkInterfaces", "networkInterfaceSet", "networkInterfaceId", nil},
		{"DescribeRouteTables", "routeTableSet", "routeTableId", nil},
		{"DescribeSecurityGroupRules", "securityGroupRuleSet", "securityGroupRuleId", nil},
		{"DescribeSecurityGroups", "securityGroupInfo", "groupId", nil},
		{"DescribeSubnets", "subnetSet", "subnetId", nil},
		{"DescribeVolumes", "volumeSet", "volumeId", nil},
		{"DescribeVpcClassicLink", "vpcSet", "vpcId", nil},
		{"DescribeVpcPeeringConnections", "vpcPeeringConnectionSet", "vpcPeeringConnectionId", nil},
		{"DescribeVpcs", "vpcSet", "vpcId", nil},
		{"GetSecurityGroupsForVpc", "securityGroupForVpcSet", "groupId", []string{"VpcId=" + w.vpc}},
		{"GetSubnetCidrReservations", "subnetIpv4CidrReservationSet", "subnetCidrReservationId", []string{"SubnetId=" + w.subnet}},
		{"DescribeLaunchTemplates", "launchTemplates", "launchTemplateId", nil},
		{"DescribeVpcEndpoints", "vpcEndpointSet", "vpcEndpointId", nil},
		{"DescribeTransitGateways", "transitGatewaySet", "transitGatewayId", nil},
		{"DescribeTransitGatewayAttachments", "transitGatewayAttachments", "transitGatewayAttachmentId", nil},
		{"DescribeTransitGatewayVpcAttachments", "transitGatewayVpcAttachments", "transitGatewayAttachmentId", nil},
		{"DescribeTransitGatewayRouteTables", "transitGatewayRouteTables", "transitGatewayRouteTableId", nil},
	} {
		first := l.must(tt.action, tt.params...)
		id := first.text(tt.list + ".1." + tt.id)
		l.must("CreateTags", "ResourceId.1="+id, "Tag.1.Key=role", "Tag.1.Value=standby", "Tag.2.Key=note", "Tag.2.Value=primary")
		ask := func(want int, filters ...string) {
			t.Helper()
			params := slices.Clone(tt.params)
			for i, f := range filters {
				name, value, _ := strings.Cut(f, "=")
				params = append(params, "Filter."+number(i+1)+".Name="+name, "Filter."+number(i+1)+".Value.1="+value)
			}
			r := l.must(tt.action, params...)
			if n := max(r.count(tt.list), 0); n != want || want == 1 && r.text(tt.list+".1."+tt.id) != id {
				t.Errorf("%s by %v: %d rows, want %d", tt.action, filters, n, want)
			}
		}
		ask(1, "tag-value=standby")
		ask(1, "tag-value=st?ndb*")
		ask(1, "tag-key=note")
		ask(1, "tag:role=standby")
		ask(1, "tag-key=role", "tag-value=primary")
		ask(0, "tag:role=primary")
		ask(0, "tag-value=role")
		ask(0, "tag-key=role", "tag-value=third")
		l.must("DeleteTags", "ResourceId.1="+id)
	}
	// Of what there is none nobody has tags.
	for _, action := range slices.Sorted(maps.Keys(model.Filters)) {
		if _, ok := handlers[action]; ok && slices.Contains(model.Filters[action], "tag-key") {
			if _, answers := bareParams(action); !answers {
				continue
			}
			l.must(action, append(map[string][]string{
				"GetSecurityGroupsForVpc": {"VpcId=" + w.vpc}, "GetSubnetCidrReservations": {"SubnetId=" + w.subnet},
			}[action], "Filter.1.Name=tag-value", "Filter.1.Value.1=*")...)
		}
	}
}
