package dataplane

import (
	"fmt"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/nat"
)

// Flows returns the connection table of a VNIC, at most max entries of it
// (0: all), and how many there are. Its frames wait meanwhile: a full
// table takes some milliseconds to list.
func (e *Engine) Flows(id string, max int) (flows []conntrack.FlowInfo, total int, err error) {
	v := e.vnicByID(id)
	if v == nil {
		return nil, 0, fmt.Errorf("listing flows: unknown network interface %q", id)
	}
	v.lock()
	defer v.token.Unlock()
	if v.flows == nil {
		return nil, 0, nil
	}
	v.flows.Each(e.opt.Now(), func(f conntrack.FlowInfo) {
		if total++; max <= 0 || len(flows) < max {
			flows = append(flows, f)
		}
	})
	return flows, total, nil
}

// NATFlows is Flows of the NAT gateway behind a VNIC: the connections that it
// translates. A VNIC that is none, or has translated nothing yet, has none.
func (e *Engine) NATFlows(id string, max int) (flows []nat.Flow, total int, err error) {
	v := e.vnicByID(id)
	if v == nil {
		return nil, 0, fmt.Errorf("listing translations: unknown network interface %q", id)
	}
	v.lock()
	defer v.token.Unlock()
	if v.nat == nil {
		return nil, 0, nil
	}
	v.nat.Flows(e.opt.Now(), func(f nat.Flow) {
		if total++; max <= 0 || len(flows) < max {
			flows = append(flows, f)
		}
	})
	return flows, total, nil
}
