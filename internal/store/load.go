package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/sqlcgen"
)

// Load implements control.Store: one Change for each row, ordered by table as
// control declares them, then by id. Values come back as they were stored, with
// these conventions: times are in UTC without a monotonic reading; a group's
// rules are in the order of their ids; an interface without addresses and a group
// without rules have nil there. An empty database has revision 0.
func (s *Store) Load(ctx context.Context) (control.Commit, error) {
	var c control.Commit
	err := s.read(ctx, func(q *sqlcgen.Queries) error {
		meta, err := q.GetMeta(ctx)
		if err != nil {
			return fmt.Errorf("meta: %w", err)
		}
		c = control.Commit{
			Revision:     meta.Revision,
			At:           time.Time(meta.CommittedAt),
			NextGroupRef: meta.NextGroupRef,
			NextRuleRef:  meta.NextRuleRef,
			EventSeq:     meta.EventSeq,
		}
		for _, k := range kinds {
			changes, err := k.load(ctx, q)
			if err != nil {
				return fmt.Errorf("table %s: %w", k.table, err)
			}
			for i := range changes {
				changes[i].Table = k.table
			}
			c.Changes = append(c.Changes, changes...)
		}
		return nil
	})
	if err != nil {
		return control.Commit{}, err
	}
	return c, nil
}

// read runs fn on a snapshot: what it queries belongs to one revision.
func (s *Store) read(ctx context.Context, fn func(*sqlcgen.Queries) error) error {
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.fail("reading", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if err := fn(sqlcgen.New(tx)); err != nil {
		return s.fail("reading", err)
	}
	return nil
}
