package control

import (
	"context"
	"strconv"
	"time"
)

// TrunkAssociation makes an ENI a branch of a trunk ENI: the trunk's instance
// carries its frames, told apart by a VLAN or a GRE key.
type TrunkAssociation struct {
	ID            string // "trunk-assoc-..."
	Region        string
	Branch, Trunk string // ENIs
	// VLAN is 1 to 4094, or GRE is the key: exactly one is set.
	VLAN      int  `json:",omitzero"`
	GRE       *int `json:",omitzero"`
	CreatedAt time.Time
}

// Identity implements Row.
func (a *TrunkAssociation) Identity() Identity { return Identity{a.ID, a.Region, "", a.CreatedAt} }

// Protocol is EC2's InterfaceProtocolType.
func (a *TrunkAssociation) Protocol() string {
	if a.GRE != nil {
		return "GRE"
	}
	return "VLAN"
}

// AssociateTrunkInput is AssociateTrunkInterface's.
type AssociateTrunkInput struct {
	Branch, Trunk string
	VLAN, GRE     *int
}

const maxVLAN = 4094 // IEEE 802.1Q: 4095 is reserved

// AssociateTrunk makes an ENI that nothing uses a branch of a trunk.
func (s *Service) AssociateTrunk(ctx context.Context, in AssociateTrunkInput) (*TrunkAssociation, error) {
	return result(ctx, s, func(t *tx) (*TrunkAssociation, error) { return t.associateTrunk(in) })
}

// DisassociateTrunk makes a branch an ordinary ENI again.
func (s *Service) DisassociateTrunk(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.disassociateTrunk(id) })
}

// TrunkAssociation returns one association of a branch with its trunk.
func (s *State) TrunkAssociation(id string) *TrunkAssociation {
	return seek[TrunkAssociation](s, TableTrunkAssociation, byID, id)
}

// TrunkAssociations returns every association of a branch with its trunk.
func (s *State) TrunkAssociations() []*TrunkAssociation {
	return all[*TrunkAssociation](s, TableTrunkAssociation, byCreation)
}

func (t *tx) associateTrunk(in AssociateTrunkInput) (*TrunkAssociation, error) {
	branch, err := t.ownInterface(in.Branch)
	if err != nil {
		return nil, err
	}
	trunk, err := t.ownInterface(in.Trunk)
	if err != nil {
		return nil, err
	}
	a := &TrunkAssociation{Region: branch.Region, Branch: branch.ID, Trunk: trunk.ID, GRE: in.GRE, CreatedAt: t.now}
	if in.VLAN != nil {
		a.VLAN = *in.VLAN
	}
	switch {
	case in.VLAN == nil && in.GRE == nil:
		return nil, refuse(codeMissing, "vlanId", "The request must contain the parameter vlanId or greKey") // unverified: code and text
	case in.VLAN != nil && in.GRE != nil:
		return nil, refuse(codeCombination, "vlanId", "The request must contain exactly one of vlanId and greKey") // unverified: code and text
	case in.VLAN != nil && (a.VLAN < 1 || a.VLAN > maxVLAN):
		return nil, invalid("vlanId", "Value (%d) for parameter vlanId is invalid. It must be 1 to %d.", a.VLAN, maxVLAN) // unverified: the text
	case in.GRE != nil && *in.GRE < 0:
		return nil, invalid("greKey", "Value (%d) for parameter greKey is invalid. It must not be negative.", *in.GRE) // unverified: the text
	case trunk.Type != TypeTrunk:
		return nil, invalid("trunkInterfaceId", "Network interface '%s' is not a trunk.", trunk.ID) // unverified: code and text
	case branch.Attachment != nil || branch.Type != "":
		return nil, errInUse(branch.ID)
	case branch.Zone != trunk.Zone:
		return nil, refuse(codeCombination, "branchInterfaceId", // unverified: code and text
			"Branch interface '%s' and trunk interface '%s' are not in the same availability zone", branch.ID, trunk.ID)
	case exists(t, TablePolicy, byInterface, branch.ID):
		return nil, invalid("branchInterfaceId",
			"Network interface '%s' has a failover policy: it cannot become a branch, which never moves.", branch.ID)
	}
	for _, other := range list[*TrunkAssociation](t, TableTrunkAssociation, byTarget, trunk.ID) {
		if other.GRE == nil && a.GRE == nil && other.VLAN == a.VLAN || other.GRE != nil && a.GRE != nil && *other.GRE == *a.GRE {
			return nil, invalid("vlanId", // unverified: code and text
				"The VLAN or key of the request is in use on trunk interface '%s' by '%s'.", trunk.ID, other.Branch)
		}
	}
	if a.ID, err = t.mintRow(TableTrunkAssociation, TrunkAssociationID.Prefix); err != nil {
		return nil, err
	}
	n := *branch
	n.Type = TypeBranch
	t.putInterface(&n)
	t.put(TableTrunkAssociation, a)
	t.emit("trunk-interface.associated", branch.ID, "trunk", trunk.ID, "association", a.ID, "vlan", strconv.Itoa(a.VLAN))
	return a, nil
}

func (t *tx) disassociateTrunk(id string) error {
	a, err := find[TrunkAssociation](t, TrunkAssociationID, TableTrunkAssociation, byID, "associationId", id)
	if err != nil {
		return err
	}
	t.endBranch(a)
	return nil
}

// endBranch makes a branch an ordinary ENI.
func (t *tx) endBranch(a *TrunkAssociation) {
	t.remove(TableTrunkAssociation, a)
	if n := get[*NetworkInterface](t, TableNetworkInterface, byID, a.Branch); n != nil {
		c := *n
		c.Type = ""
		t.putInterface(&c)
	}
	t.emit("trunk-interface.disassociated", a.Branch, "trunk", a.Trunk, "association", a.ID)
}

// leaveTrunks ends what an ENI that goes is branch or trunk of.
func (t *tx) leaveTrunks(n *NetworkInterface) {
	for _, a := range list[*TrunkAssociation](t, TableTrunkAssociation, byInterface, n.ID) {
		t.remove(TableTrunkAssociation, a)
		t.emit("trunk-interface.disassociated", a.Branch, "trunk", a.Trunk, "association", a.ID)
	}
	for _, a := range list[*TrunkAssociation](t, TableTrunkAssociation, byTarget, n.ID) {
		t.endBranch(a)
	}
}
