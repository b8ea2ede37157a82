package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

// transactions are the statements around every write, prepared once.
type transactions struct {
	begin, commit, rollback        *sql.Stmt
	savepoint, release, rollbackTo *sql.Stmt
}

func prepareTransactions(ctx context.Context, conn *sql.Conn) (t transactions, err error) {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&t.begin, "BEGIN IMMEDIATE"},
		{&t.commit, "COMMIT"},
		{&t.rollback, "ROLLBACK"},
		{&t.savepoint, "SAVEPOINT command"},
		{&t.release, "RELEASE command"},
		{&t.rollbackTo, "ROLLBACK TO command"},
	} {
		if *p.stmt, err = conn.PrepareContext(ctx, p.text); err != nil {
			return t, fmt.Errorf("preparing %s: %w", p.text, err)
		}
	}
	return t, nil
}

func (t transactions) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{t.begin, t.commit, t.rollback, t.savepoint, t.release, t.rollbackTo} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// Batch is one open transaction. It belongs to one goroutine.
type Batch struct {
	store *Store
	// ctx has the values of Begin's context but not its end: SQLite answers an
	// interrupted write by rolling back the whole transaction, and with it the
	// commits of others.
	ctx     context.Context
	lastSeq uint64 // of the events written
	broken  error  // why the transaction can no longer be committed
	ended   bool
}

var _ control.Batch = (*Batch)(nil)

// Begin implements control.Store. It waits for the open batch to end; ctx bounds
// the wait, not the batch.
func (s *Store) Begin(ctx context.Context) (control.Batch, error) {
	select {
	case <-s.closed:
		return nil, s.fail("writing", ErrClosed)
	default:
	}
	select {
	case <-s.closed:
		return nil, s.fail("writing", ErrClosed)
	case <-ctx.Done():
		return nil, s.fail("writing", ctx.Err())
	case <-s.turn:
	}
	if err := s.checkpoints.bound(ctx); err != nil {
		s.turn <- struct{}{}
		return nil, s.fail("writing", err)
	}
	b := &Batch{store: s, ctx: context.WithoutCancel(ctx)}
	if _, err := s.tx.begin.ExecContext(b.ctx); err != nil {
		s.turn <- struct{}{}
		return nil, s.fail("writing", err)
	}
	return b, nil
}

// Write implements control.Batch.
func (b *Batch) Write(c control.Commit) error {
	if err := b.usable(); err != nil {
		return b.store.fail("writing", err)
	}
	if err := b.write(c); err != nil {
		return b.store.fail(fmt.Sprintf("writing revision %d to", c.Revision), err)
	}
	if n := len(c.Events); n > 0 {
		b.lastSeq = c.Events[n-1].Seq
	}
	return nil
}

func (b *Batch) write(c control.Commit) error {
	steps, err := plan(c.Changes)
	if err != nil {
		return err
	}
	tx := b.store.tx
	if _, err := tx.savepoint.ExecContext(b.ctx); err != nil {
		b.broken = err
		return err
	}
	err = writeCommit(b.ctx, b.store.query, c, steps)
	if err == nil {
		_, err = tx.release.ExecContext(b.ctx)
	}
	if err == nil {
		return nil
	}
	_, undo := tx.rollbackTo.ExecContext(b.ctx)
	if undo == nil {
		_, undo = tx.release.ExecContext(b.ctx)
	}
	if undo != nil {
		// A full disk makes SQLite roll back everything. A further savepoint
		// would then open a transaction of its own, outside this batch.
		b.broken = fmt.Errorf("the batch was lost with an earlier write: %w", err)
	}
	return err
}

// Commit implements control.Batch.
func (b *Batch) Commit() error {
	if err := b.usable(); err != nil {
		b.Rollback()
		return b.store.fail("committing to", err)
	}
	err := b.trim()
	if err == nil {
		_, err = b.store.tx.commit.ExecContext(b.ctx)
	}
	if err != nil {
		b.Rollback()
		return b.store.fail("committing to", err)
	}
	b.store.checkpoints.committed(b.ctx)
	b.end()
	return nil
}

// Rollback implements control.Batch. After Commit or Rollback it does nothing.
func (b *Batch) Rollback() {
	if b.ended {
		return
	}
	// It fails only if SQLite has rolled back already.
	_, _ = b.store.tx.rollback.ExecContext(b.ctx)
	b.end()
}

func (b *Batch) end() {
	b.ended = true
	b.store.turn <- struct{}{}
}

func (b *Batch) usable() error {
	if b.ended {
		return ErrEnded
	}
	return b.broken
}

// trim deletes the events that those of this batch push out. Numbers are dense,
// so the rows to go are one short range at the front of the table.
func (b *Batch) trim() error {
	if b.lastSeq <= MaxEvents {
		return nil
	}
	return b.store.query.TrimEvents(b.ctx, b.lastSeq-MaxEvents)
}

// writeCommit writes c's rows, its events and the counters.
func writeCommit(ctx context.Context, q *sqlcgen.Queries, c control.Commit, steps []step) error {
	if err := apply(ctx, q, steps); err != nil {
		return err
	}
	if err := writeEvents(ctx, q, c); err != nil {
		return err
	}
	n, err := q.AdvanceMeta(ctx, sqlcgen.AdvanceMetaParams{
		Revision:     c.Revision,
		CommittedAt:  column.Time(c.At),
		NextGroupRef: c.NextGroupRef,
		NextRuleRef:  c.NextRuleRef,
		EventSeq:     c.EventSeq,
	})
	if err != nil {
		return err
	}
	if n != 1 {
		return &OrderError{Revision: c.Revision}
	}
	return nil
}
