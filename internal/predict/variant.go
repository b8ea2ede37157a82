package predict

import (
	"maps"

	"enilab/internal/dataplane/spec"
)

// Variant is a network that differs from n by d; src is what it is then. n knows
// from here on which of its packets meet something that is otherwise there, and must
// not have been asked anything before.
func (n *Network) Variant(src Source, d spec.Delta) *Network {
	v := New(src)
	v.Appliances, v.Services = n.Appliances, n.Services
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

// Fork gives another caller at a time what n and its variant have compiled so far. The
// two that are given are variants of each other as those are; n and variant must not be
// asked anything while somebody asks them.
func Fork(n, variant *Network) (was, is *Network) {
	if variant.base != nil {
		// What both share from here on is written no more: the twins are there.
		for _, v := range n.vnics {
			variant.like(v)
		}
		for _, v := range variant.vpcs {
			v.base = n.vpc(v.id)
		}
	}
	was, is = n.fork(), variant.fork()
	if variant.base != nil {
		is.base = was
	}
	return was, is
}

func (n *Network) fork() *Network {
	f := *n
	f.vnics, f.holders, f.subnets, f.vpcs = maps.Clone(n.vnics), maps.Clone(n.holders), maps.Clone(n.subnets), maps.Clone(n.vpcs)
	f.tables, f.acls, f.policies, f.refs = maps.Clone(n.tables), maps.Clone(n.acls), maps.Clone(n.policies), maps.Clone(n.refs)
	f.transits, f.names, f.scratch = maps.Clone(n.transits), maps.Clone(n.names), walk{}
	return &f
}
