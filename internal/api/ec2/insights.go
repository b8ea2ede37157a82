package ec2

import (
	"errors"
	"strconv"
	"strings"

	"enilab/internal/answers"
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindInsights(t map[string]handler) {
	bind(t, "Source SourceIp Destination DestinationIp DestinationPort Protocol TagSpecification", createInsightsPath)
	bind(t, "NetworkInsightsPathId Filter MaxResults NextToken", describeInsightsPaths)
	bind(t, "NetworkInsightsPathId", deleteInsightsPath)
	bind(t, "NetworkInsightsPathId TagSpecification", startInsightsAnalysis)
	bind(t, "NetworkInsightsAnalysisId NetworkInsightsPathId AnalysisStartTime AnalysisEndTime Filter MaxResults NextToken", describeInsightsAnalyses)
	bind(t, "NetworkInsightsAnalysisId", deleteInsightsAnalysis)
}

// ownID is the id in an ARN, or what is no ARN as it is.
func ownID(text *string) string {
	id := query.Value(text)
	if strings.HasPrefix(id, "arn:") {
		id = id[strings.LastIndexByte(id, '/')+1:]
	}
	return id
}

func createInsightsPath(c *call, in *model.CreateNetworkInsightsPathRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "network-insights-path")
	if err != nil {
		return nil, err
	}
	p, err := c.command().CreateInsightsPath(c.ctx, control.InsightsPathInput{
		Source: ownID(in.Source), Destination: ownID(in.Destination), SourceIP: query.Value(in.SourceIp), DestinationIP: query.Value(in.DestinationIp),
		Protocol: query.Value(in.Protocol), Port: query.Value(in.DestinationPort), Tags: tags["network-insights-path"],
	})
	if err != nil {
		return nil, err
	}
	m := c.insightsPath(p)
	return &model.CreateNetworkInsightsPathResult{NetworkInsightsPath: &m}, nil
}

// kindNames are resources in ARNs, by the prefix of their ids.
var kindNames = map[string]string{
	control.InstanceID.Prefix: "instance", control.InterfaceID.Prefix: "network-interface", control.InternetGatewayID.Prefix: "internet-gateway",
	control.GroupID.Prefix: "security-group", control.NetworkACLID.Prefix: "network-acl", control.RouteTableID.Prefix: "route-table",
	control.SubnetID.Prefix: "subnet", control.VPCID.Prefix: "vpc", control.NATGatewayID.Prefix: "natgateway", control.PeeringID.Prefix: "vpc-peering-connection",
	control.TransitGatewayID.Prefix: "transit-gateway", control.VPCEndpointID.Prefix: "vpc-endpoint",
}

// arnOf names a resource by its id.
func (c *call) arnOf(id string) *string {
	prefix, _, _ := strings.Cut(id, "-")
	kind := kindNames[prefix+"-"]
	if kind == "" {
		return nil
	}
	return new(c.arn(kind, id))
}

func (c *call) insightsPath(p *control.InsightsPath) model.NetworkInsightsPath {
	m := model.NetworkInsightsPath{
		NetworkInsightsPathId: &p.ID, NetworkInsightsPathArn: new(c.arn("network-insights-path", p.ID)), CreatedDate: &p.CreatedAt,
		Source: &p.Source, SourceArn: c.arnOf(p.Source), Protocol: &p.Protocol, Tags: someTags(p.Tags),
	}
	if p.Destination != "" {
		m.Destination, m.DestinationArn = &p.Destination, c.arnOf(p.Destination)
	}
	if p.SourceIP.IsValid() {
		m.SourceIp = new(p.SourceIP.String())
	}
	if p.DestinationIP.IsValid() {
		m.DestinationIp = new(p.DestinationIP.String())
	}
	if p.Port != 0 {
		m.DestinationPort = &p.Port
	}
	return m
}

func insightsPathPlace(p *control.InsightsPath) string { return place(p.CreatedAt, p.ID) }

// The filters are of the reference of DescribeNetworkInsightsPaths; paths have no
// filters of packets here.
var insightsPathFilters = filterable[*control.InsightsPath]{
	action: "DescribeNetworkInsightsPaths",
	fields: map[string]field[*control.InsightsPath]{
		"destination": one(func(_ *call, p *control.InsightsPath) string { return p.Destination }),
		"protocol":    one(func(_ *call, p *control.InsightsPath) string { return p.Protocol }),
		"source":      one(func(_ *call, p *control.InsightsPath) string { return p.Source }),
	},
	absent: "filter-at-source.source-address filter-at-source.source-port-range filter-at-source.destination-address" +
		" filter-at-source.destination-port-range filter-at-destination.source-address filter-at-destination.source-port-range" +
		" filter-at-destination.destination-address filter-at-destination.destination-port-range",
	tags: func(p *control.InsightsPath) control.Tags { return p.Tags },
}

func describeInsightsPaths(c *call, in *model.DescribeNetworkInsightsPathsRequest) (result, error) {
	keep, err := insightsPathFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows := c.state.InsightsPaths()
	if len(in.NetworkInsightsPathIds) > 0 {
		if rows, err = findAll(control.InsightsPathID, in.NetworkInsightsPathIds, c.state.InsightsPath); err != nil {
			return nil, err
		}
		rows = sorted(rows, insightsPathPlace)
	}
	rows, next := cutPage(p, rows, insightsPathPlace, keep)
	out := &model.DescribeNetworkInsightsPathsResult{NetworkInsightsPaths: []model.NetworkInsightsPath{}, NextToken: next}
	for _, r := range rows {
		out.NetworkInsightsPaths = append(out.NetworkInsightsPaths, c.insightsPath(r))
	}
	return out, nil
}

func deleteInsightsPath(c *call, in *model.DeleteNetworkInsightsPathRequest) (result, error) {
	return &model.DeleteNetworkInsightsPathResult{NetworkInsightsPathId: in.NetworkInsightsPathId},
		c.command().DeleteInsightsPath(c.ctx, *in.NetworkInsightsPathId)
}

// startInsightsAnalysis has found everything when it answers: nothing has to be
// collected.
func startInsightsAnalysis(c *call, in *model.StartNetworkInsightsAnalysisRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "network-insights-analysis")
	if err != nil {
		return nil, err
	}
	p, err := find(control.InsightsPathID, *in.NetworkInsightsPathId, c.state.InsightsPath)
	if err != nil {
		return nil, err
	}
	// Of all regions: a peering connection may lead into another one.
	found, err := answers.Analyse(c.api.opt.Control.State(), p)
	if refused, ok := errors.AsType[*answers.Refusal](err); ok {
		return nil, invalid("The network insights path %s cannot be analyzed: %s", p.ID, refused) // unverified: the text
	}
	if err != nil {
		return nil, err
	}
	a, err := c.command().KeepInsightsAnalysis(c.ctx, p.ID, tags["network-insights-analysis"], found)
	if err != nil {
		return nil, err
	}
	m := c.insightsAnalysis(a)
	return &model.StartNetworkInsightsAnalysisResult{NetworkInsightsAnalysis: &m}, nil
}

const analysisStatus = "succeeded"

func insightsAnalysisPlace(a *control.InsightsAnalysis) string { return place(a.CreatedAt, a.ID) }

var insightsAnalysisFilters = filterable[*control.InsightsAnalysis]{
	action: "DescribeNetworkInsightsAnalyses",
	fields: map[string]field[*control.InsightsAnalysis]{
		"path-found": one(func(_ *call, a *control.InsightsAnalysis) string { return strconv.FormatBool(a.Found) }),
		"status":     fixed[*control.InsightsAnalysis](analysisStatus),
	},
	tags: func(a *control.InsightsAnalysis) control.Tags { return a.Tags },
}

func describeInsightsAnalyses(c *call, in *model.DescribeNetworkInsightsAnalysesRequest) (result, error) {
	keep, err := insightsAnalysisFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows := c.state.InsightsAnalyses()
	if len(in.NetworkInsightsAnalysisIds) > 0 {
		if rows, err = findAll(control.InsightsAnalysisID, in.NetworkInsightsAnalysisIds, c.state.InsightsAnalysis); err != nil {
			return nil, err
		}
		rows = sorted(rows, insightsAnalysisPlace)
	}
	if id := in.NetworkInsightsPathId; id != nil {
		if _, err := find(control.InsightsPathID, *id, c.state.InsightsPath); err != nil {
			return nil, err
		}
	}
	wanted := func(a *control.InsightsAnalysis) bool {
		switch {
		case in.NetworkInsightsPathId != nil && a.Path != *in.NetworkInsightsPathId,
			in.AnalysisStartTime != nil && a.CreatedAt.Before(*in.AnalysisStartTime),
			in.AnalysisEndTime != nil && a.CreatedAt.After(*in.AnalysisEndTime):
			return false
		}
		return keep(a)
	}
	rows, next := cutPage(p, rows, insightsAnalysisPlace, wanted)
	out := &model.DescribeNetworkInsightsAnalysesResult{NetworkInsightsAnalyses: []model.NetworkInsightsAnalysis{}, NextToken: next}
	for _, r := range rows {
		out.NetworkInsightsAnalyses = append(out.NetworkInsightsAnalyses, c.insightsAnalysis(r))
	}
	return out, nil
}

func deleteInsightsAnalysis(c *call, in *model.DeleteNetworkInsightsAnalysisRequest) (result, error) {
	return &model.DeleteNetworkInsightsAnalysisResult{NetworkInsightsAnalysisId: in.NetworkInsightsAnalysisId},
		c.command().DeleteInsightsAnalysis(c.ctx, *in.NetworkInsightsAnalysisId)
}
