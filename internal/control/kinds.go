package control

import (
	"strings"

	"enilab/internal/control/rows"
)

// Kind is one kind of stored resource, and all that is said of it in general:
// what tables, tags, the store and the APIs do with its rows they do by this.
// Immutable.
type Kind struct {
	Table Table
	// ID is of the ids by which clients name its rows; the zero IDKind: they do
	// not.
	ID IDKind
	// Type is EC2's resource type (API reference, TagSpecification), "" of a kind
	// without tags.
	Type string
	// Document: the store keeps a row whole, since no constraint of the database
	// has to know more of it than id and VPC.
	Document bool

	blank   func() Row
	clone   func(Row) Row
	tags    func(Row) *Tags // nil without Type
	indexes []rows.Index
}

// Kinds are all kinds, each after those that its rows refer to.
func Kinds() []*Kind { return kinds }

// KindOf returns the kind whose ids have the prefix of id, nil if there is none.
func KindOf(id string) *Kind {
	return kindByPrefix[id[:strings.LastIndexByte(id, '-')+1]]
}

// Kind is the kind whose rows a table has.
func (t Table) Kind() *Kind { return kinds[tableOrder[t]] }

// Blank returns an empty row, to be read into.
func (k *Kind) Blank() Row { return k.blank() }

// Row returns one row of a State, nil if it does not show such a one.
func (k *Kind) Row(s *State, id string) Row {
	row := firstIn[Row](s.db, string(k.Table), byID, id)
	if row == nil || !visible(s.scope, row) {
		return nil
	}
	return row
}

// Rows returns all rows that a State shows, in no order to rely on.
func (k *Kind) Rows(s *State) []Row { return all[Row](s, k.Table, byID) }

// Tags returns a row's tags.
func (k *Kind) Tags(row Row) Tags {
	if k.tags == nil {
		return nil
	}
	return *k.tags(row)
}

type rowOf[T any] interface {
	*T
	Row
}

func kind[T any, P rowOf[T]](table Table, id IDKind, indexes ...rows.Index) *Kind {
	return &Kind{
		Table: table, ID: id, indexes: indexes,
		blank: func() Row { return P(new(T)) },
		clone: func(row Row) Row {
			c := *row.(P)
			return P(&c)
		},
	}
}

// document is a kind that is stored whole. It is indexed by id, creation and
// VPC, and more.
func document[T any, P rowOf[T]](table Table, id IDKind, more ...rows.Index) *Kind {
	k := kind[T, P](table, id, append(more,
		index(byID, true, key[P](func(r P) string { return r.Identity().ID })),
		index(byCreation, false, key[P](func(r P) string { return keyOf(r.Identity().CreatedAt) })),
		index(byVPC, false, key[P](func(r P) string { return optional(r.Identity().VPC) })))...)
	k.Document = true
	return k
}

// tagged gives a kind tags, which its rows have where of says.
func tagged[T any, P rowOf[T]](k *Kind, typ string, of func(P) *Tags) *Kind {
	k.Type = typ
	k.tags = func(row Row) *Tags { return of(row.(P)) }
	return k
}

var kinds = []*Kind{
	document[Region](TableRegion, IDKind{}),
	tagged(document[DHCPOptions](TableDHCPOptions, DHCPOptionsID), "dhcp-options", func(d *DHCPOptions) *Tags { return &d.Tags }),
	tagged(kind[VPC](TableVPC, VPCID,
		index(byID, true, key[*VPC](func(v *VPC) string { return v.ID })),
		index(byCreation, false, key[*VPC](func(v *VPC) string { return keyOf(v.CreatedAt) }))),
		"vpc", func(v *VPC) *Tags { return &v.Tags }),
	tagged(kind[Subnet](TableSubnet, SubnetID,
		index(byID, true, key[*Subnet](func(s *Subnet) string { return s.ID })),
		index(byCreation, false, key[*Subnet](func(s *Subnet) string { return keyOf(s.CreatedAt) })),
		index(byVPC, false, key[*Subnet](func(s *Subnet) string { return keyOf(s.VPC) })),
		index(byMAC, true, key[*Subnet](func(s *Subnet) string { return keyOf(uint64(s.RouterMAC)) }))),
		"subnet", func(s *Subnet) *Tags { return &s.Tags }),
	tagged(document[PrefixList](TablePrefixList, PrefixListID,
		index(byName, false, key[*PrefixList](func(l *PrefixList) string { return keyOf(l.Region, l.Name) }))),
		"prefix-list", func(l *PrefixList) *Tags { return &l.Tags }),
	tagged(kind[SecurityGroup](TableSecurityGroup, GroupID, groupIndexes()...),
		"security-group", func(g *SecurityGroup) *Tags { return &g.Tags }),
	tagged(kind[Instance](TableInstance, InstanceID,
		index(byID, true, key[*Instance](func(i *Instance) string { return i.ID })),
		// What one launch made is in the order of its indexes.
		index(byCreation, false, key[*Instance](func(i *Instance) string { return keyOf(i.LaunchAt, i.ReservationID, i.LaunchIndex) }))),
		"instance", func(i *Instance) *Tags { return &i.Tags }),
	tagged(kind[NetworkInterface](TableNetworkInterface, InterfaceID, interfaceIndexes()...),
		"network-interface", func(n *NetworkInterface) *Tags { return &n.Tags }),
	tagged(kind[Address](TableAddress, AllocationID, addressIndexes()...), "elastic-ip", func(a *Address) *Tags { return &a.Tags }),
	tagged(document[InternetGateway](TableInternetGateway, InternetGatewayID),
		"internet-gateway", func(g *InternetGateway) *Tags { return &g.Tags }),
	tagged(document[EgressOnlyGateway](TableEgressOnlyGateway, EgressOnlyGatewayID),
		"egress-only-internet-gateway", func(g *EgressOnlyGateway) *Tags { return &g.Tags }),
	tagged(document[NATGateway](TableNATGateway, NATGatewayID,
		index(byInterface, true, key[*NATGateway](func(g *NATGateway) string { return optional(g.Interface) }))),
		"natgateway", func(g *NATGateway) *Tags { return &g.Tags }),
	tagged(document[Peering](TablePeering, PeeringID), "vpc-peering-connection", func(p *Peering) *Tags { return &p.Tags }),
	tagged(document[RouteTable](TableRouteTable, RouteTableID, routeTableIndexes()...),
		"route-table", func(t *RouteTable) *Tags { return &t.Tags }),
	tagged(document[NetworkACL](TableNetworkACL, NetworkACLID, aclIndexes()...),
		"network-acl", func(a *NetworkACL) *Tags { return &a.Tags }),
	tagged(document[KeyPair](TableKeyPair, KeyPairID,
		index(byName, true, key[*KeyPair](func(k *KeyPair) string { return keyOf(k.Region, k.Name) }))),
		"key-pair", func(k *KeyPair) *Tags { return &k.Tags }),
	tagged(document[FlowLog](TableFlowLog, FlowLogID,
		index(byTarget, false, key[*FlowLog](func(l *FlowLog) string { return keyOf(l.Resource) }))),
		"vpc-flow-log", func(l *FlowLog) *Tags { return &l.Tags }),
	tagged(document[CIDRReservation](TableCIDRReservation, ReservationID,
		index(bySubnet, false, key[*CIDRReservation](func(r *CIDRReservation) string { return keyOf(r.Subnet) }))),
		"subnet-cidr-reservation", func(r *CIDRReservation) *Tags { return &r.Tags }),
	document[InterfacePermission](TableInterfacePermission, PermissionID,
		index(byInterface, false, key[*InterfacePermission](func(p *InterfacePermission) string { return keyOf(p.Interface) }))),
	tagged(document[Volume](TableVolume, VolumeID,
		index(byDevice, true, keys[*Volume](func(v *Volume) (ks []string) {
			for _, a := range v.Attachments {
				ks = append(ks, keyOf(a.Instance, a.Device))
			}
			return ks
		}))), "volume", func(v *Volume) *Tags { return &v.Tags }),
	tagged(document[Snapshot](TableSnapshot, SnapshotID), "snapshot", func(s *Snapshot) *Tags { return &s.Tags }),
	tagged(document[Image](TableImage, ImageID), "image", func(i *Image) *Tags { return &i.Tags }),
	kind[FailoverPolicy](TablePolicy, PolicyID,
		index(byID, true, key[*FailoverPolicy](func(p *FailoverPolicy) string { return p.ID })),
		index(byCreation, false, key[*FailoverPolicy](func(p *FailoverPolicy) string { return keyOf(p.CreatedAt) })),
		index(byInterface, false, key[*FailoverPolicy](func(p *FailoverPolicy) string { return keyOf(p.NetworkInterface) })),
		index(byProbe, false, key[*FailoverPolicy](func(p *FailoverPolicy) string { return optional(p.Probe.From) }))),
	kind[Failover](TableFailover, FailoverID,
		index(byID, true, key[*Failover](func(f *Failover) string { return f.ID })),
		index(byNewest, false, key[*Failover](func(f *Failover) string { return keyOf(^uint64(f.StartedAt)) }))),
	document[ClientToken](TableClientToken, IDKind{}),
	tagged(document[LaunchTemplate](TableLaunchTemplate, LaunchTemplateID,
		index(byName, true, key[*LaunchTemplate](func(l *LaunchTemplate) string { return keyOf(l.Region, l.Name) }))),
		"launch-template", func(l *LaunchTemplate) *Tags { return &l.Tags }),
	document[LaunchTemplateVersion](TableLaunchTemplateVersion, IDKind{},
		index(byTarget, true, key[*LaunchTemplateVersion](func(v *LaunchTemplateVersion) string { return keyOf(v.Template, v.Number) }))),
	tagged(document[VPCEndpoint](TableVPCEndpoint, VPCEndpointID,
		index(bySource, true, key[*VPCEndpoint](func(e *VPCEndpoint) string {
			if !e.Source.IsValid() {
				return ""
			}
			return keyOf(e.Source)
		}))), "vpc-endpoint", func(e *VPCEndpoint) *Tags { return &e.Tags }),
	document[TrunkAssociation](TableTrunkAssociation, TrunkAssociationID,
		index(byInterface, true, key[*TrunkAssociation](func(a *TrunkAssociation) string { return keyOf(a.Branch) })),
		index(byTarget, false, key[*TrunkAssociation](func(a *TrunkAssociation) string { return keyOf(a.Trunk) }))),
	document[InternetHost](TableInternetHost, InternetHostID,
		index(byPublicIP, true, key[*InternetHost](func(h *InternetHost) string { return keyOf(h.Address) }))),
	tagged(document[TransitGateway](TableTransitGateway, TransitGatewayID),
		"transit-gateway", func(g *TransitGateway) *Tags { return &g.Tags }),
	// Both ends of an attachment find it.
	tagged(document[TransitAttachment](TableTransitAttachment, TransitAttachmentID,
		index(byTarget, false, keys[*TransitAttachment](func(a *TransitAttachment) []string {
			return []string{keyOf(a.Gateway), keyOf(a.VPC)}
		}))), "transit-gateway-attachment", func(a *TransitAttachment) *Tags { return &a.Tags }),
	tagged(document[TransitTable](TableTransitTable, TransitTableID,
		index(byTarget, false, key[*TransitTable](func(r *TransitTable) string { return keyOf(r.Gateway) }))),
		"transit-gateway-route-table", func(r *TransitTable) *Tags { return &r.Tags }),
	document[ExperimentTemplate](TableExperimentTemplate, IDKind{}),
	document[Experiment](TableExperiment, IDKind{}),
	tagged(document[InsightsPath](TableInsightsPath, InsightsPathID), "network-insights-path", func(p *InsightsPath) *Tags { return &p.Tags }),
	tagged(document[InsightsAnalysis](TableInsightsAnalysis, InsightsAnalysisID,
		index(byTarget, false, key[*InsightsAnalysis](func(a *InsightsAnalysis) string { return keyOf(a.Path) }))),
		"network-insights-analysis", func(a *InsightsAnalysis) *Tags { return &a.Tags }),
	document[Assertion](TableAssertion, AssertionID,
		index(byName, true, key[*Assertion](func(a *Assertion) string { return keyOf(a.Name) }))),
}

// tableOrder is the place of each table in kinds.
var tableOrder = func() map[Table]int {
	order := make(map[Table]int, len(kinds))
	for i, k := range kinds {
		order[k.Table] = i
	}
	return order
}()

var kindByPrefix = func() map[string]*Kind {
	by := make(map[string]*Kind, len(kinds))
	for _, k := range kinds {
		if k.ID.Prefix != "" {
			by[k.ID.Prefix] = k
		}
	}
	return by
}()
