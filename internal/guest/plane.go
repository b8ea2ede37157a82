package guest

import (
	"context"
	"fmt"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
)

// Plane couples engine and lab: Apply puts a Delta into the engine first, then
// hot-plugs and unplugs the guests' NICs and starts, stops and freezes guests.
// It is the plan.Network of a laboratory.
type Plane struct {
	Engine *dataplane.Engine
	Lab    *Lab
}

// Apply returns when the engine delivers by d and the guests have what d says.
// Deltas take their turn in the order of the calls, which must be the order of
// generations. The acknowledgement is the engine's: its time is when the
// network had switched, not when the guests had their drivers up.
//
// An error with the zero Ack is the engine's refusal, and nothing of d is in
// force. An error with d's generation in the Ack is a guest's: the engine has d
// in force and keeps it, and the other guests have been served.
func (p *Plane) Apply(ctx context.Context, d spec.Delta) (spec.Ack, error) {
	p.Lab.applying.Lock()
	defer p.Lab.applying.Unlock()
	ack, err := p.Engine.Apply(ctx, d)
	if err != nil {
		return spec.Ack{}, err
	}
	if err := p.Lab.applyLocked(d); err != nil {
		return ack, fmt.Errorf("guests of generation %d: %w", d.Generation, err)
	}
	return ack, nil
}
