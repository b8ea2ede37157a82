package control

import (
	"context"
	"time"

	"enilab/internal/dataplane/spec"
)

// Event is one entry of the event log.
type Event struct {
	Seq      uint64
	Revision uint64
	At       time.Time
	Type     string            // "instance.running", "network-interface.attached", ...
	Resource string            // id
	Detail   map[string]string // small
}

// Turn is from one State to another: one commit, or several if the Plane refused
// the ones before.
type Turn struct {
	Before, After *State
	Changes       []Change // of each row that differs, from Before to After
	// Announce are addresses whose new holders the guests of their subnets are told.
	Announce []spec.Announcement
}

// FromNothing is the Turn of a laboratory that starts: every row is new.
func FromNothing(after *State) Turn {
	return Turn{Before: &State{db: newDB()}, After: after, Changes: after.rows()}
}

// Plane is what control drives: the network, and the guests on it. What of a
// State means something to it, and what that is, it knows itself; plan.Plane does.
type Plane interface {
	// Follow puts t.After into force in the place of t.Before and returns when no
	// frame follows that any more. Calls come one at a time. The generation of an
	// acknowledgement is the revision of t.After; its time is zero if t means
	// nothing to the network. The Turn after a refused one begins where that
	// began, and may end there.
	//
	// The acknowledgement tells how far an error went. With the generation in it
	// the network follows t.After and a guest failed to; with the zero Ack nothing
	// of t is in force.
	Follow(ctx context.Context, t Turn) (spec.Ack, error)
}

// Table names a kind of stored resource.
type Table string

// Tables.
const (
	TableRegion                Table = "regions"
	TableVPC                   Table = "vpcs"
	TableSubnet                Table = "subnets"
	TableInstance              Table = "instances"
	TableNetworkInterface      Table = "network_interfaces"
	TableSecurityGroup         Table = "security_groups"
	TableAddress               Table = "addresses"
	TableDHCPOptions           Table = "dhcp_options"
	TablePrefixList            Table = "prefix_lists"
	TableInternetGateway       Table = "internet_gateways"
	TableEgressOnlyGateway     Table = "egress_only_internet_gateways"
	TableNATGateway            Table = "nat_gateways"
	TablePeering               Table = "vpc_peering_connections"
	TableRouteTable            Table = "route_tables"
	TableNetworkACL            Table = "network_acls"
	TableKeyPair               Table = "key_pairs"
	TableFlowLog               Table = "flow_logs"
	TableCIDRReservation       Table = "subnet_cidr_reservations"
	TableInterfacePermission   Table = "network_interface_permissions"
	TableVolume                Table = "volumes"
	TableSnapshot              Table = "snapshots"
	TableImage                 Table = "images"
	TableClientToken           Table = "client_tokens"
	TableLaunchTemplate        Table = "launch_templates"
	TableLaunchTemplateVersion Table = "launch_template_versions"
	TableVPCEndpoint           Table = "vpc_endpoints"
	TableTrunkAssociation      Table = "trunk_interface_associations"
	TableInternetHost          Table = "internet_hosts"
	TableTransitGateway        Table = "transit_gateways"
	TableTransitAttachment     Table = "transit_gateway_attachments"
	TableTransitTable          Table = "transit_gateway_route_tables"
	TableExperimentTemplate    Table = "experiment_templates"
	TableExperiment            Table = "experiments"
	TableInsightsPath          Table = "network_insights_paths"
	TableInsightsAnalysis      Table = "network_insights_analyses"
	TableAssertion             Table = "assertions"
	TablePolicy                Table = "failover_policies"
	TableFailover              Table = "failovers"
)

// Change is one row before and after; Before nil: created, After nil: deleted.
// Values are pointers to the resource types of this package (*VPC, *Subnet,
// ...), immutable.
type Change struct {
	Table  Table
	ID     string
	Before any
	After  any
}

// Commit is everything one command changed. Its changes are ordered so that a
// row follows those it refers to, and deletions come last, referrers first.
type Commit struct {
	Revision uint64
	At       time.Time
	Changes  []Change
	Events   []Event
	// Counters that must survive: next group and rule reference.
	NextGroupRef, NextRuleRef uint32
	EventSeq                  uint64
}

// Store persists commits. store.Store implements it.
type Store interface {
	// Load returns everything stored: one Change per row (After set), ordered
	// by table then id, plus revision, counters and the last event sequence in
	// the Commit. Events is empty.
	Load(ctx context.Context) (Commit, error)
	// Begin starts one transaction that may hold several commits (group commit).
	Begin(ctx context.Context) (Batch, error)
	// Events returns at most limit events with Seq > after, and the oldest
	// sequence still kept.
	Events(ctx context.Context, after uint64, limit int) (evs []Event, oldest uint64, err error)
}

// Batch is one open transaction. Only one exists at a time.
type Batch interface {
	// Write stores c; on error c left no trace and the batch goes on.
	Write(c Commit) error
	// Commit makes the batch durable. After an error nothing of the batch is
	// stored.
	Commit() error
	Rollback()
}
