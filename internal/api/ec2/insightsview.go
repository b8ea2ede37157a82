package ec2

import (
	"net/netip"
	"strconv"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func (c *call) insightsAnalysis(a *control.InsightsAnalysis) model.NetworkInsightsAnalysis {
	m := model.NetworkInsightsAnalysis{
		NetworkInsightsAnalysisId: &a.ID, NetworkInsightsAnalysisArn: new(c.arn("network-insights-analysis", a.ID)), NetworkInsightsPathId: &a.Path,
		StartDate: &a.CreatedAt, Status: new(analysisStatus), NetworkPathFound: &a.Found, WarningMessage: text(a.Warning), Tags: someTags(a.Tags),
	}
	for i := range a.Forward {
		m.ForwardPathComponents = append(m.ForwardPathComponents, c.pathComponent(i+1, &a.Forward[i]))
	}
	for i := range a.Return {
		m.ReturnPathComponents = append(m.ReturnPathComponents, c.pathComponent(i+1, &a.Return[i]))
	}
	for i := range a.Explanations {
		m.Explanations = append(m.Explanations, c.explanation(&a.Explanations[i]))
	}
	return m
}

// analysisComponent names a resource; nil: none.
func (c *call) analysisComponent(id string) *model.AnalysisComponent {
	if id == "" {
		return nil
	}
	return &model.AnalysisComponent{Id: &id, Arn: c.arnOf(id)}
}

func (c *call) pathComponent(n int, p *control.InsightsPart) model.PathComponent {
	m := model.PathComponent{
		SequenceNumber: &n, Component: c.analysisComponent(p.Component), AttachedTo: c.analysisComponent(p.AttachedTo), Vpc: c.analysisComponent(p.VPC),
		Subnet: c.analysisComponent(p.Subnet), AclRule: analysisEntry(p.ACLEntry), SecurityGroupRule: analysisRule(p.Group, p.GroupRule), RouteTableRoute: analysisRoute(p.Route),
		InboundHeader: packetHeader(p.Protocol, p.InSource, p.InTarget),
	}
	if p.OutSource != p.InSource || p.OutTarget != p.InTarget {
		m.OutboundHeader = packetHeader(p.Protocol, p.OutSource, p.OutTarget)
	}
	return m
}

func (c *call) explanation(p *control.InsightsPart) model.Explanation {
	m := model.Explanation{
		ExplanationCode: &p.Code, Direction: text(p.Direction), Component: c.analysisComponent(p.Component), Vpc: c.analysisComponent(p.VPC),
		Subnet: c.analysisComponent(p.Subnet), Acl: c.analysisComponent(p.ACL), AclRule: analysisEntry(p.ACLEntry), RouteTable: c.analysisComponent(p.RouteTable),
		RouteTableRoute: analysisRoute(p.Route), NetworkInterface: c.analysisComponent(p.Interface), InternetGateway: c.analysisComponent(p.Gateway),
		Protocols: []string{p.Protocol},
	}
	for _, id := range p.Groups {
		m.SecurityGroups = append(m.SecurityGroups, *c.analysisComponent(id))
	}
	if to, err := netip.ParseAddrPort(p.InTarget); err == nil {
		m.Address, m.Port = new(to.Addr().String()), new(int(to.Port()))
	}
	return m
}

func packetHeader(protocol, source, target string) *model.AnalysisPacketHeader {
	from, err := netip.ParseAddrPort(source)
	to, err2 := netip.ParseAddrPort(target)
	if err != nil || err2 != nil {
		return nil
	}
	// EC2 spells it as an IANA number.
	number := map[string]string{"tcp": "6", "udp": "17"}[protocol]
	port := func(a netip.AddrPort) []model.PortRange {
		n := int(a.Port())
		return []model.PortRange{{From: &n, To: &n}}
	}
	cidr := func(a netip.AddrPort) []string {
		return []string{netip.PrefixFrom(a.Addr(), a.Addr().BitLen()).String()}
	}
	return &model.AnalysisPacketHeader{
		Protocol: &number, SourceAddresses: cidr(from), DestinationAddresses: cidr(to), SourcePortRanges: port(from), DestinationPortRanges: port(to),
	}
}

func analysisEntry(e *control.NetworkACLEntry) *model.AnalysisAclRule {
	if e == nil {
		return nil
	}
	action := "deny"
	if e.Allow {
		action = "allow"
	}
	r := &model.AnalysisAclRule{
		Cidr: new(e.CIDR.String()), Egress: &e.Egress, Protocol: new(analysisProtocol(e.Protocol)), RuleAction: &action, RuleNumber: &e.Number,
	}
	if e.Protocol == 6 || e.Protocol == 17 {
		r.PortRange = &model.PortRange{From: &e.FromPort, To: &e.ToPort}
	}
	return r
}

func analysisProtocol(n int) string {
	if n < 0 {
		return "all"
	}
	return strconv.Itoa(n)
}

func analysisRule(group string, r *control.SecurityGroupRule) *model.AnalysisSecurityGroupRule {
	if r == nil {
		return nil
	}
	m := &model.AnalysisSecurityGroupRule{Direction: new("ingress"), Protocol: new(analysisProtocol(r.Protocol)), PrefixListId: text(r.PrefixList)}
	if r.Egress {
		m.Direction = new("egress")
	}
	if r.CIDR.IsValid() {
		m.Cidr = new(r.CIDR.String())
	}
	m.SecurityGroupId = text(r.Group)
	if r.Group == "" {
		m.SecurityGroupId = text(group)
	}
	if r.Protocol == 6 || r.Protocol == 17 {
		m.PortRange = &model.PortRange{From: &r.FromPort, To: &r.ToPort}
	}
	return m
}

func analysisRoute(r *control.Route) *model.AnalysisRouteTableRoute {
	if r == nil {
		return nil
	}
	m := &model.AnalysisRouteTableRoute{
		NatGatewayId: text(r.NATGateway), NetworkInterfaceId: text(r.Interface), TransitGatewayId: text(r.Transit), VpcPeeringConnectionId: text(r.Peering),
		EgressOnlyInternetGatewayId: text(r.EgressOnly), DestinationPrefixListId: text(r.PrefixList), GatewayId: text(r.Gateway),
	}
	if r.Destination.IsValid() {
		m.DestinationCidr = new(r.Destination.String())
	}
	m.Origin = new("createroute")
	if r.Origin == "CreateRouteTable" {
		m.Origin = new("createroutetable")
	}
	switch {
	case r.Local:
		m.GatewayId = new("local")
	case r.Endpoint != "":
		m.GatewayId = &r.Endpoint
	}
	return m
}
