package store

import (
	"context"
	"fmt"

	"enilab/internal/control"
	"enilab/internal/store/sqlcgen"
)

// rows says how one type of resource lies in its table, and in child tables if
// it has any.
type rows[T any] struct {
	id     func(*T) string
	insert func(context.Context, *sqlcgen.Queries, *T) error
	update func(context.Context, *sqlcgen.Queries, *T) (int64, error)
	del    func(context.Context, *sqlcgen.Queries, string) (int64, error)
	all    func(context.Context, *sqlcgen.Queries) ([]*T, error)

	// Nil without child rows. In give after may be nil, in take before may be.
	give func(ctx context.Context, q *sqlcgen.Queries, before, after *T) error
	take func(ctx context.Context, q *sqlcgen.Queries, before, after *T) error
}

func (r rows[T]) check(c control.Change) error {
	for _, v := range []any{c.Before, c.After} {
		if v == nil {
			continue
		}
		t, ok := v.(*T)
		if !ok || t == nil {
			return fmt.Errorf("holds %T, want a %T that is not nil", v, t)
		}
		if id := r.id(t); id != c.ID {
			return fmt.Errorf("holds the resource %q", id)
		}
	}
	return nil
}

func (r rows[T]) release(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	if r.give == nil {
		return nil
	}
	before, after := r.values(c)
	return r.give(ctx, q, before, after)
}

func (r rows[T]) remove(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	n, err := r.del(ctx, q, c.ID)
	if err != nil {
		return err
	}
	return expect("rows", n, 1)
}

func (r rows[T]) put(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	before, after := r.values(c)
	if before == nil {
		return r.insert(ctx, q, after)
	}
	n, err := r.update(ctx, q, after)
	if err != nil {
		return err
	}
	return expect("rows", n, 1)
}

func (r rows[T]) hold(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	if r.take == nil {
		return nil
	}
	before, after := r.values(c)
	return r.take(ctx, q, before, after)
}

func (r rows[T]) load(ctx context.Context, q *sqlcgen.Queries) ([]control.Change, error) {
	all, err := r.all(ctx, q)
	if err != nil {
		return nil, err
	}
	changes := make([]control.Change, len(all))
	for i, t := range all {
		changes[i] = control.Change{ID: r.id(t), After: t}
	}
	return changes, nil
}

func (r rows[T]) values(c control.Change) (before, after *T) {
	before, _ = c.Before.(*T)
	after, _ = c.After.(*T)
	return before, after
}
