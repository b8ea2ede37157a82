package store

import (
	"context"
	"fmt"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

// documents stores one kind of resource whole, as JSON: kinds of which no
// constraint of the database has to know more than id and VPC.
type documents[T any, P interface {
	*T
	control.Row
}] struct{ table control.Table }

func (d documents[T, P]) check(c control.Change) error {
	for _, v := range []any{c.Before, c.After} {
		if v == nil {
			continue
		}
		p, ok := v.(P)
		if !ok || p == nil {
			return fmt.Errorf("holds %T, want a %T that is not nil", v, p)
		}
		if id := p.Identity().ID; id != c.ID {
			return fmt.Errorf("holds the resource %q", id)
		}
	}
	return nil
}

// Rows are deleted before those they refer to, and hold nothing that two of them
// could swap.
func (d documents[T, P]) release(context.Context, *sqlcgen.Queries, control.Change) error { return nil }

func (d documents[T, P]) hold(context.Context, *sqlcgen.Queries, control.Change) error { return nil }

func (d documents[T, P]) remove(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	n, err := q.DeleteDocument(ctx, sqlcgen.DeleteDocumentParams{ID: c.ID, Kind: d.table})
	if err != nil {
		return err
	}
	return expect("rows", n, 1)
}

func (d documents[T, P]) put(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	after := c.After.(P)
	value, err := column.JSON[T]{V: *after}.Value()
	if err != nil {
		return err
	}
	body, ok := value.(string)
	if !ok {
		return fmt.Errorf("%T has no JSON of its own", after)
	}
	vpc := column.ID(after.Identity().VPC)
	if c.Before == nil {
		return q.InsertDocument(ctx, sqlcgen.InsertDocumentParams{ID: c.ID, Kind: d.table, VPC: vpc, Body: body})
	}
	n, err := q.UpdateDocument(ctx, sqlcgen.UpdateDocumentParams{ID: c.ID, Kind: d.table, VPC: vpc, Body: body})
	if err != nil {
		return err
	}
	return expect("rows", n, 1)
}

func (d documents[T, P]) load(ctx context.Context, q *sqlcgen.Queries) ([]control.Change, error) {
	stored, err := q.ListDocuments(ctx, d.table)
	if err != nil {
		return nil, err
	}
	changes := make([]control.Change, len(stored))
	for i, r := range stored {
		var body column.JSON[T]
		if err := body.Scan(r.Body); err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
		changes[i] = control.Change{ID: r.ID, After: P(&body.V)}
	}
	return changes, nil
}
