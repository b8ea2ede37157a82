package dataplane

import (
	"fmt"

	"enilab/internal/dataplane/conntrack"
)

// Flows returns the connection table of a VNIC, at most max entries of it
// (0: all), and how many there are. The worker waits meanwhile: a full table
// takes some milliseconds to list.
func (e *Engine) Flows(id string, max int) (flows []conntrack.FlowInfo, total int, err error) {
	v := e.vnicByID(id)
	if v == nil {
		return nil, 0, fmt.Errorf("listing flows: unknown network interface %q", id)
	}
	v.worker.visit(func() {
		if v.flows == nil {
			return
		}
		v.flows.Each(e.opt.Now(), func(f conntrack.FlowInfo) {
			if total++; max <= 0 || len(flows) < max {
				flows = append(flows, f)
			}
		})
	})
	return flows, total, nil
}
