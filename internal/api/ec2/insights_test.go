package ec2

import "testing"

func walkInsights(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("CreateNetworkInsightsPath", "Source="+w.a, "Destination="+w.b, "Protocol=tcp", "DestinationPort=22", "ClientToken=insights",
		"TagSpecification.1.ResourceType=network-insights-path", "TagSpecification.1.Tag.1.Key=Name", "TagSpecification.1.Tag.1.Value=ssh")
	path := r.text("networkInsightsPath.networkInsightsPathId")
	if got := r.text("networkInsightsPath.sourceArn"); got != "arn:aws:ec2:us-east-1:"+DefaultAccount+":instance/"+w.a {
		t.Errorf("source %s", got)
	}
	// What the group allows by now others have decided: closed, then open.
	closed := l.must("CreateSecurityGroup", "VpcId="+w.vpc, "GroupName=closed", "GroupDescription=closed").text("groupId")
	eni := l.must("DescribeInstances", "InstanceId.1="+w.b).text("reservationSet.1.instancesSet.1.networkInterfaceSet.1.networkInterfaceId")
	l.must("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "SecurityGroupId.1="+closed)
	first := l.must("StartNetworkInsightsAnalysis", "NetworkInsightsPathId="+path, "ClientToken=one")
	a := "networkInsightsAnalysis."
	if first.text(a+"networkPathFound") != "false" || first.text(a+"explanationSet.1.explanationCode") != "ENI_SG_RULES_MISMATCH" ||
		first.text(a+"explanationSet.1.securityGroupSet.1.id") != closed || first.text(a+"explanationSet.1.direction") != "ingress" {
		t.Errorf("closed: %s", first.raw)
	}
	l.must("AuthorizeSecurityGroupIngress", "GroupId="+closed, "IpProtocol=tcp", "FromPort=22", "ToPort=22", "CidrIp=10.0.0.0/16")
	second := l.must("StartNetworkInsightsAnalysis", "NetworkInsightsPathId="+path, "ClientToken=two")
	if second.text(a+"networkPathFound") != "true" || second.text(a+"forwardPathComponentSet.1.component.id") != w.a ||
		second.count(a+"returnPathComponentSet") < 3 || second.count(a+"explanationSet") > 0 {
		t.Errorf("open: %s", second.raw)
	}
	if again := l.must("StartNetworkInsightsAnalysis", "NetworkInsightsPathId="+path, "ClientToken=two"); again.text(a+"networkInsightsAnalysisId") != second.text(a+"networkInsightsAnalysisId") {
		t.Error("one token, two analyses")
	}
	r = l.must("DescribeNetworkInsightsAnalyses", "NetworkInsightsPathId="+path, "Filter.1.Name=path-found", "Filter.1.Value.1=true")
	if r.count("networkInsightsAnalysisSet") != 1 || r.text("networkInsightsAnalysisSet.1.status") != "succeeded" {
		t.Errorf("found: %s", r.raw)
	}
	if n := l.must("DescribeNetworkInsightsPaths", "Filter.1.Name=source", "Filter.1.Value.1="+w.a, "Filter.2.Name=tag:Name", "Filter.2.Value.1=ssh").count("networkInsightsPathSet"); n != 1 {
		t.Errorf("%d paths", n)
	}
	l.refused("AnalysisExistsForNetworkInsightsPath", "DeleteNetworkInsightsPath", "NetworkInsightsPathId="+path)
	for _, r := range []*reply{first, second} {
		l.must("DeleteNetworkInsightsAnalysis", "NetworkInsightsAnalysisId="+r.text(a+"networkInsightsAnalysisId"))
	}
	l.must("DeleteNetworkInsightsPath", "NetworkInsightsPathId="+path)
	l.refused("InvalidNetworkInsightsPathId.NotFound", "StartNetworkInsightsAnalysis", "NetworkInsightsPathId="+path, "ClientToken=three")
	for _, bad := range [][]string{
		{"UnsupportedOperation", "Source=tgw-0123456789abcdef0", "Destination=" + w.b, "Protocol=tcp"},
		{"InvalidParameterValue", "Source=" + w.vpc, "Destination=" + w.b, "Protocol=tcp"},
		{"InvalidParameterValue", "Source=" + w.a, "Destination=" + w.a, "Protocol=tcp"},
		{"InvalidParameterValue", "Source=" + w.a, "Destination=" + w.b, "Protocol=icmp"},
		{"InvalidParameterValue", "Source=" + w.a, "DestinationIp=somewhere", "Protocol=tcp"},
		{"MissingParameter", "Source=" + w.a, "Protocol=tcp"},
		{"InvalidInstanceID.NotFound", "Source=i-00000000000000000", "Destination=" + w.b, "Protocol=tcp"},
	} {
		l.refused(bad[0], "CreateNetworkInsightsPath", append(bad[1:], "ClientToken=bad")...)
	}
	l.must("ModifyNetworkInterfaceAttribute", "NetworkInterfaceId="+eni, "SecurityGroupId.1="+w.group)
	l.must("DeleteSecurityGroup", "GroupId="+closed)
}
