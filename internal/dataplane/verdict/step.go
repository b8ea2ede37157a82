package verdict

// Step is a place on a frame's path where something is decided about it. A Reason
// says why a frame ended, a Step where: a frozen guest can be the sender or the
// receiver, and a full connection table either's. The set is closed: every step
// lies behind exactly one tap point.
type Step uint8

// Steps in the order in which a frame takes them; those that nothing asks of it
// are passed over. The zero Step is none.
const (
	StepNone Step = iota
	// StepSend: the queue between the sending guest and the network.
	StepSend
	// StepWireOut: the sender's wire, on which impairments lie.
	StepWireOut
	// StepSender: the sender's checks: power and faults, size, form, addresses.
	StepSender
	// StepService: what the network answers itself: ARP, and its own services.
	StepService
	// StepRoute: the look-up of where it goes, through tables and gateways.
	StepRoute
	// StepGroupsOut: the sender's security groups and connection table.
	StepGroupsOut
	// StepACLOut: the network ACL of a subnet that is left.
	StepACLOut
	// StepGateway: what gateways on the way do to it.
	StepGateway
	// StepHandOver: the queue to whoever takes in the receiver's frames.
	StepHandOver
	// StepWireIn: the receiver's wire, on which impairments lie.
	StepWireIn
	// StepACLIn: the network ACL of a subnet that is entered.
	StepACLIn
	// StepNAT: the table of a NAT gateway or a gateway endpoint.
	StepNAT
	// StepReceiver: whether the receiver exists and the address is its own.
	StepReceiver
	// StepGroupsIn: the receiver's security groups and connection table.
	StepGroupsIn
	// StepGuest: whether a guest is there to take it and has room.
	StepGuest
	// StepDelivery: the queue between the network and the receiving guest.
	StepDelivery

	// NumSteps is the size of arrays indexed by Step.
	NumSteps = int(StepDelivery) + 1
)

type stepInfo struct {
	name  string
	point Point
	text  string
}

var steps = [NumSteps]stepInfo{
	StepNone:      {"none", 0, "nowhere"},
	StepSend:      {"send", GuestTX, "the sending guest's queue"},
	StepWireOut:   {"wire_out", GuestTX, "impairments on the sender's wire"},
	StepSender:    {"sender", GuestTX, "the sender's checks"},
	StepService:   {"service", GuestTX, "the network's own services"},
	StepRoute:     {"route", GuestTX, "the route look-up"},
	StepGroupsOut: {"groups_out", GuestTX, "the sender's security groups"},
	StepACLOut:    {"acl_out", GuestTX, "the network ACL of the subnet left"},
	StepGateway:   {"gateway", EgressPost, "gateways on the way"},
	StepHandOver:  {"hand_over", EgressPost, "the hand-over to the receiver's side"},
	StepWireIn:    {"wire_in", IngressPre, "impairments on the receiver's wire"},
	StepACLIn:     {"acl_in", IngressPre, "the network ACL of the subnet entered"},
	StepNAT:       {"nat", IngressPre, "the NAT gateway's table"},
	StepReceiver:  {"receiver", IngressPre, "the receiver's address check"},
	StepGroupsIn:  {"groups_in", IngressPre, "the receiver's security groups"},
	StepGuest:     {"guest", IngressPre, "whether the guest can take it"},
	StepDelivery:  {"delivery", GuestRX, "the receiving guest's queue"},
}

// String returns the stable snake_case name used in APIs and captures.
func (s Step) String() string { return s.info().name }

// Point returns the tap point behind which a frame that ends at s was seen last.
func (s Step) Point() Point { return s.info().point }

// Text names s in plain English, as what decides there.
func (s Step) Text() string { return s.info().text }

func (s Step) info() *stepInfo {
	if int(s) < NumSteps {
		return &steps[s]
	}
	return &stepInfo{name: "invalid", text: "an invalid step"}
}
