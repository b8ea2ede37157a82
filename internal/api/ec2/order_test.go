package ec2

import (
	"strings"
	"testing"
)

// texts are those at one path of every item of a list.
func (e *element) texts(list, path string) (all []string) {
	if found := e.at(list); found != nil {
		for i := range found.Children {
			all = append(all, found.Children[i].text(path))
		}
	}
	return all
}

func inOrder(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What one launch made is listed in the order of its indexes, however it is asked
// for: whole, by its ids in another order, page by page.
func TestOrderOfALaunch(t *testing.T) {
	l := newLab(t)
	w := l.world()
	const n = 12
	ids := l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "MinCount="+number(n), "MaxCount="+number(n), "SubnetId="+w.subnet).texts("instancesSet", "instanceId")
	if len(ids) != n {
		t.Fatalf("%d instances", len(ids))
	}
	all := l.must("DescribeInstances")
	if got := all.count("reservationSet"); got != 3 {
		t.Errorf("%d reservations, want that of the launch and two of one instance", got)
	}
	inOrder(t, "all", all.texts("reservationSet.3.instancesSet", "instanceId"), ids...)
	var backwards []string
	for i, id := range ids {
		backwards = append(backwards, "InstanceId."+number(n-i)+"="+id)
	}
	inOrder(t, "by ids", l.must("DescribeInstances", backwards...).texts("reservationSet.1.instancesSet", "instanceId"), ids...)
	var paged []string
	for token := ""; ; {
		params := []string{"MaxResults=5", "Filter.1.Name=instance-id"}
		for i, id := range ids {
			params = append(params, "Filter.1.Value."+number(i+1)+"="+id)
		}
		if token != "" {
			params = append(params, "NextToken="+token)
		}
		r := l.must("DescribeInstances", params...)
		paged = append(paged, r.texts("reservationSet.1.instancesSet", "instanceId")...)
		if token = r.text("nextToken"); token == "-" || token == "" {
			break
		}
	}
	inOrder(t, "page by page", paged, ids...)
	inOrder(t, "statuses", l.must("DescribeInstanceStatus", append(backwards, "IncludeAllInstances=true")...).texts("instanceStatusSet", "instanceId"), ids...)
	if r := l.must("DescribeInstances", "InstanceId.1="+ids[0]); r.at("reservationSet.1.instancesSet.1.tagSet") != nil {
		t.Errorf("an instance without tags has a tagSet: %s", r.raw)
	}
	l.must("CreateTags", "ResourceId.1="+ids[0], "Tag.1.Key=a", "Tag.1.Value=")
	if got := l.must("DescribeInstances", "InstanceId.1="+ids[0]).text("reservationSet.1.instancesSet.1.tagSet.1.key"); got != "a" {
		t.Errorf("its tag is %s", got)
	}
}

// Rules, their permissions and the sources of these stand in the order in which
// they were given.
func TestOrderOfRules(t *testing.T) {
	l := newLab(t)
	w := l.world()
	group := "GroupId=" + w.group
	permission := func(n, protocol, port string, cidrs ...string) []string {
		p := "IpPermissions." + n + "."
		params := []string{p + "IpProtocol=" + protocol, p + "FromPort=" + port, p + "ToPort=" + port}
		for i, cidr := range cidrs {
			params = append(params, p+"IpRanges."+number(i+1)+".CidrIp="+cidr)
		}
		return params
	}
	given := append(permission("1", "udp", "53", "10.9.0.0/16", "10.1.0.0/16", "10.5.0.0/16"), permission("2", "tcp", "443", "0.0.0.0/0")...)
	given = append(given, permission("3", "tcp", "22", "10.3.0.0/16")...)
	made := l.must("AuthorizeSecurityGroupIngress", append(given, group)...).texts("securityGroupRuleSet", "securityGroupRuleId")
	made = append(made, l.must("AuthorizeSecurityGroupIngress", append(permission("1", "udp", "53", "10.0.0.0/16"), group)...).
		texts("securityGroupRuleSet", "securityGroupRuleId")...)
	r := l.must("DescribeSecurityGroups", "GroupId.1="+w.group)
	inOrder(t, "permissions", r.texts("securityGroupInfo.1.ipPermissions", "fromPort"), "53", "443", "22")
	inOrder(t, "ranges", r.texts("securityGroupInfo.1.ipPermissions.1.ipRanges", "cidrIp"), "10.9.0.0/16", "10.1.0.0/16", "10.5.0.0/16", "10.0.0.0/16")
	egress := l.must("DescribeSecurityGroups", "GroupId.1="+w.group).text("securityGroupInfo.1.ipPermissionsEgress.1.ipProtocol")
	rules := l.must("DescribeSecurityGroupRules", "Filter.1.Name=group-id", "Filter.1.Value.1="+w.group)
	if got := rules.text("securityGroupRuleSet.1.isEgress"); got != "true" || egress != "-1" {
		t.Errorf("the first rule is that which the group came with: %s, %s", got, egress)
	}
	inOrder(t, "rules", rules.texts("securityGroupRuleSet", "securityGroupRuleId")[1:], made...)
	// A change leaves a rule where it was.
	l.must("ModifySecurityGroupRules", group, "SecurityGroupRule.1.SecurityGroupRuleId="+made[1], "SecurityGroupRule.1.SecurityGroupRule.IpProtocol=udp",
		"SecurityGroupRule.1.SecurityGroupRule.FromPort=53", "SecurityGroupRule.1.SecurityGroupRule.ToPort=53", "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.2.0.0/16")
	inOrder(t, "ranges", l.must("DescribeSecurityGroups", "GroupId.1="+w.group).texts("securityGroupInfo.1.ipPermissions.1.ipRanges", "cidrIp"),
		"10.9.0.0/16", "10.2.0.0/16", "10.5.0.0/16", "10.0.0.0/16")
}
