package control

import (
	"context"
	"net/netip"
	"time"
)

// NATGatewayState is EC2's state of a NAT gateway.
type NATGatewayState string

// NAT gateway states. A deleted one stays visible for an hour.
const (
	NATPending   NATGatewayState = "pending"
	NATAvailable NATGatewayState = "available"
	NATDeleting  NATGatewayState = "deleting"
	NATDeleted   NATGatewayState = "deleted"
	NATFailed    NATGatewayState = "failed"
)

// NATGateway translates the addresses of a VPC's instances.
type NATGateway struct {
	ID      string // "nat-..."
	Region  string
	VPC     string
	Subnet  string
	Private bool // connectivityType private: without Elastic IP
	State   NATGatewayState
	StateAt time.Time // when State was entered
	// StateUntil is when State ends by itself: its transitions, and an hour of
	// being shown after its end.
	StateUntil time.Time
	Interface  string // its own requester-managed ENI, "" without
	PrivateIP  netip.Addr
	// Allocation and PublicIP are of its Elastic IP, "" and invalid if Private.
	Allocation string
	PublicIP   netip.Addr
	// FailureCode and FailureText tell why it is going to fail, or has.
	FailureCode string
	FailureText string
	DeletedAt   time.Time
	Tags        Tags
	CreatedAt   time.Time
}

// NATGateway returns one NAT gateway.
func (s *State) NATGateway(id string) *NATGateway {
	return seek[NATGateway](s, TableNATGateway, byID, id)
}

// NATGatewayOf is the NAT gateway that an ENI is of, nil if it is of none.
func (s *State) NATGatewayOf(n *NetworkInterface) *NATGateway {
	return seek[NATGateway](s, TableNATGateway, byInterface, n.ID)
}

// NATGateways returns every NAT gateway.
func (s *State) NATGateways() []*NATGateway { return all[*NATGateway](s, TableNATGateway, byCreation) }

// natEndedFor is how long a NAT gateway that is deleted or has failed stays
// visible (VPC User Guide, "NAT gateways").
const natEndedFor = time.Hour

// requesterNAT is who holds the ENIs of NAT gateways.
const requesterNAT = "amazon-aws"

// CreateNATGatewayInput is CreateNatGateway's.
type CreateNATGatewayInput struct {
	Subnet     string
	Private    bool   // connectivityType private: without Elastic IP
	Allocation string // of a public one
	PrivateIP  string // "": any free one
	Tags       Tags
}

// CreateNATGateway makes a NAT gateway with an ENI of its own. One for which
// the network is not fit is made all the same, and fails.
func (s *Service) CreateNATGateway(ctx context.Context, in CreateNATGatewayInput) (*NATGateway, error) {
	return result(ctx, s, func(t *tx) (*NATGateway, error) { return t.createNATGateway(in) })
}

// DeleteNATGateway ends a NAT gateway. Its Elastic IP stays allocated; routes to
// it become blackholes.
func (s *Service) DeleteNATGateway(ctx context.Context, id string) (*NATGateway, error) {
	return result(ctx, s, func(t *tx) (*NATGateway, error) { return t.deleteNATGateway(id) })
}

func (t *tx) natGateway(id string) (*NATGateway, error) {
	return find[NATGateway](t, NATGatewayID, TableNATGateway, byID, "natGatewayId", id)
}

func (t *tx) createNATGateway(in CreateNATGatewayInput) (*NATGateway, error) {
	sub, err := t.subnet(in.Subnet)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Private && in.Allocation != "":
		return nil, refuse(codeCombination, "allocationId", // unverified: text
			"An Elastic IP cannot be specified for a NAT gateway with connectivity type private.")
	case !in.Private && in.Allocation == "":
		return nil, refuse(codeMissing, "allocationId",
			"The request must include the AllocationId parameter. Add the required parameter and retry the request.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	var address *Address
	if !in.Private {
		if address, err = t.address(in.Allocation); err != nil {
			return nil, err
		}
	}
	if in.PrivateIP != "" {
		if _, err := t.namedAddress(sub, in.PrivateIP, false); err != nil {
			return nil, err
		}
	}
	id, err := t.mintRow(TableNATGateway, NATGatewayID.Prefix)
	if err != nil {
		return nil, err
	}
	g := &NATGateway{
		ID: id, Region: sub.Region, VPC: sub.VPC, Subnet: sub.ID, Private: in.Private, State: NATPending, StateAt: t.now,
		StateUntil: t.until(OpCreateNAT), Allocation: in.Allocation, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	g.FailureCode, g.FailureText = t.natFailure(sub, address)
	if g.FailureCode == "" {
		if err := t.equipNAT(g, sub, in.PrivateIP, address); err != nil {
			return nil, err
		}
	}
	t.put(TableNATGateway, g)
	t.emit("nat-gateway.pending", id, "subnet", sub.ID, "networkInterface", g.Interface)
	return g, nil
}

// natFailure tells why the network is not fit for a NAT gateway, in the codes
// and words of EC2's NatGateway (API reference). It shows when pending ends.
func (t *tx) natFailure(sub *Subnet, address *Address) (code, text string) {
	used := 0
	if u := get[*usage](t, tableUsage, byID, sub.ID); u != nil {
		used = u.Used
	}
	switch {
	case used >= capacity(sub.CIDR):
		return "InsufficientFreeAddressesInSubnet", "Subnet has insufficient free addresses to create this NAT gateway"
	case address == nil:
		return "", ""
	case !t.hasInternetGateway(sub.VPC):
		return "Gateway.NotAttached", "Network " + sub.VPC + " has no Internet gateway attached"
	case address.AssociationID != "":
		return codeAlreadyDone, "Elastic IP address " + address.AllocationID + " is already associated"
	}
	return "", ""
}

// equipNAT makes the ENI of g, which is not stored yet, and maps its Elastic IP
// to it.
func (t *tx) equipNAT(g *NATGateway, sub *Subnet, private string, address *Address) error {
	made, err := t.newInterface(sub, &CreateInterfaceInput{
		Description: "Interface for NAT Gateway " + g.ID, PrivateIP: private, IPv6Count: new(0),
	}, nil, false)
	if err != nil {
		return err
	}
	n := *made
	n.Type, n.RequesterManaged, n.RequesterID = TypeNATGateway, true, requesterNAT
	n.SourceDestCheck, n.WantsPublicIP = false, false
	t.putInterface(&n)
	g.Interface, g.PrivateIP = n.ID, n.PrimaryAddress()
	if address == nil {
		return nil
	}
	g.PublicIP = address.PublicIP
	_, err = t.bindAddress(address, &n, n.PrimaryAddress())
	return err
}

func (t *tx) deleteNATGateway(id string) (*NATGateway, error) {
	g, err := t.natGateway(id)
	if err != nil || g.State == NATDeleting || g.State == NATDeleted || g.State == NATFailed {
		return g, err
	}
	c := t.natBecomes(g, NATDeleting, t.until(OpDeleteNAT))
	t.put(TableNATGateway, c)
	return c, nil
}

// natBecomes copies g into another state and tells so. The caller stores it.
func (t *tx) natBecomes(g *NATGateway, s NATGatewayState, until time.Time) *NATGateway {
	c := *g
	c.State, c.StateAt, c.StateUntil = s, t.now, until
	t.emit("nat-gateway."+string(s), g.ID)
	return &c
}

// finishNAT ends a state whose time has come.
func (t *tx) finishNAT(g *NATGateway) {
	switch {
	case g.State == NATPending && g.FailureCode != "":
		c := t.natBecomes(g, NATFailed, t.now.Add(natEndedFor))
		c.DeletedAt = t.now
		t.put(TableNATGateway, c)
	case g.State == NATPending:
		t.put(TableNATGateway, t.natBecomes(g, NATAvailable, time.Time{}))
	case g.State == NATDeleting:
		if n := get[*NetworkInterface](t, TableNetworkInterface, byID, g.Interface); n != nil {
			t.dropInterface(n)
		}
		c := t.natBecomes(g, NATDeleted, t.now.Add(natEndedFor))
		c.Interface, c.DeletedAt = "", t.now
		t.put(TableNATGateway, c)
	default:
		t.remove(TableNATGateway, g)
		t.emit("nat-gateway.removed", g.ID)
	}
}
