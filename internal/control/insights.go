package control

import (
	"context"
	"net/netip"
	"strings"
	"time"
)

// InsightsPath is a path that Reachability Analyzer is asked about.
type InsightsPath struct {
	ID            string // "nip-..."
	Region        string
	Source        string // "i-...", "eni-...", "igw-..."
	Destination   string // the same; "": DestinationIP alone
	SourceIP      netip.Addr
	DestinationIP netip.Addr
	Protocol      string // tcp, udp
	Port          int    // of the destination; 0: none was named
	Tags          Tags
	CreatedAt     time.Time
}

// InsightsAnalysis is what was found of a path once. It stays as it is, whatever
// becomes of what it names.
type InsightsAnalysis struct {
	ID     string // "nia-..."
	Region string
	Path   string // "nip-..."
	Tags   Tags
	InsightsFinding
	CreatedAt time.Time // StartDate
}

// InsightsFinding is what is found of a path.
type InsightsFinding struct {
	Found           bool // the packet and its answer get through
	Forward, Return []InsightsPart
	Explanations    []InsightsPart
	Warning         string
}

// InsightsPart is a component of a path, or an explanation of why there is none.
type InsightsPart struct {
	Code       string // of an explanation
	Component  string
	AttachedTo string
	Direction  string // ingress, egress
	VPC        string
	Subnet     string
	ACL        string
	ACLEntry   *NetworkACLEntry
	Groups     []string
	Group      string // of GroupRule
	GroupRule  *SecurityGroupRule
	RouteTable string
	Route      *Route
	Interface  string
	Gateway    string
	// The packet's ends where it comes in and where it goes out, each an address and a port.
	Protocol             string
	InSource, InTarget   string
	OutSource, OutTarget string
}

// Identity implements Row.
func (p *InsightsPath) Identity() Identity { return Identity{p.ID, p.Region, "", p.CreatedAt} }

// Identity implements Row.
func (a *InsightsAnalysis) Identity() Identity { return Identity{a.ID, a.Region, "", a.CreatedAt} }

// InsightsPath returns one path of Reachability Analyzer.
func (s *State) InsightsPath(id string) *InsightsPath {
	return seek[InsightsPath](s, TableInsightsPath, byID, id)
}

// InsightsPaths returns every path of Reachability Analyzer.
func (s *State) InsightsPaths() []*InsightsPath {
	return all[*InsightsPath](s, TableInsightsPath, byCreation)
}

// InsightsAnalysis returns one analysis.
func (s *State) InsightsAnalysis(id string) *InsightsAnalysis {
	return seek[InsightsAnalysis](s, TableInsightsAnalysis, byID, id)
}

// InsightsAnalyses returns every analysis.
func (s *State) InsightsAnalyses() []*InsightsAnalysis {
	return all[*InsightsAnalysis](s, TableInsightsAnalysis, byCreation)
}

// InsightsPathInput is CreateNetworkInsightsPath's.
type InsightsPathInput struct {
	Source, Destination     string
	SourceIP, DestinationIP string
	Protocol                string
	Port                    int
	Tags                    Tags
}

// CreateInsightsPath stores a path.
func (s *Service) CreateInsightsPath(ctx context.Context, in InsightsPathInput) (*InsightsPath, error) {
	return result(ctx, s, func(t *tx) (*InsightsPath, error) { return t.createInsightsPath(in) })
}

// DeleteInsightsPath deletes a path without analyses.
func (s *Service) DeleteInsightsPath(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteInsightsPath(id) })
}

// KeepInsightsAnalysis stores what was found of a path.
func (s *Service) KeepInsightsAnalysis(ctx context.Context, path string, tags Tags, found InsightsFinding) (*InsightsAnalysis, error) {
	return result(ctx, s, func(t *tx) (*InsightsAnalysis, error) { return t.keepInsightsAnalysis(path, tags, found) })
}

// DeleteInsightsAnalysis deletes an analysis.
func (s *Service) DeleteInsightsAnalysis(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteInsightsAnalysis(id) })
}

// insightsEnd refuses what is no end of a path. Of the kinds that AWS has, the
// laboratory analyses three (Reachability Analyzer guide, "Source and destination
// resources").
func (t *tx) insightsEnd(field, id string) (err error) {
	switch prefix, _, _ := strings.Cut(id, "-"); prefix + "-" {
	case InstanceID.Prefix:
		_, err = t.instance(id)
	case InterfaceID.Prefix:
		_, err = t.networkInterface(id)
	case InternetGatewayID.Prefix:
		_, err = t.internetGateway(id)
	case TransitGatewayID.Prefix, VPCEndpointID.Prefix, PeeringID.Prefix, "vgw-", "tgw-attach-":
		return refuse("UnsupportedOperation", field, "enilab analyses paths between instances, network interfaces and internet gateways only, not of %s.", id)
	default:
		return refuse(codeInvalidValue, field, "Value (%s) for parameter %s is invalid. Want the ID of an instance, a network interface or an internet gateway.", id, field) // unverified: the text
	}
	return err
}

func insightsAddress(field, text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return a, refuse(codeInvalidValue, field, "Value (%s) for parameter %s is invalid. Invalid IPv4 address.", text, field) // unverified: the text
	}
	return a, nil
}

func (t *tx) createInsightsPath(in InsightsPathInput) (*InsightsPath, error) {
	p := &InsightsPath{Region: t.region, Source: in.Source, Destination: in.Destination, Protocol: in.Protocol, Port: in.Port, Tags: ownTags(in.Tags), CreatedAt: t.now}
	var err error
	if p.SourceIP, err = insightsAddress("sourceIp", in.SourceIP); err != nil {
		return nil, err
	}
	if p.DestinationIP, err = insightsAddress("destinationIp", in.DestinationIP); err != nil {
		return nil, err
	}
	if err := t.insightsEnd("source", in.Source); err != nil {
		return nil, err
	}
	switch {
	case in.Protocol != "tcp" && in.Protocol != "udp":
		return nil, refuse(codeInvalidValue, "protocol", "Value (%s) for parameter protocol is invalid. Valid values: tcp, udp.", in.Protocol) // unverified: the text
	case in.Port < 0 || in.Port > 65535:
		return nil, refuse(codeInvalidValue, "destinationPort", "Value (%d) for parameter destinationPort is invalid. Want 0 to 65535.", in.Port) // unverified: the text
	case in.Destination == "" && in.DestinationIP == "":
		return nil, refuse(codeMissing, "destination", "The request must contain the parameter destination or destinationIp") // unverified: the text
	case in.Destination == in.Source:
		return nil, refuse(codeInvalidValue, "destination", "The source and the destination of a path must not be the same.") // unverified: the text
	}
	if in.Destination != "" {
		if err := t.insightsEnd("destination", in.Destination); err != nil {
			return nil, err
		}
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if p.ID, err = t.mintRow(TableInsightsPath, InsightsPathID.Prefix); err != nil {
		return nil, err
	}
	t.put(TableInsightsPath, p)
	t.emit("network-insights-path.created", p.ID, "source", p.Source, "destination", p.Destination)
	return p, nil
}

func (t *tx) deleteInsightsPath(id string) error {
	p, err := find[InsightsPath](t, InsightsPathID, TableInsightsPath, byID, "networkInsightsPathId", id)
	if err != nil {
		return err
	}
	if exists(t, TableInsightsAnalysis, byTarget, id) {
		return refuse("AnalysisExistsForNetworkInsightsPath", "networkInsightsPathId", // unverified: the text
			"The path %s cannot be deleted while it has analyses.", id)
	}
	t.remove(TableInsightsPath, p)
	t.emit("network-insights-path.deleted", id)
	return nil
}

func (t *tx) keepInsightsAnalysis(path string, tags Tags, found InsightsFinding) (*InsightsAnalysis, error) {
	if _, err := find[InsightsPath](t, InsightsPathID, TableInsightsPath, byID, "networkInsightsPathId", path); err != nil {
		return nil, err
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	a := &InsightsAnalysis{Region: t.region, Path: path, Tags: ownTags(tags), InsightsFinding: found, CreatedAt: t.now}
	var err error
	if a.ID, err = t.mintRow(TableInsightsAnalysis, InsightsAnalysisID.Prefix); err != nil {
		return nil, err
	}
	t.put(TableInsightsAnalysis, a)
	t.emit("network-insights-analysis.succeeded", a.ID, "path", path)
	return a, nil
}

func (t *tx) deleteInsightsAnalysis(id string) error {
	a, err := find[InsightsAnalysis](t, InsightsAnalysisID, TableInsightsAnalysis, byID, "networkInsightsAnalysisId", id)
	if err != nil {
		return err
	}
	t.remove(TableInsightsAnalysis, a)
	t.emit("network-insights-analysis.deleted", id)
	return nil
}
