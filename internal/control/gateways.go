package control

import (
	"context"
	"time"
)

// InternetGateway connects one VPC at most with the Internet.
type InternetGateway struct {
	ID        string // "igw-..."
	Region    string
	VPC       string // "" while detached
	Tags      Tags
	CreatedAt time.Time
}

// EgressOnlyGateway lets IPv6 out of a VPC, and answers in.
type EgressOnlyGateway struct {
	ID        string // "eigw-..."
	Region    string
	VPC       string
	Tags      Tags
	CreatedAt time.Time
}

// InternetGateway returns one internet gateway.
func (s *State) InternetGateway(id string) *InternetGateway {
	return seek[InternetGateway](s, TableInternetGateway, byID, id)
}

// InternetGateways returns every internet gateway.
func (s *State) InternetGateways() []*InternetGateway {
	return all[*InternetGateway](s, TableInternetGateway, byCreation)
}

// EgressOnlyGateway returns one egress-only internet gateway.
func (s *State) EgressOnlyGateway(id string) *EgressOnlyGateway {
	return seek[EgressOnlyGateway](s, TableEgressOnlyGateway, byID, id)
}

// EgressOnlyGateways returns every egress-only internet gateway.
func (s *State) EgressOnlyGateways() []*EgressOnlyGateway {
	return all[*EgressOnlyGateway](s, TableEgressOnlyGateway, byCreation)
}

// CreateInternetGateway makes a detached internet gateway.
func (s *Service) CreateInternetGateway(ctx context.Context, tags Tags) (*InternetGateway, error) {
	return result(ctx, s, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(tags) })
}

// AttachInternetGateway connects a VPC that has no internet gateway.
func (s *Service) AttachInternetGateway(ctx context.Context, gateway, vpc string) error {
	return s.change(ctx, func(t *tx) error { return t.attachInternetGateway(gateway, vpc) })
}

// DetachInternetGateway disconnects a VPC in which no public address is mapped.
// Routes to the gateway become blackholes.
func (s *Service) DetachInternetGateway(ctx context.Context, gateway, vpc string) error {
	return s.change(ctx, func(t *tx) error { return t.detachInternetGateway(gateway, vpc) })
}

// DeleteInternetGateway deletes a detached internet gateway.
func (s *Service) DeleteInternetGateway(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteInternetGateway(id) })
}

// CreateEgressOnlyGateway makes an egress-only internet gateway of a VPC.
func (s *Service) CreateEgressOnlyGateway(ctx context.Context, vpc string, tags Tags) (*EgressOnlyGateway, error) {
	return result(ctx, s, func(t *tx) (*EgressOnlyGateway, error) { return t.createEgressOnlyGateway(vpc, tags) })
}

// DeleteEgressOnlyGateway deletes an egress-only internet gateway. Routes to it
// become blackholes.
func (s *Service) DeleteEgressOnlyGateway(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteEgressOnlyGateway(id) })
}

func (t *tx) createInternetGateway(tags Tags) (*InternetGateway, error) {
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if err := t.quota(TableInternetGateway, t.region, ""); err != nil {
		return nil, err
	}
	return t.newInternetGateway(tags)
}

// hasInternetGateway reports whether a VPC is connected with the Internet.
func (t *tx) hasInternetGateway(vpc string) bool { return exists(t, TableInternetGateway, byVPC, vpc) }

func (t *tx) attachInternetGateway(gateway, vpc string) error {
	g, err := t.internetGateway(gateway)
	if err != nil {
		return err
	}
	v, err := t.vpc(vpc)
	if err != nil {
		return err
	}
	if g.VPC != "" {
		return refuse(codeAlreadyDone, "internetGatewayId", "resource %s is already attached to network %s", g.ID, g.VPC)
	}
	if t.hasInternetGateway(v.ID) {
		return invalid("vpcId", "Network %s already has an internet gateway attached", v.ID)
	}
	t.joinInternetGateway(g, v.ID)
	return nil
}

func (t *tx) joinInternetGateway(g *InternetGateway, vpc string) {
	c := *g
	c.VPC = vpc
	t.put(TableInternetGateway, &c)
	t.emit("internet-gateway.attached", g.ID, "vpc", vpc)
}

func (t *tx) detachInternetGateway(gateway, vpc string) error {
	g, err := t.internetGateway(gateway)
	if err != nil {
		return err
	}
	v, err := t.vpc(vpc)
	if err != nil {
		return err
	}
	if g.VPC != v.ID {
		return refuse("Gateway.NotAttached", "internetGatewayId", "resource %s is not attached to network %s", g.ID, v.ID)
	}
	if t.mappedPublic(v.ID) {
		return refuse(codeDependency, "vpcId",
			"Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", v.ID)
	}
	if r := t.edgeOf(g); r != nil {
		// What the gateway's own table was for is over; another VPC's gateway
		// cannot use it.
		for _, a := range r.Associations {
			if a.Gateway == g.ID {
				t.unbindTable(r, a.ID)
			}
		}
	}
	c := *g
	c.VPC = ""
	t.put(TableInternetGateway, &c)
	t.emit("internet-gateway.detached", g.ID, "vpc", v.ID)
	return nil
}

// mappedPublic reports whether any private address of a VPC has a public one,
// assigned or elastic.
func (t *tx) mappedPublic(vpc string) bool {
	return t.someInterface(func(n *NetworkInterface) bool {
		return n.VPC == vpc && (n.PublicIP.IsValid() || exists(t, TableAddress, byInterface, n.ID))
	}) != nil
}

func (t *tx) deleteInternetGateway(id string) error {
	g, err := t.internetGateway(id)
	if err != nil {
		return err
	}
	if g.VPC != "" {
		return refuse(codeDependency, "internetGatewayId", "The internetGateway '%s' has dependencies and cannot be deleted.", g.ID)
	}
	t.remove(TableInternetGateway, g)
	t.emit("internet-gateway.deleted", g.ID)
	return nil
}

func (t *tx) createEgressOnlyGateway(vpc string, tags Tags) (*EgressOnlyGateway, error) {
	v, err := t.vpc(vpc)
	if err != nil {
		return nil, err
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableEgressOnlyGateway, EgressOnlyGatewayID.Prefix)
	if err != nil {
		return nil, err
	}
	g := &EgressOnlyGateway{ID: id, Region: v.Region, VPC: v.ID, Tags: ownTags(tags), CreatedAt: t.now}
	t.put(TableEgressOnlyGateway, g)
	t.emit("egress-only-gateway.created", id, "vpc", v.ID)
	return g, nil
}

func (t *tx) deleteEgressOnlyGateway(id string) error {
	g, err := t.egressOnlyGateway(id)
	if err != nil {
		return err
	}
	t.remove(TableEgressOnlyGateway, g)
	t.emit("egress-only-gateway.deleted", g.ID)
	return nil
}

// InternetGatewayOf returns the internet gateway of a VPC, nil if it has none.
func (s *State) InternetGatewayOf(vpc string) *InternetGateway {
	return seek[InternetGateway](s, TableInternetGateway, byVPC, vpc)
}
