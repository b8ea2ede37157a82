package predict

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// transit is a transit gateway.
type transit struct{ byVPC map[string]*attachment }

type attachment struct {
	routes  *route.Table[transitLead] // that frames from its VPC ask
	entries map[string]*subnet        // by zone
	first   *subnet
}

type transitLead struct {
	to   *attachment // nil: nowhere
	name string
}

func (n *Network) transit(id string) *transit {
	return memo(n.transits, id, func() *transit {
		t := n.src.Transit(id)
		if t == nil {
			return nil
		}
		g := &transit{byVPC: map[string]*attachment{}}
		byID := map[string]*attachment{}
		for _, a := range t.Attachments {
			at := &attachment{entries: map[string]*subnet{}}
			for _, id := range a.Subnets {
				if s := n.subnet(id); s != nil {
					at.entries[s.spec.Zone] = s
					if at.first == nil {
						at.first = s
					}
				}
			}
			byID[a.ID], g.byVPC[a.VPC] = at, at
		}
		tables := map[string]*route.Table[transitLead]{}
		for _, tt := range t.Tables {
			tables[tt.ID] = compileTransit(&tt, byID)
		}
		for _, a := range t.Attachments {
			byID[a.ID].routes = tables[a.Table]
		}
		return g
	})
}

func compileTransit(t *spec.TransitTable, byID map[string]*attachment) *route.Table[transitLead] {
	routes := make([]route.Route[transitLead], len(t.Routes))
	for i, r := range t.Routes {
		routes[i] = route.Route[transitLead]{Prefix: r.Prefix, Target: transitLead{byID[r.Attachment], t.ID + " " + r.Prefix.String()}}
	}
	compiled, err := route.NewTable(routes)
	if err != nil {
		panic("predict: what the data plane has taken: " + err.Error())
	}
	return compiled
}

// throughTransit is the subnet where a frame comes out of a transit gateway.
func (n *Network) throughTransit(h *hop, id string, from *vpc, zone string, dst frame.IPv4) (*subnet, verdict.Reason) {
	g := n.transit(id)
	if g == nil {
		return nil, verdict.Blackhole
	}
	// Its ends cannot refer to each other's groups.
	h.vpc, h.mtu = nil, transitMTU
	a := g.byVPC[from.id]
	if a == nil || a.entries[zone] == nil {
		return nil, verdict.NoRoute
	}
	to := a.routes.Lookup(dst)
	if to == nil {
		return nil, verdict.NoRoute
	}
	h.onward = to.name
	if to.to == nil {
		return nil, verdict.Blackhole
	}
	// Where the sender's zone has no subnet of the attachment, any will do.
	out := to.to.entries[zone]
	if out == nil {
		out = to.to.first
	}
	if out == nil {
		return nil, verdict.Blackhole
	}
	return out, verdict.Delivered
}
