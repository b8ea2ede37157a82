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
	ctx    context.Context
	last   counters // of the commits written
	holds  bool     // a commit
	broken error    // why the transaction can no longer be committed
	ended  bool
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
		err = s.fail("writing", err)
		s.wrote(err)
		s.turn <- struct{}{}
		return nil, err
	}
	b := &Batch{store: s, ctx: context.WithoutCancel(ctx), last: s.last}
	err := s.gone()
	if err == nil {
		_, err = s.tx.begin.ExecContext(b.ctx)
	}
	if err != nil {
		err = s.fail("writing", err)
		s.wrote(err)
		s.turn <- struct{}{}
		return nil, err
	}
	return b, nil
}

// Write implements control.Batch.
func (b *Batch) Write(c control.Commit) error {
	if err := b.usable(); err != nil {
		return b.store.fail("writing", err)
	}
	next, err := advance(b.last, c)
	if err == nil {
		err = b.write(c)
	}
	if err != nil {
		err = b.store.fail(fmt.Sprintf("writing revision %d to", c.Revision), err)
		b.store.wrote(err)
		return err
	}
	b.last, b.holds = next, true
	return nil
}

func (b *Batch) write(c control.Commit) error {
	steps, err := plan(c.Changes)
	if err != nil {
		return err
	}
	if err := b.mark(); err != nil {
		b.broken = err
		return err
	}
	err = writeCommit(b.ctx, b.store.query, c, steps)
	if err == nil && b.holds {
		_, err = b.store.tx.release.ExecContext(b.ctx)
	}
	if err == nil {
		return nil
	}
	if b.undo() != nil {
		// A full disk makes SQLite roll back everything. A further savepoint
		// would then open a transaction of its own, outside this batch.
		b.broken = fmt.Errorf("the batch was lost with an earlier write: %w", err)
	}
	return err
}

// mark makes a point to come back to. The first commit of a batch needs none,
// and most are alone: SQLite copies each page that changes behind a savepoint.
func (b *Batch) mark() error {
	if !b.holds {
		return nil
	}
	_, err := b.store.tx.savepoint.ExecContext(b.ctx)
	return err
}

// undo goes back to mark.
func (b *Batch) undo() error {
	again, then := b.store.tx.rollback, b.store.tx.begin
	if b.holds {
		again, then = b.store.tx.rollbackTo, b.store.tx.release
	}
	_, err := again.ExecContext(b.ctx)
	if err == nil {
		_, err = then.ExecContext(b.ctx)
	}
	return err
}

// Commit implements control.Batch.
func (b *Batch) Commit() error {
	if err := b.usable(); err != nil {
		b.Rollback()
		return b.store.fail("committing to", err)
	}
	err := b.finish()
	if err == nil {
		_, err = b.store.tx.commit.ExecContext(b.ctx)
	}
	if err == nil && !b.store.stillThere() {
		err = ErrGone // committed to a file without a name
	}
	if err != nil {
		err = b.store.fail("committing to", err)
		b.store.wrote(err)
		b.Rollback()
		return err
	}
	// Behind the commit, so that it never says more. Without it the commit is
	// stored all the same.
	b.store.wrote(b.store.witness.tell(b.last.Revision))
	b.store.last = b.last
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

// finish writes the counters and deletes the events that those of this batch
// push out. Numbers are dense, so the rows to go are one short range at the front
// of the table.
func (b *Batch) finish() error {
	if !b.holds {
		return nil
	}
	n, err := b.store.query.AdvanceMeta(b.ctx, b.last)
	if err != nil {
		return err
	}
	if n != 1 {
		return &OrderError{Revision: b.last.Revision}
	}
	if b.last.EventSeq <= MaxEvents {
		return nil
	}
	return b.store.query.TrimEvents(b.ctx, b.last.EventSeq-MaxEvents)
}

// writeCommit writes c's rows and its events.
func writeCommit(ctx context.Context, q *sqlcgen.Queries, c control.Commit, steps []step) error {
	if err := apply(ctx, q, steps); err != nil {
		return err
	}
	return writeEvents(ctx, q, c)
}

// counters are the row of table meta.
type counters = sqlcgen.AdvanceMetaParams

// advance returns the counters that c brings, which none of the old ones may
// exceed.
func advance(old counters, c control.Commit) (counters, error) {
	// An instant that does not fit must fail this write, not the whole batch.
	if _, err := column.Time(c.At).Value(); err != nil {
		return counters{}, err
	}
	if c.Revision <= old.Revision || c.NextGroupRef < old.NextGroupRef || c.NextRuleRef < old.NextRuleRef || c.EventSeq < old.EventSeq {
		return counters{}, &OrderError{Revision: c.Revision}
	}
	return counters{
		Revision:     c.Revision,
		CommittedAt:  column.Time(c.At),
		NextGroupRef: c.NextGroupRef,
		NextRuleRef:  c.NextRuleRef,
		EventSeq:     c.EventSeq,
	}, nil
}
