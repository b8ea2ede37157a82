// Package verdict holds the closed vocabulary of what can happen to a frame:
// verdicts, drop reasons, the path's steps, tap points and rule references. It has no logic of
// its own, so that every leaf of the data plane can name an outcome without
// importing the engine.
package verdict

// Verdict is the final fate of one frame, as a person reads it.
type Verdict uint8

// The zero Verdict is invalid: forgetting to decide must not look like accept.
const (
	// None marks a frame that has not been decided yet.
	None Verdict = iota
	// Accept: the frame was delivered to the guest behind its destination.
	Accept
	// Reject: a policy (security group, anti-spoofing) refused the frame.
	Reject
	// Lost: nothing refused the frame, but nobody could take it: a fault, an
	// absent owner, a full queue.
	Lost
	// Control: the network itself consumed the frame (an ARP request that the
	// fabric answered, a question to its metadata service).
	Control

	// NumVerdicts is the size of arrays indexed by Verdict.
	NumVerdicts = int(Control) + 1
)

var verdictNames = [NumVerdicts]string{"none", "accept", "reject", "lost", "control"}

// String returns the stable lower-case name used in APIs, metrics and captures.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "invalid"
}

// Reason says why a frame was not delivered. The set is closed: every reason
// has one counter, one stable text and exactly one Verdict.
type Reason uint8

// Reasons. The zero Reason belongs to delivered frames.
const (
	// Delivered is the absence of a drop.
	Delivered Reason = iota

	// Reject by policy.

	// EgressDenied: no egress rule of the sender's security groups allows it.
	EgressDenied
	// IngressDenied: no ingress rule of the receiver's security groups allows it.
	IngressDenied
	// SpoofedMAC: the source MAC is not the sending ENI's.
	SpoofedMAC
	// SpoofedIP: source/destination check is on and the source address (IP or
	// ARP sender) is not one of the sending ENI's.
	SpoofedIP
	// EgressACLDenied: the network ACL of the sender's subnet does not let it out.
	EgressACLDenied
	// IngressACLDenied: the network ACL of the receiver's subnet does not let it in.
	IngressACLDenied
	// NotPublic: a frame between a VPC and the internet has a private or
	// reserved address on the outer side.
	NotPublic
	// NotOwnAddress: source/destination check is on and the destination
	// address is not one of the receiving ENI's.
	NotOwnAddress

	// Lost: absence of a receiver or of a path.

	// NoMapping: no ENI of the VPC holds the destination address.
	NoMapping
	// UnknownMAC: no ENI of the subnet has the destination MAC.
	UnknownMAC
	// NoRoute: the destination is outside the VPC and no route leads there.
	NoRoute
	// Blackhole: the route's target is gone.
	Blackhole
	// NoPublicAddress: no public address stands for the source address, so that
	// the internet gateway does not let the frame out.
	NoPublicAddress
	// NoPublicHost: neither a host of the modelled internet nor an ENI behind an
	// internet gateway has the public address.
	NoPublicHost
	// TooManyHops: routes lead the frame from gateway to gateway without end.
	TooManyHops
	// TooBig: longer than a part of the path takes, and not to be fragmented; the
	// sender is told (RFC 1191).
	TooBig
	// NATNoConnection: a NAT gateway has no connection to which the frame belongs.
	NATNoConnection
	// NATUnsupported: a NAT gateway carries TCP, UDP and ICMP echo, and fragments
	// of UDP only.
	NATUnsupported
	// NATPortsExhausted: a NAT gateway has no port left for the destination.
	NATPortsExhausted
	// Detached: the ENI holding the address is attached to no instance.
	Detached
	// InstanceStopped: the instance behind the ENI is not running.
	InstanceStopped
	// LinkDown: the instance's link was taken down by an injected fault.
	LinkDown
	// GuestFrozen: the guest is frozen by an injected fault and reads nothing.
	GuestFrozen
	// ARPUnanswered: an ARP request for an address that no ENI holds.
	ARPUnanswered
	// Broadcast: broadcast or multicast other than ARP and DHCP; a VPC carries none.
	Broadcast
	// UnsupportedEtherType: neither IPv4, IPv6 nor ARP; a VPC carries none.
	UnsupportedEtherType
	// Tagged: an 802.1Q tag; a VPC carries none.
	Tagged
	// Malformed: a header is truncated or contradicts itself.
	Malformed
	// Oversize: longer than the interface's MTU allows.
	Oversize

	// Lost: queues and limits.

	// TxQueueFull: the guest sent faster than its worker forwards.
	TxQueueFull
	// RxQueueFull: the receiving guest reads slower than frames arrive.
	RxQueueFull
	// WorkerQueueFull: the queue between two workers is full.
	WorkerQueueFull
	// ConntrackFull: the ENI's connection table is full.
	ConntrackFull
	// BandwidthOut: the instance sends more than its type may.
	BandwidthOut
	// BandwidthIn: the instance is sent more than its type may receive.
	BandwidthIn
	// RxFlushed: queued towards a guest that left before reading it.
	RxFlushed
	// NoBuffer: every buffer of the sender's pool is in flight.
	NoBuffer
	// Removed: the VNIC was deleted while the frame was on its way.
	Removed
	// LinkLocalExceeded: the guest sends more to the network's own services
	// than they take from one interface.
	LinkLocalExceeded
	// NoService: to an address at which the network itself answers, where no
	// service does.
	NoService

	// Lost: impairments that a person has put into the network.

	// ImpairedLoss: an impairment loses it.
	ImpairedLoss
	// Partitioned: an impairment parts its sender from its receiver.
	Partitioned
	// RateQueueFull: an impairment's rate leaves it no turn in time.
	RateQueueFull
	// DelayQueueFull: the interface holds as many frames back as it can.
	DelayQueueFull

	// Control.

	// ARPAnswered: the fabric answered the ARP request.
	ARPAnswered
	// ARPGratuitous: a gratuitous ARP; address ownership changes by API only,
	// so it is counted and goes nowhere.
	ARPGratuitous
	// Fragmented: a gateway has sent it on in pieces, which are frames of their own.
	Fragmented
	// LinkLocal: one of the network's own services took the frame. Like
	// Delivered it is no drop, and has a count of its own.
	LinkLocal

	// NumReasons is the size of arrays indexed by Reason.
	NumReasons = int(LinkLocal) + 1
)

type reasonInfo struct {
	name    string
	verdict Verdict
	code    string // AWS Reachability Analyzer explanation code, where one fits
	text    string
}

var reasons = [NumReasons]reasonInfo{
	Delivered:            {"delivered", Accept, "", "delivered"},
	EgressDenied:         {"egress_denied", Reject, "ENI_SG_RULES_MISMATCH", "no egress rule of the sender's security groups allows it"},
	IngressDenied:        {"ingress_denied", Reject, "ENI_SG_RULES_MISMATCH", "no ingress rule of the receiver's security groups allows it"},
	SpoofedMAC:           {"spoofed_mac", Reject, "ENI_ADDRESS_RESTRICTION", "source MAC is not the sending interface's"},
	SpoofedIP:            {"spoofed_ip", Reject, "ENI_SOURCE_DEST_CHECK_RESTRICTION", "source address is not one of the sending interface's"},
	EgressACLDenied:      {"egress_acl_denied", Reject, "SUBNET_ACL_RESTRICTION", "the network ACL of the sender's subnet does not let it out"},
	IngressACLDenied:     {"ingress_acl_denied", Reject, "SUBNET_ACL_RESTRICTION", "the network ACL of the receiver's subnet does not let it in"},
	NotPublic:            {"not_public", Reject, "GATEWAY_REJECTS_SPOOFED_TRAFFIC", "no private or reserved address crosses the internet gateway"},
	NotOwnAddress:        {"not_own_address", Reject, "ENI_SOURCE_DEST_CHECK_RESTRICTION", "destination address is not one of the receiving interface's"},
	NoMapping:            {"no_mapping", Lost, "NO_POSSIBLE_DESTINATION", "no interface of the VPC holds the destination address"},
	UnknownMAC:           {"unknown_mac", Lost, "NO_POSSIBLE_DESTINATION", "no interface of the subnet has the destination MAC"},
	NoRoute:              {"no_route", Lost, "NO_ROUTE_TO_DESTINATION", "no route leads to the destination"},
	Blackhole:            {"blackhole", Lost, "BAD_STATE_ROUTE", "its route leads nowhere: the target is gone, or it is there to drop"},
	NoPublicAddress:      {"no_public_address", Lost, "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "no public address stands for the source address at the internet gateway"},
	NoPublicHost:         {"no_public_host", Lost, "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", "nobody on the modelled internet and no interface has the public address"},
	TooManyHops:          {"too_many_hops", Lost, "", "routes lead it from gateway to gateway without end"},
	TooBig:               {"too_big", Lost, "", "longer than the path takes and not to be fragmented"},
	NATNoConnection:      {"nat_no_connection", Lost, "", "the NAT gateway knows no connection that it belongs to"},
	NATUnsupported:       {"nat_unsupported", Lost, "", "the NAT gateway carries TCP, UDP and ICMP echo, and fragments of UDP only"},
	NATPortsExhausted:    {"nat_ports_exhausted", Lost, "", "the NAT gateway has no port left for the destination"},
	Detached:             {"detached", Lost, "BAD_STATE_ATTACHMENT", "the interface holding the address is attached to no instance"},
	InstanceStopped:      {"instance_stopped", Lost, "BAD_STATE_INSTANCE", "the instance behind the interface is not running"},
	LinkDown:             {"link_down", Lost, "", "the instance's link is down (injected fault)"},
	GuestFrozen:          {"guest_frozen", Lost, "", "the guest is frozen (injected fault)"},
	ARPUnanswered:        {"arp_unanswered", Lost, "NO_POSSIBLE_DESTINATION", "ARP request for an address that no interface holds"},
	Broadcast:            {"broadcast", Lost, "", "a VPC carries no broadcast or multicast"},
	UnsupportedEtherType: {"unsupported_ethertype", Lost, "", "a VPC carries IPv4, IPv6 and ARP only"},
	Tagged:               {"tagged", Lost, "", "a VPC carries no 802.1Q tags"},
	Malformed:            {"malformed", Lost, "", "a header is truncated or contradicts itself"},
	Oversize:             {"oversize", Lost, "", "longer than the interface's MTU"},
	TxQueueFull:          {"tx_queue_full", Lost, "", "the sender's transmit queue is full"},
	RxQueueFull:          {"rx_queue_full", Lost, "", "the receiver's receive queue is full"},
	WorkerQueueFull:      {"worker_queue_full", Lost, "", "the queue between two workers is full"},
	ConntrackFull:        {"conntrack_full", Lost, "", "the interface's connection table is full"},
	BandwidthOut:         {"bw_out_allowance_exceeded", Lost, "", "more than the instance's type may send"},
	BandwidthIn:          {"bw_in_allowance_exceeded", Lost, "", "more than the instance's type may receive"},
	RxFlushed:            {"rx_flushed", Lost, "", "queued for a guest that left before reading it"},
	NoBuffer:             {"no_buffer", Lost, "", "all buffers of the sender are in flight"},
	Removed:              {"removed", Lost, "", "the interface was deleted while the frame was on its way"},
	LinkLocalExceeded:    {"linklocal_allowance_exceeded", Lost, "", "more than the network's own services take from one interface"},
	NoService:            {"no_service", Lost, "", "none of the network's own services answers at this port of its address"},
	ImpairedLoss:         {"impairment_loss", Lost, "", "lost to an impairment of the network (injected)"},
	Partitioned:          {"partition", Lost, "", "an impairment parts its sender from its receiver (injected)"},
	RateQueueFull:        {"rate_queue_full", Lost, "", "the queue of an impairment's rate is full (injected)"},
	DelayQueueFull:       {"delay_queue_full", Lost, "", "the interface holds as many delayed frames as it can (injected)"},
	ARPAnswered:          {"arp_answered", Control, "", "answered by the network"},
	ARPGratuitous:        {"arp_gratuitous", Control, "", "gratuitous ARP: ownership changes through the API only"},
	Fragmented:           {"fragmented", Control, "", "sent on by a gateway in pieces that fit the way"},
	LinkLocal:            {"link_local", Control, "", "taken by one of the network's own services"},
}

// String returns the stable snake_case name used in APIs, metrics and captures.
func (r Reason) String() string { return r.info().name }

// Verdict returns the one verdict that r belongs to.
func (r Reason) Verdict() Verdict { return r.info().verdict }

// Code returns the AWS Reachability Analyzer explanation code that fits r, or "".
func (r Reason) Code() string { return r.info().code }

// Text returns one clause in plain English for a person to read.
func (r Reason) Text() string { return r.info().text }

// ByRule reports whether what ends a frame so has a RuleID: the rules that a frame
// ending otherwise was judged by had let it on.
func (r Reason) ByRule() bool {
	switch r {
	case EgressDenied, IngressDenied, EgressACLDenied, IngressACLDenied, NoRoute, Blackhole, ImpairedLoss, Partitioned, RateQueueFull:
		return true
	}
	return false
}

func (r Reason) info() reasonInfo {
	if int(r) < NumReasons {
		return reasons[r]
	}
	return reasonInfo{name: "invalid", verdict: None, text: "invalid reason"}
}

// RuleID refers to what decided on a frame: a kind in its top bits, and a number
// of that kind, which is never reused. Control numbers the rules of security
// groups when it creates them, the data plane all others when it first hears of
// them. The reserved values below stand for decisions that no rule made.
type RuleID uint32

// RuleKind is a kind of what decides.
type RuleKind uint8

// Kinds of rules. RuleImplicitDeny is of the first: an ACL has a last entry, and
// a table without a route a reason of its own.
const (
	KindGroupRule  RuleKind = iota // a security group's
	KindACLEntry                   // a network ACL's
	KindRoute                      // a route table's
	KindGateway                    // what frames pass between networks
	KindImpairment                 // what loses frames on purpose

	numRuleKinds = int(KindImpairment) + 1
)

var ruleKinds = [numRuleKinds]string{"group_rule", "acl_entry", "route", "gateway", "impairment"}

// String returns the stable snake_case name used in APIs.
func (k RuleKind) String() string {
	if int(k) < len(ruleKinds) {
		return ruleKinds[k]
	}
	return "invalid"
}

const ruleKindShift = 28

// RuleOf makes the reference of the number n of a kind; n is below 1<<28.
func RuleOf(k RuleKind, n uint32) RuleID { return RuleID(k)<<ruleKindShift | RuleID(n) }

// Kind returns the kind of what r refers to.
func (r RuleID) Kind() RuleKind { return RuleKind(r >> ruleKindShift) }

// Reserved rule references.
const (
	// RuleNone: no rule was consulted.
	RuleNone RuleID = 0
	// RuleImplicitDeny: every rule was consulted and none matched.
	RuleImplicitDeny RuleID = 1
	// RuleFirst is the first number control may give to a rule.
	RuleFirst RuleID = 16
)

// Point is a place on a frame's path where it can be observed, and a bit mask
// of such places.
type Point uint8

// Tap points in the order in which a frame passes them.
const (
	// GuestTX: as the guest handed it over, before any check.
	GuestTX Point = 1 << iota
	// EgressPost: after the sender's checks and security groups passed it.
	EgressPost
	// IngressPre: at the receiving VNIC, before its security groups.
	IngressPre
	// GuestRX: placed into the receiving guest's queue.
	GuestRX

	// AllPoints has every tap point.
	AllPoints = GuestTX | EgressPost | IngressPre | GuestRX
)

// String returns the snake_case name of a single point, or "mixed".
func (p Point) String() string {
	switch p {
	case GuestTX:
		return "guest_tx"
	case EgressPost:
		return "egress_post"
	case IngressPre:
		return "ingress_pre"
	case GuestRX:
		return "guest_rx"
	}
	return "mixed"
}

// ParsePoint is the inverse of Point.String for single points.
func ParsePoint(s string) (Point, bool) {
	for _, p := range [...]Point{GuestTX, EgressPost, IngressPre, GuestRX} {
		if p.String() == s {
			return p, true
		}
	}
	return 0, false
}
