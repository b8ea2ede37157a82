// Package store keeps the control plane's State in one SQLite file: one table
// for each kind of resource, the event log and the counters, written in
// transactions that several commands share. It knows nothing of EC2's rules;
// its constraints only refuse what no rule allows. Reads of the running system
// never come here: the State in memory answers them.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/gofrs/flock"

	"enilab/internal/control"
	"enilab/internal/store/sqlcgen"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

// MaxEvents is how many rows the event log keeps; older ones go in the commit
// that adds newer ones.
const MaxEvents = 100_000

// Sync says which failures an acknowledged commit survives.
type Sync string

const (
	// SyncNormal survives the death of the process: the commit is in the
	// kernel's page cache. A power loss may undo the last commits, never
	// half of one (PRAGMA synchronous=NORMAL with a write-ahead log).
	SyncNormal Sync = "normal"
	// SyncFull survives power loss too, at an fsync for each shared commit.
	SyncFull Sync = "full"
)

// Options of a Store.
type Options struct {
	// Dir is the data directory; it is made if it does not exist.
	Dir string
	// Sync is SyncNormal unless set.
	Sync Sync
	// Fresh deletes what an earlier run stored.
	Fresh bool
	// AcceptLoss goes on with a database that is older than it was.
	AcceptLoss bool
	// From is a file that Copy has made: what a directory without a database
	// begins with. "": with nothing.
	From string

	// log is defaultLimits unless set.
	log limits
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	path string
	lock *flock.Flock

	// All writing happens on the pool's only connection, checked out for the
	// life of the Store so that prepared statements stay with it.
	writer *sql.DB
	conn   *sql.Conn
	query  *sqlcgen.Queries
	tx     transactions

	checkpoints *checkpointer

	last       counters // committed; guarded by the turn
	unfinished bool     // as opened
	copied     bool     // from Options.From, when opened

	witness *witness
	lost    *LostError // as opened; nil: nothing
	files   files      // guarded by the turn
	marked  atomic.Bool

	trouble struct {
		sync.Mutex
		err error // why the newest write failed
	}

	reader *sql.DB

	// turn holds one token while no batch is open and no checkpoint keeps
	// batches away.
	turn   chan struct{}
	closed chan struct{}
	once   sync.Once
}

var _ control.Store = (*Store)(nil)

// Open locks the data directory, opens or creates the database in it and brings
// its schema up to date. It returns a *LockedError if another process has the
// directory, a *SchemaError if a newer enilab has written the database, a *LostError
// if the database has been further than it is, and a *FormatError if Options.From is
// no copy of a database.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Sync == "" {
		opt.Sync = SyncNormal
	}
	if opt.log == (limits{}) {
		opt.log = defaultLimits
	}
	if opt.Sync != SyncNormal && opt.Sync != SyncFull {
		return nil, fmt.Errorf("sync mode %q: want %q or %q", opt.Sync, SyncNormal, SyncFull)
	}
	dir, err := filepath.Abs(opt.Dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", opt.Dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		path:   filepath.Join(dir, fileName),
		lock:   lock,
		turn:   make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
	s.turn <- struct{}{}
	if err := s.open(ctx, opt); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, opt Options) error {
	dir := filepath.Dir(s.path)
	if opt.Fresh {
		if err := errors.Join(removeWitness(dir), removeDatabase(s.path)); err != nil {
			return err
		}
	}
	var told testimony
	var err error
	if s.witness, told, err = openWitness(dir, opt); err != nil {
		return err
	}
	if err := s.testify(ctx, told, opt); err != nil {
		return err
	}
	if opt.From != "" {
		if err := s.beginFrom(ctx, opt.From); err != nil {
			return err
		}
	}
	if s.writer, err = openPool(writerDSN(s.path, opt.Sync), 1); err != nil {
		return s.fail("opening", err)
	}
	if err := migrate(ctx, s.writer, s.path, migrations()); err != nil {
		return s.fail("opening", err)
	}
	// The reader comes second: only a writer creates the file and its log.
	if s.reader, err = openPool(readerDSN(s.path), readers); err != nil {
		return s.fail("opening", err)
	}
	if s.conn, err = s.writer.Conn(ctx); err != nil {
		return s.fail("opening", err)
	}
	if s.query, err = sqlcgen.Prepare(ctx, s.conn); err != nil {
		return s.fail("opening", err)
	}
	if s.tx, err = prepareTransactions(ctx, s.conn); err != nil {
		return s.fail("opening", err)
	}
	meta, err := s.query.GetMeta(ctx)
	if err != nil {
		return s.fail("opening", err)
	}
	s.last = counters(meta)
	if err := s.witness.tell(s.last.Revision); err != nil {
		return s.fail("opening", err)
	}
	if err := s.readMark(ctx); err != nil {
		return s.fail("opening", err)
	}
	if err := s.noteFiles(); err != nil {
		return s.fail("opening", err)
	}
	if s.checkpoints, err = openCheckpointer(ctx, writerDSN(s.path, opt.Sync), s.conn, opt.log); err != nil {
		return s.fail("opening", err)
	}
	go s.checkpoints.run(s.turn, s.closed)
	return nil
}

// Path is the database file.
func (s *Store) Path() string { return s.path }

// Close waits for the open batch and a checkpoint to end, then closes the database and gives up
// the data directory. The last connection folds the write-ahead log back in.
func (s *Store) Close() error {
	var errs []error
	s.once.Do(func() {
		close(s.closed)
		<-s.turn
		if s.checkpoints != nil {
			<-s.checkpoints.ended
			errs = append(errs, s.checkpoints.close())
		}
		if s.reader != nil {
			errs = append(errs, s.reader.Close())
		}
		if s.query != nil {
			errs = append(errs, s.query.Close(), s.tx.close())
		}
		if s.conn != nil {
			errs = append(errs, s.conn.Close())
		}
		if s.writer != nil {
			errs = append(errs, s.writer.Close())
		}
		if s.witness != nil {
			errs = append(errs, s.witness.file.Close())
		}
		errs = append(errs, s.lock.Close())
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing %s: %w", s.path, err)
	}
	return nil
}

// fail says what was done to which file when err happened, and names the causes
// a person can do something about.
func (s *Store) fail(doing string, err error) error {
	return fmt.Errorf("%s database %s: %w", doing, s.path, classify(err))
}
