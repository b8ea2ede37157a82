package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"enilab/internal/control"
	"enilab/internal/store/sqlcgen"
)

// resource writes and reads the rows of one kind. The changes given to it have
// passed check.
type resource interface {
	check(c control.Change) error
	// release takes away the child rows and references that After has no more.
	release(ctx context.Context, q *sqlcgen.Queries, c control.Change) error
	remove(ctx context.Context, q *sqlcgen.Queries, c control.Change) error
	put(ctx context.Context, q *sqlcgen.Queries, c control.Change) error
	// hold adds the child rows that Before did not have.
	hold(ctx context.Context, q *sqlcgen.Queries, c control.Change) error
	load(ctx context.Context, q *sqlcgen.Queries) ([]control.Change, error)
}

// own are the kinds with tables of their own, because constraints of the
// database or queries need their columns.
var own = map[control.Table]resource{
	control.TableVPC:              vpcs,
	control.TableSubnet:           subnets,
	control.TableInstance:         instances,
	control.TableNetworkInterface: networkInterfaces,
	control.TableSecurityGroup:    securityGroups,
	control.TableAddress:          addresses,
	control.TablePolicy:           policies,
	control.TableFailover:         failovers,
}

// stored is one kind and how it is written and read.
type stored struct {
	table control.Table
	resource
}

// kinds are control's, each after those it refers to, child rows aside.
var kinds = func() []stored {
	list := make([]stored, 0, len(control.Kinds()))
	for _, k := range control.Kinds() {
		r := own[k.Table]
		if k.Document {
			r = documents{k}
		}
		list = append(list, stored{k.Table, r})
	}
	return list
}()

// ranks are the places in kinds.
var ranks = func() map[control.Table]int {
	at := make(map[control.Table]int, len(kinds))
	for i, k := range kinds {
		at[k.table] = i
	}
	return at
}()

// step is one row's change and the rank of its table in kinds.
type step struct {
	rank   int
	change control.Change
}

// plan checks changes, orders them by table and id, and folds several changes of
// one row into one.
func plan(changes []control.Change) ([]step, error) {
	steps := make([]step, 0, len(changes))
	for _, c := range changes {
		rank, known := ranks[c.Table]
		if !known {
			return nil, fmt.Errorf("change of %s in unknown table %q", c.ID, c.Table)
		}
		if err := kinds[rank].check(c); err != nil {
			return nil, fmt.Errorf("change of %s %s: %w", c.Table, c.ID, err)
		}
		steps = append(steps, step{rank, c})
	}
	slices.SortStableFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.change.ID, b.change.ID))
	})
	folded := steps[:0]
	for _, s := range steps {
		if n := len(folded); n > 0 && folded[n-1].rank == s.rank && folded[n-1].change.ID == s.change.ID {
			folded[n-1].change.After = s.change.After
			continue
		}
		folded = append(folded, s)
	}
	return slices.DeleteFunc(folded, func(s step) bool {
		return s.change.Before == nil && s.change.After == nil
	}), nil
}

// apply runs steps in an order in which no intermediate state breaks a
// constraint that the final one keeps: first every claim is given up (an
// address, a device index, a group membership), then rows go, referring ones
// first, then rows come, referred ones first, and at last claims are made. So
// an address can change its owner, and two interfaces can swap places, within
// one commit. Deferred foreign keys would not do: SQLite checks them at COMMIT,
// where one bad command would take the whole batch with it.
func apply(ctx context.Context, q *sqlcgen.Queries, steps []step) error {
	for _, s := range slices.Backward(steps) {
		if s.change.Before != nil {
			if err := kinds[s.rank].release(ctx, q, s.change); err != nil {
				return s.fail("releasing", err)
			}
		}
	}
	for _, s := range slices.Backward(steps) {
		if s.change.After == nil {
			if err := kinds[s.rank].remove(ctx, q, s.change); err != nil {
				return s.fail("deleting", err)
			}
		}
	}
	for _, s := range steps {
		if s.change.After != nil {
			if err := kinds[s.rank].put(ctx, q, s.change); err != nil {
				return s.fail("storing", err)
			}
		}
	}
	for _, s := range steps {
		if s.change.After != nil {
			if err := kinds[s.rank].hold(ctx, q, s.change); err != nil {
				return s.fail("storing", err)
			}
		}
	}
	return nil
}

func (s step) fail(doing string, err error) error {
	return fmt.Errorf("%s %s %s: %w", doing, s.change.Table, s.change.ID,
		constraint(err, s.change.Table, s.change.ID))
}
