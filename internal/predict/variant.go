package predict

import "enilab/internal/dataplane/spec"

// Variant is a network that differs from n by d; src is what it is then. n knows
// from here on which of its packets meet something that is otherwise there, and must
// not have been asked anything before.
func (n *Network) Variant(src Source, d spec.Delta) *Network {
	v := New(src)
	v.Appliances = n.Appliances
	n.changed = map[string]bool{}
	for _, t := range d.RouteTables {
		n.changed[t.ID] = true
	}
	for _, a := range d.ACLs {
		n.changed[a.ID] = true
	}
	for _, g := range d.Groups {
		n.changed[g.ID] = true
	}
	n.all = len(d.Gateways)+len(d.Transits)+len(d.Subnets)+len(d.VNICs)+len(d.Hosts)+len(d.RemoveRouteTables)+len(d.RemoveACLs)+
		len(d.RemoveGateways)+len(d.RemoveTransits)+len(d.RemoveSubnets)+len(d.RemoveGroups)+len(d.RemoveVNICs)+len(d.RemoveHosts) > 0
	if !n.all {
		v.base = n
	}
	return v
}

// Doom asks which connections meet any of some VNICs and gateways: their Stop is
// Touched. n must not have been asked anything before.
func (n *Network) Doom(ids map[string]bool) { n.doomed = ids }
