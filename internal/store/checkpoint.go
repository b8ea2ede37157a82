package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// limits are lengths of the write-ahead log, in pages of 4 KiB. A move writes
// between five and ten.
type limits struct {
	// fold is how many pages that are not in the database yet start a
	// checkpoint beside the commits: four times SQLite's own default. The commit
	// that begins the log anew syncs its head, and what others write meanwhile
	// waits for the checkpoint's syncs, so that each is milliseconds of everybody's.
	fold int
	// restart is the length from which on a checkpoint that commits have
	// overtaken takes the turn and finishes without them. Until then a pause
	// between two commits does it for nothing.
	restart int
	// most is the length at which the next batch waits for a checkpoint. Only
	// a reader's snapshot can make the log longer: waiting for another
	// program's reader would stop the lab.
	most int
}

var defaultLimits = limits{fold: 4000, restart: 8000, most: 16_000}

// progress is how many pages the log has, and how many of those are in the
// database too. Once all are, and no reader needs them, the next commit writes
// from the log's start again.
type progress struct{ pages, folded int }

func (p progress) done() bool { return p.folded >= p.pages }

// checkpointer folds the write-ahead log back into the database. SQLite would
// do it within the commit that brings the log to 1000 pages, which waits for
// two fsyncs then, and a move writes so much that this is one commit in a
// hundred. Here a goroutine does it on a connection of its own. What it cannot
// do (a full disk, say) is not lost: the log stays, and Begin meets the same
// error at the limit, where there is someone to tell.
type checkpointer struct {
	limits limits
	pool   *sql.DB   // of one connection, so that checkpoints do not collide
	fold   *sql.Stmt // on it
	writer *sql.Conn
	look   *sql.Stmt // on writer

	// Guarded by the turn: the log when someone looked, and how many pages
	// commits have written since.
	log   progress
	since int

	// wake holds one token while there is something to fold. More would say
	// nothing more.
	wake  chan struct{}
	ended chan struct{}
}

// openCheckpointer prepares for a database that exists. The connection of its
// own has the writer's settings: a checkpoint syncs as its own connection's
// synchronous says.
func openCheckpointer(ctx context.Context, dsn string, writer *sql.Conn, l limits) (c *checkpointer, err error) {
	c = &checkpointer{limits: l, writer: writer, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	if c.pool, err = openPool(dsn, 1); err != nil {
		return nil, err
	}
	if c.fold, err = c.pool.PrepareContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err == nil {
		c.look, err = writer.PrepareContext(ctx, "PRAGMA wal_checkpoint(NOOP)")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing checkpoints: %w", err), c.close())
	}
	return c, nil
}

// checkpoint runs one of the statements. A passive checkpoint waits for nobody:
// what a reader's snapshot still needs is left for the next.
func checkpoint(ctx context.Context, stmt *sql.Stmt) (p progress, err error) {
	var busy int
	err = stmt.QueryRowContext(ctx).Scan(&busy, &p.pages, &p.folded)
	return p, err
}

// run folds whenever it is woken, until closed.
func (c *checkpointer) run(turn chan struct{}, closed <-chan struct{}) {
	defer close(c.ended)
	for {
		select {
		case <-closed:
			return
		case <-c.wake:
		}
		p, err := checkpoint(context.Background(), c.fold)
		if err == nil && !p.done() && p.pages >= c.limits.restart {
			select {
			case <-closed:
				return
			case <-turn:
			}
			_ = c.measure(context.Background(), c.fold)
			turn <- struct{}{}
		}
		// Commits beside the checkpoint saw the log as it was before. If they
		// have left enough behind, the next one wakes again.
		select {
		case <-c.wake:
		default:
		}
	}
}

// committed wakes run if commits have left it enough. To look at the log is a
// tenth of what a commit costs, so that until then only the pages written are
// counted. The caller has the turn.
func (c *checkpointer) committed(ctx context.Context) {
	n, err := c.written()
	c.since += n
	if err == nil && c.log.pages-c.log.folded+c.since < c.limits.fold {
		return
	}
	if err == nil {
		err = c.measure(ctx, c.look)
	}
	if err != nil {
		// The commit is stored and must not fail. Begin will find out.
		c.since = c.limits.most
		return
	}
	if c.log.pages-c.log.folded < c.limits.fold {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// measure notes what a statement says of the log. The caller has the turn.
func (c *checkpointer) measure(ctx context.Context, stmt *sql.Stmt) error {
	p, err := checkpoint(ctx, stmt)
	if err == nil {
		c.log, c.since = p, 0
	}
	return err
}

// written is how many pages the writer has put into the log since the last call.
func (c *checkpointer) written() (pages int, err error) {
	err = c.writer.Raw(func(driver any) error {
		pages, _, err = driver.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
		return err
	})
	return pages, err
}

// bound folds the log if it has reached the limit because checkpoints, or the
// disk, cannot keep up with the commits. The caller has the turn.
func (c *checkpointer) bound(ctx context.Context) error {
	if c.log.pages+c.since < c.limits.most {
		return nil
	}
	// The log may have begun anew since it was measured.
	err := c.measure(ctx, c.look)
	if err == nil && c.log.pages >= c.limits.most && !c.log.done() {
		err = c.measure(ctx, c.fold)
	}
	if err != nil {
		return fmt.Errorf("folding the log back: %w", err)
	}
	return nil
}

// close gives up the statements and the connection; run has ended.
func (c *checkpointer) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{c.fold, c.look} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(append(errs, c.pool.Close())...)
}
