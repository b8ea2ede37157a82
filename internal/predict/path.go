package predict

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Path is what becomes of a packet.
type Path struct {
	// Reason is what decides its fate: verdict.Delivered, verdict.LinkLocal if a service
	// of the network takes it, or the first thing in its way. At is the VNIC where that is, and Rule what decided there.
	Reason verdict.Reason
	At     string
	Rule   string
	// Legs are from VNIC to VNIC, as far as the packet is known to go or, behind
	// what is in its way, would.
	Legs []Leg
	// Obstacles are all things in its way, the decisive one first. Those behind a
	// missing route are of the way that it would take to who was asked for.
	Obstacles []Obstacle
	// To is the VNIC that gets it, or would; "" if that is not known.
	To string
	// Sent and Arrived are its ends as it leaves and as it arrives.
	Sent, Arrived Ends
	// Guests is how many guests are taken to have sent it on.
	Guests int
	// MTU is the largest IP packet that the whole way takes, in bytes.
	MTU int
	// Service is the service of the network that takes it, or would; "" if none does.
	Service string

	arrived *frame.View
	asked   []crossing
}

// Leg is one look-up of a frame's way: from the VNIC that sends it to the next.
type Leg struct {
	From, To   string // VNICs; To is "" if there is none
	Subnet     string // of From
	ToSubnet   string
	Was, Now   Ends   // before and behind the gateways of the leg, and a NAT gateway at its end
	Route      string // of the table of From's subnet, "" within a subnet
	Onward     string // of a gateway's own table, followed after that
	Via        string // what the route leads through
	Leaves     string // the internet gateway or gateway endpoint that it leaves by
	Enters     string // the internet gateway that it comes in by
	ACLOut     string // entry, "" where no subnet is left or the subnet has no ACL
	ACLIn      string
	RuleOut    string // of a security group; "" where none judges
	RuleIn     string
	KnownOut   bool // the connection table of From knows the connection: no rule is asked
	KnownIn    bool
	Translated bool // by a NAT gateway or gateway endpoint at To
	Peering    bool
	Service    string // of the network, which takes what From sends
	MTU        int    // largest IP packet, in bytes
	// Assumed: a guest sends it on, or it goes on behind something that stops it.
	Assumed bool
	// Instead: no route leads on, and the rest of the leg is as if one led to who was
	// asked for.
	Instead bool
}

// Obstacle is one thing in the way of a packet.
type Obstacle struct {
	Reason    verdict.Reason
	At        string // VNIC where it is
	Leg       int    // index
	Direction conntrack.Direction
	// Rule is the group rule or "implicit deny", the ACL entry or the route that decided.
	Rule string
	// Beyond: a gateway of the leg has decided, behind the sender's groups and ACL.
	Beyond bool
}

// Delivered reports whether nothing is in the way: a guest or a service of the
// network gets it.
func (p *Path) Delivered() bool {
	return p.Reason == verdict.Delivered || p.Reason == verdict.LinkLocal
}
