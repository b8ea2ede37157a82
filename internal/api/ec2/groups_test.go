package ec2

import (
	"strings"
	"testing"
)

// walkRules changes rules and asks for what refers to groups.
func walkRules(t *testing.T, l *lab, w world) {
	t.Helper()
	list := l.must("CreateManagedPrefixList", "PrefixListName=office", "AddressFamily=IPv4", "MaxEntries=20", "Entry.1.Cidr=10.9.0.0/16",
		"Entry.1.Description=headquarters", "TagSpecification.1.ResourceType=prefix-list", "TagSpecification.1.Tag.1.Key=role",
		"TagSpecification.1.Tag.1.Value=office").text("prefixList.prefixListId")
	r := l.must("AuthorizeSecurityGroupIngress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=443",
		"IpPermissions.1.ToPort=443", "IpPermissions.1.PrefixListIds.1.PrefixListId="+list, "IpPermissions.1.IpRanges.1.CidrIp=10.1.2.3/8",
		"TagSpecification.1.ResourceType=security-group-rule", "TagSpecification.1.Tag.1.Key=role", "TagSpecification.1.Tag.1.Value=https")
	rule := map[bool]string{}
	for i := range r.at("securityGroupRuleSet").Children {
		e := &r.at("securityGroupRuleSet").Children[i]
		rule[e.at("prefixListId") != nil] = e.text("securityGroupRuleId")
		if e.text("tagSet.1.value") != "https" {
			t.Errorf("a rule without its tag: %s", r.raw)
		}
	}
	l.must("CreateTags", "ResourceId.1="+rule[true], "Tag.1.Key=role", "Tag.1.Value=office")
	r = l.must("DescribeSecurityGroupRules", "Filter.1.Name=tag:role", "Filter.1.Value.1=office")
	if r.count("securityGroupRuleSet") != 1 || r.text("securityGroupRuleSet.1.prefixListId") != list {
		t.Errorf("rules by tag %s", r.raw)
	}
	if n := l.must("DescribeSecurityGroups", "Filter.1.Name=ip-permission.prefix-list-id", "Filter.1.Value.1="+list).count("securityGroupInfo"); n != 1 {
		t.Errorf("%d groups name the list", n)
	}
	l.must("ModifySecurityGroupRules", "GroupId="+w.group, "SecurityGroupRule.1.SecurityGroupRuleId="+rule[false],
		"SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp", "SecurityGroupRule.1.SecurityGroupRule.FromPort=8443",
		"SecurityGroupRule.1.SecurityGroupRule.ToPort=8443", "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.2.0.0/16")
	r = l.must("DescribeSecurityGroupRules", "SecurityGroupRuleId.1="+rule[false])
	if r.text("securityGroupRuleSet.1.fromPort") != "8443" || r.text("securityGroupRuleSet.1.cidrIpv4") != "10.2.0.0/16" || r.text("securityGroupRuleSet.1.tagSet.1.value") != "https" {
		t.Errorf("modified rule %s", r.raw)
	}
	l.must("UpdateSecurityGroupRuleDescriptionsIngress", "GroupId="+w.group, "SecurityGroupRuleDescription.1.SecurityGroupRuleId="+rule[false],
		"SecurityGroupRuleDescription.1.Description=second door")
	l.must("UpdateSecurityGroupRuleDescriptionsEgress", "GroupId="+w.group, "IpPermissions.1.IpProtocol=-1",
		"IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0", "IpPermissions.1.IpRanges.1.Description=out")
	if r := l.must("DescribeSecurityGroups", "GroupId.1="+w.group); !strings.Contains(string(r.raw), "second door") || !strings.Contains(string(r.raw), "<description>out<") {
		t.Errorf("descriptions %s", r.raw)
	}
	walkPrefixList(t, l, list)
	l.refused("DependencyViolation", "DeleteManagedPrefixList", "PrefixListId="+list)
	l.must("RevokeSecurityGroupIngress", "GroupId="+w.group, "SecurityGroupRuleId.1="+rule[true], "SecurityGroupRuleId.2="+rule[false])
	l.must("DeleteManagedPrefixList", "PrefixListId="+list)

	if n := l.must("GetSecurityGroupsForVpc", "VpcId="+w.vpc).count("securityGroupForVpcSet"); n != 2 {
		t.Errorf("%d groups in the VPC, want the default one and web", n)
	}
	l.must("DescribeSecurityGroupReferences", "GroupId.1="+w.group)
	l.must("DescribeStaleSecurityGroups", "VpcId="+w.vpc)
}

func walkPrefixList(t *testing.T, l *lab, list string) {
	t.Helper()
	l.refused("PrefixListVersionMismatch", "ModifyManagedPrefixList", "PrefixListId="+list, "CurrentVersion=7", "AddEntry.1.Cidr=10.8.0.0/16")
	r := l.must("ModifyManagedPrefixList", "PrefixListId="+list, "CurrentVersion=1", "AddEntry.1.Cidr=10.8.0.0/16", "RemoveEntry.1.Cidr=10.9.0.0/16")
	if r.text("prefixList.version") != "2" || r.text("prefixList.state") != "modify-complete" {
		t.Errorf("modified %s", r.raw)
	}
	if got := l.must("GetManagedPrefixListEntries", "PrefixListId="+list).text("entrySet.1.cidr"); got != "10.8.0.0/16" {
		t.Errorf("entry %s", got)
	}
	if got := l.must("GetManagedPrefixListEntries", "PrefixListId="+list, "TargetVersion=1").text("entrySet.1.description"); got != "headquarters" {
		t.Errorf("the first version's entry is %s", got)
	}
	l.refused("InvalidParameterValue", "GetManagedPrefixListEntries", "PrefixListId="+list, "TargetVersion=3")
	if n := l.must("DescribeManagedPrefixLists", "Filter.1.Name=owner-id", "Filter.1.Value.1="+DefaultAccount).count("prefixListSet"); n != 1 {
		t.Errorf("%d lists of the account", n)
	}
	r = l.must("DescribePrefixLists", "Filter.1.Name=prefix-list-name", "Filter.1.Value.1=com.amazonaws.us-east-1.s3")
	s3 := r.text("prefixListSet.1.prefixListId")
	if s3 != "pl-63a5400a" || r.count("prefixListSet.1.cidrSet") == 0 {
		t.Errorf("AWS's lists %s", r.raw)
	}
	l.refused("OperationNotPermitted", "DeleteManagedPrefixList", "PrefixListId="+s3)
}

func walkFlowLogs(t *testing.T, l *lab, w world) {
	t.Helper()
	create := []string{"ResourceId.1=" + w.vpc, "ResourceType=VPC", "TrafficType=ALL", "LogDestinationType=s3",
		"LogDestination=arn:aws:s3:::logs", "MaxAggregationInterval=60", "DestinationOptions.HourlyPartition=true"}
	l.refused("UnknownParameter", "CreateFlowLogs", create...)
	create = create[:len(create)-1]
	id := l.must("CreateFlowLogs", create...).text("flowLogIdSet.1")
	r := l.must("CreateFlowLogs", create...)
	if r.text("unsuccessful.1.error.code") != "FlowLogAlreadyExists" || r.text("unsuccessful.1.resourceId") != w.vpc || r.count("flowLogIdSet") != 0 {
		t.Errorf("the same flow log twice: %s", r.raw)
	}
	r = l.must("DescribeFlowLogs", "Filter.1.Name=resource-id", "Filter.1.Value.1="+w.vpc)
	if r.text("flowLogSet.1.flowLogId") != id || r.text("flowLogSet.1.maxAggregationInterval") != "60" || !strings.HasPrefix(r.text("flowLogSet.1.logFormat"), "${version} ") {
		t.Errorf("flow logs %s", r.raw)
	}
	r = l.must("DeleteFlowLogs", "FlowLogId.1="+id, "FlowLogId.2=fl-00000000000000000")
	if r.text("unsuccessful.1.error.code") != "InvalidFlowLogId.NotFound" || r.count("unsuccessful") != 1 {
		t.Errorf("deleting %s", r.raw)
	}
}

// Error texts of flow logs (recorded from AWS by others).
func TestFlowLogRefusals(t *testing.T) {
	l := newLab(t)
	w := l.world()
	base := []string{"ResourceId.1=" + w.vpc, "ResourceType=VPC"}
	for _, tt := range []struct {
		code, text string
		params     []string
	}{
		{"InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.", []string{"TrafficType=ALL"}},
		{"InvalidParameter", "Please only provide LogGroupName or only provide LogDestination.",
			[]string{"TrafficType=ALL", "LogGroupName=g", "LogDestination=arn:aws:s3:::b"}},
		{"InvalidParameter", "LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
			[]string{"TrafficType=ALL", "LogGroupName=g", "LogDestinationType=s3"}},
		{"MissingParameter", "The request must contain the parameter trafficType",
			[]string{"LogDestinationType=s3", "LogDestination=arn:aws:s3:::b"}},
		{"InvalidParameter", "MaxAggregationInterval: 61 is not valid, want 60 or 600",
			[]string{"TrafficType=ALL", "LogDestinationType=s3", "LogDestination=arn:aws:s3:::b", "MaxAggregationInterval=61"}},
		{"InvalidParameter", "LogFormat: ${colour} is not a valid field",
			[]string{"TrafficType=ALL", "LogDestinationType=s3", "LogDestination=arn:aws:s3:::b", "LogFormat=${version} ${colour}"}},
	} {
		if r := l.refused(tt.code, "CreateFlowLogs", append(base, tt.params...)...); r.message() != tt.text {
			t.Errorf("%v: %s, want %s", tt.params, r.message(), tt.text)
		}
	}
	l.refused("InvalidVpcID.NotFound", "CreateFlowLogs", "ResourceId.1=vpc-00000000000000000", "ResourceType=VPC", "TrafficType=ALL",
		"LogDestinationType=s3", "LogDestination=arn:aws:s3:::b")
	if n := len(l.svc.State().FlowLogs()); n != 0 {
		t.Errorf("%d flow logs of refused requests", n)
	}
}

// The default VPC knows its groups by name, and forgives the revocation of what
// is not there.
func TestDefaultVPCGroups(t *testing.T) {
	l := newLab(t)
	w := l.world()
	id := l.must("CreateSecurityGroup", "GroupName=legacy", "GroupDescription=by name").text("groupId")
	if got := l.must("DescribeSecurityGroups", "GroupName.1=legacy").text("securityGroupInfo.1.groupId"); got != id {
		t.Errorf("the group by its name is %s", got)
	}
	r := l.must("AuthorizeSecurityGroupIngress", "GroupName=legacy", "SourceSecurityGroupName=default")
	if n := r.count("securityGroupRuleSet"); n != 3 {
		t.Errorf("%d rules of a source group alone, want TCP, UDP and ICMP", n)
	}
	l.must("AuthorizeSecurityGroupIngress", "GroupName=legacy", "IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=22",
		"IpPermissions.1.ToPort=22", "IpPermissions.1.Groups.1.GroupName=legacy")
	absent := []string{"IpPermissions.1.IpProtocol=tcp", "IpPermissions.1.FromPort=1", "IpPermissions.1.ToPort=1",
		"IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8", "IpPermissions.2.IpProtocol=tcp", "IpPermissions.2.FromPort=22",
		"IpPermissions.2.ToPort=22", "IpPermissions.2.Groups.1.GroupId=" + id}
	r = l.must("RevokeSecurityGroupIngress", append(absent, "GroupId="+id)...)
	if r.count("unknownIpPermissionSet") != 1 || r.text("unknownIpPermissionSet.1.ipRanges.1.cidrIp") != "10.0.0.0/8" ||
		r.count("revokedSecurityGroupRuleSet") != 1 {
		t.Errorf("revoked %s", r.raw)
	}
	r = l.refused("InvalidPermission.NotFound", "RevokeSecurityGroupIngress", append(absent[:4:4], "GroupId="+w.group)...)
	if r.message() != "The specified rule does not exist in this security group." {
		t.Error(r.message())
	}
	l.refused("InvalidGroup.NotFound", "DescribeSecurityGroups", "GroupName.1=nobody")
	l.must("DeleteSecurityGroup", "GroupName=legacy")
}

// Every error of security groups, by the condition that makes it.
func TestSecurityGroupErrors(t *testing.T) {
	l := newLab(t)
	w := l.world()
	other := l.must("CreateVpc", "CidrBlock=10.1.0.0/16").text("vpc.vpcId")
	foreign := l.must("CreateSecurityGroup", "VpcId="+other, "GroupName=far", "GroupDescription=far").text("groupId")
	standard := l.must("DescribeSecurityGroups", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+w.vpc, "Filter.2.Name=group-name",
		"Filter.2.Value.1=default").text("securityGroupInfo.1.groupId")
	list := l.must("CreateManagedPrefixList", "PrefixListName=big", "AddressFamily=IPv4", "MaxEntries=60").text("prefixList.prefixListId")
	in := func(params ...string) []string { return append([]string{"GroupId=" + w.group}, params...) }
	l.must("AuthorizeSecurityGroupIngress", in("IpProtocol=tcp", "FromPort=22", "ToPort=22", "CidrIp=0.0.0.0/0")...)
	rule := l.must("DescribeSecurityGroupRules", "Filter.1.Name=group-id", "Filter.1.Value.1="+w.group).text("securityGroupRuleSet.1.securityGroupRuleId")
	const bad = "InvalidParameterValue"
	for _, tt := range []struct {
		condition, code, text, action string
		params                        []string
	}{
		{"delete the default group", "CannotDelete", `the specified group: "` + standard + `" name: "default" cannot be deleted by a user`,
			"DeleteSecurityGroup", []string{"GroupId=" + standard}},
		{"reserved name", bad, "Cannot use reserved security group name: default", "CreateSecurityGroup",
			[]string{"VpcId=" + w.vpc, "GroupName=default", "GroupDescription=x"}},
		{"duplicate name", "InvalidGroup.Duplicate", "The security group 'web' already exists for VPC '" + w.vpc + "'", "CreateSecurityGroup",
			[]string{"VpcId=" + w.vpc, "GroupName=web", "GroupDescription=x"}},
		{"duplicate rule", "InvalidPermission.Duplicate",
			`the specified rule "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW" already exists`, "AuthorizeSecurityGroupIngress",
			in("IpProtocol=6", "FromPort=22", "ToPort=22", "CidrIp=0.0.0.0/0")},
		{"duplicate rule of all protocols", "InvalidPermission.Duplicate", `the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists`,
			"AuthorizeSecurityGroupEgress", in("IpPermissions.1.IpProtocol=-1", "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")},
		{"more rules than the quota", "RulesPerSecurityGroupLimitExceeded",
			"The maximum number of rules per security group has been reached.", "AuthorizeSecurityGroupIngress",
			in("IpPermissions.1.IpProtocol=-1", "IpPermissions.1.PrefixListIds.1.PrefixListId="+list)},
		{"unknown prefix list", "InvalidPrefixListID.NotFound", "The prefix list ID 'pl-00000000000000000' does not exist",
			"AuthorizeSecurityGroupIngress", in("IpPermissions.1.IpProtocol=-1", "IpPermissions.1.PrefixListIds.1.PrefixListId=pl-00000000000000000")},
		{"group of another VPC", "InvalidGroup.NotFound", "You have specified two resources that belong to different networks.",
			"AuthorizeSecurityGroupIngress", in("IpPermissions.1.IpProtocol=-1", "IpPermissions.1.Groups.1.GroupId="+foreign)},
		{"unknown rule id", "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID 'sgr-00000000000000000' does not exist",
			"RevokeSecurityGroupIngress", in("SecurityGroupRuleId.1=sgr-00000000000000000")},
		{"delete a group in use", "DependencyViolation", "resource " + w.group + " has a dependent object", "DeleteSecurityGroup", in()},
		{"bad CIDR", bad, "CIDR block 10.0.0.0/33 is malformed", "AuthorizeSecurityGroupIngress",
			in("IpProtocol=-1", "CidrIp=10.0.0.0/33")},
		{"no protocol", bad, "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.",
			"AuthorizeSecurityGroupIngress", in("CidrIp=10.0.0.0/8")},
		{"TCP without ports", bad, "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
			"AuthorizeSecurityGroupIngress", in("IpProtocol=tcp", "CidrIp=10.0.0.0/8")},
		{"ports the wrong way round", bad, "Invalid TCP/UDP port range (2:1)", "AuthorizeSecurityGroupIngress",
			in("IpProtocol=tcp", "FromPort=2", "ToPort=1", "CidrIp=10.0.0.0/8")},
		{"bad description", bad, "Invalid rule description. Valid descriptions are strings less than 256 characters from the following " +
			"set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*", "AuthorizeSecurityGroupIngress",
			in("IpPermissions.1.IpProtocol=-1", "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8", "IpPermissions.1.IpRanges.1.Description=<b>")},
		{"another type of source", bad, "The type of the security group rule '" + rule + "' cannot be changed.", "ModifySecurityGroupRules",
			in("SecurityGroupRule.1.SecurityGroupRuleId="+rule, "SecurityGroupRule.1.SecurityGroupRule.IpProtocol=-1",
				"SecurityGroupRule.1.SecurityGroupRule.CidrIpv6=::/0")},
	} {
		if r := l.refused(tt.code, tt.action, tt.params...); r.message() != tt.text {
			t.Errorf("%s:\n  %s\nwant\n  %s", tt.condition, r.message(), tt.text)
		}
	}
}
