package store

import (
	"context"
	"fmt"
	"reflect"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

// documents stores one kind of resource whole, as JSON: kinds of which no
// constraint of the database has to know more than id and VPC.
type documents struct{ kind *control.Kind }

func (d documents) check(c control.Change) error {
	want := reflect.TypeOf(d.kind.Blank())
	for _, v := range []any{c.Before, c.After} {
		if v == nil {
			continue
		}
		if reflect.TypeOf(v) != want || reflect.ValueOf(v).IsNil() {
			return fmt.Errorf("holds %T, want a %s that is not nil", v, want)
		}
		if id := v.(control.Row).Identity().ID; id != c.ID {
			return fmt.Errorf("holds the resource %q", id)
		}
	}
	return nil
}

// Rows are deleted before those they refer to, and hold nothing that two of them
// could swap.
func (d documents) release(context.Context, *sqlcgen.Queries, control.Change) error { return nil }

func (d documents) hold(context.Context, *sqlcgen.Queries, control.Change) error { return nil }

func (d documents) remove(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	n, err := q.DeleteDocument(ctx, sqlcgen.DeleteDocumentParams{ID: c.ID, Kind: d.kind.Table})
	if err != nil {
		return err
	}
	return expect("rows", n, 1)
}

func (d documents) put(ctx context.Context, q *sqlcgen.Queries, c control.Change) error {
	after := c.After.(control.Row)
	value, err := column.JSON[control.Row]{V: after}.Value()
	if err != nil {
		return err
	}
	body, ok := value.(string)
	if !ok {
		return fmt.Errorf("%T has no JSON of its own", after)
	}
	vpc := column.ID(after.Identity().VPC)
	if c.Before == nil {
		return q.InsertDocument(ctx, sqlcgen.InsertDocumentParams{ID: c.ID, Kind: d.kind.Table, VPC: vpc, Body: body})
	}
	n, err := q.UpdateDocument(ctx, sqlcgen.UpdateDocumentParams{ID: c.ID, Kind: d.kind.Table, VPC: vpc, Body: body})
	if err != nil {
		return err
	}
	return expect("rows", n, 1)
}

func (d documents) load(ctx context.Context, q *sqlcgen.Queries) ([]control.Change, error) {
	stored, err := q.ListDocuments(ctx, d.kind.Table)
	if err != nil {
		return nil, err
	}
	changes := make([]control.Change, len(stored))
	for i, r := range stored {
		row := d.kind.Blank()
		if err := column.ReadJSON(r.Body, row); err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
		changes[i] = control.Change{ID: r.ID, After: row}
	}
	return changes, nil
}
