package control

import "time"

// Identity is what every stored resource has.
type Identity struct {
	ID     string
	Region string
	// VPC is the VPC that cannot be deleted while the resource is there, "" for
	// none.
	VPC       string
	CreatedAt time.Time
}

// Row is a stored resource: a pointer to one of this package's types.
type Row interface{ Identity() Identity }

// Identity implements Row.
func (r *Region) Identity() Identity { return Identity{r.Name, r.Name, "", r.CreatedAt} }

// Identity implements Row.
func (v *VPC) Identity() Identity { return Identity{v.ID, v.Region, "", v.CreatedAt} }

// Identity implements Row.
func (s *Subnet) Identity() Identity { return Identity{s.ID, s.Region, s.VPC, s.CreatedAt} }

// Identity implements Row.
func (i *Instance) Identity() Identity { return Identity{i.ID, i.Region, "", i.LaunchAt} }

// Identity implements Row.
func (n *NetworkInterface) Identity() Identity { return Identity{n.ID, n.Region, n.VPC, n.CreatedAt} }

// Identity implements Row.
func (g *SecurityGroup) Identity() Identity { return Identity{g.ID, g.Region, g.VPC, g.CreatedAt} }

// Identity implements Row.
func (a *Address) Identity() Identity { return Identity{a.AllocationID, a.Region, "", a.CreatedAt} }

// Identity implements Row.
func (d *DHCPOptions) Identity() Identity { return Identity{d.ID, d.Region, "", d.CreatedAt} }

// Identity implements Row.
func (l *PrefixList) Identity() Identity { return Identity{l.ID, l.Region, "", l.CreatedAt} }

// Identity implements Row.
func (g *InternetGateway) Identity() Identity { return Identity{g.ID, g.Region, g.VPC, g.CreatedAt} }

// Identity implements Row.
func (g *EgressOnlyGateway) Identity() Identity { return Identity{g.ID, g.Region, g.VPC, g.CreatedAt} }

// Identity implements Row.
func (g *NATGateway) Identity() Identity { return Identity{g.ID, g.Region, "", g.CreatedAt} }

// Identity implements Row.
func (p *Peering) Identity() Identity { return Identity{p.ID, p.Region, "", p.CreatedAt} }

// Identity implements Row.
func (t *RouteTable) Identity() Identity { return Identity{t.ID, t.Region, t.VPC, t.CreatedAt} }

// Identity implements Row.
func (a *NetworkACL) Identity() Identity { return Identity{a.ID, a.Region, a.VPC, a.CreatedAt} }

// Identity implements Row.
func (k *KeyPair) Identity() Identity { return Identity{k.ID, k.Region, "", k.CreatedAt} }

// Identity implements Row.
func (l *FlowLog) Identity() Identity { return Identity{l.ID, l.Region, "", l.CreatedAt} }

// Identity implements Row.
func (r *CIDRReservation) Identity() Identity { return Identity{r.ID, r.Region, "", r.CreatedAt} }

// Identity implements Row.
func (p *InterfacePermission) Identity() Identity { return Identity{p.ID, p.Region, "", p.CreatedAt} }

// Identity implements Row.
func (p *FailoverPolicy) Identity() Identity { return Identity{p.ID, p.Region, "", p.CreatedAt} }

// Identity implements Row.
func (f *Failover) Identity() Identity {
	return Identity{f.ID, f.Region, "", time.Unix(0, f.StartedAt)}
}

// Identity implements Row.
func (c *ClientToken) Identity() Identity { return Identity{c.ID, c.Region, "", c.CreatedAt} }
