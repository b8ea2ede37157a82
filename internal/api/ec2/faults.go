package ec2

import (
	"context"
	"maps"
	"slices"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
)

// operationNames are the actions that a fault can be injected into: EC2's, also
// those that are not implemented, and STS's.
func operationNames() []string {
	return slices.AppendSeq(slices.Clone(model.Names), maps.Keys(stsActions))
}

// inject lets the faults of one side of the effect happen. While a call is held
// nothing else is: no lock, no place in a queue, and no time of its own.
func (a *API) inject(ctx context.Context, r *request, hit *apifault.Call, side apifault.When) error {
	if !hit.Hangs() {
		return hit.Inject(ctx, side)
	}
	watched, stop := r.watch(r.base)
	defer stop()
	return hit.Inject(watched, side)
}
