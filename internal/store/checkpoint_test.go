package store

import (
	"context"
	"database/sql"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// never wakes the checkpointer nor bounds the log.
var never = limits{fold: math.MaxInt, restart: math.MaxInt, most: math.MaxInt}

func openLimited(t *testing.T, l limits) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), log: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// logOfStore is the log as it is, while no batch is open.
func logOfStore(t *testing.T, s *Store) progress {
	t.Helper()
	p, err := checkpoint(t.Context(), s.checkpoints.look)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCommitsMakeNoCheckpoint(t *testing.T) {
	s := openLimited(t, never)
	before := logOfStore(t, s)
	for revision := uint64(1); revision <= 200; revision++ {
		write(t, s, pairCommit(revision))
	}
	if got := logOfStore(t, s); got.pages < 1200 || got.folded != before.folded {
		t.Errorf("the log is %+v after %+v: want it long, and nothing of it folded", got, before)
	}
}

// TestLogBeginsAnew commits until the checkpointer, which these commits overtake
// all the time, has had the log written from its start again three times.
func TestLogBeginsAnew(t *testing.T) {
	s := openLimited(t, limits{fold: 20, restart: 40, most: math.MaxInt})
	var restarts int
	var last progress
	revision := uint64(1)
	for ; restarts < 3; revision++ {
		if revision > 20_000 {
			t.Fatalf("after %d commits the log is %+v and began anew %d times", revision, last, restarts)
		}
		write(t, s, pairCommit(revision))
		<-s.turn
		now := logOfStore(t, s)
		s.turn <- struct{}{}
		if now.pages < last.pages {
			restarts++
		}
		last = now
	}
	same(t, load(t, s), pairsAt(revision-1))
	verifyPairEvents(t, s, revision-1)
}

// TestOvertakenCheckpointTakesTheTurn has a snapshot stand for the commits that
// keep the first checkpoint from folding everything.
func TestOvertakenCheckpointTakesTheTurn(t *testing.T) {
	s := openLimited(t, limits{fold: math.MaxInt, restart: 40, most: math.MaxInt})
	write(t, s, pairCommit(1))
	tx, err := s.reader.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "SELECT revision FROM meta"); err != nil {
		t.Fatal(err)
	}
	for revision := uint64(2); revision <= 20; revision++ {
		write(t, s, pairCommit(revision))
	}

	<-s.turn
	s.checkpoints.wake <- struct{}{}
	first := awaitLog(t, s, func(p progress) bool { return p.folded > 0 })
	_ = tx.Rollback()
	s.turn <- struct{}{}
	if first.done() {
		t.Fatalf("the log is %+v: the snapshot kept nothing", first)
	}
	awaitLog(t, s, progress.done)
}

// awaitLog looks until the log is as it shall be. Nothing else writes.
func awaitLog(t *testing.T, s *Store, as func(progress) bool) progress {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		p := logOfStore(t, s)
		if as(p) {
			return p
		}
		if ctx.Err() != nil {
			t.Fatalf("the log stays %+v", p)
		}
		runtime.Gosched()
	}
}

// TestBeginBoundsTheLog has a checkpointer that never comes.
func TestBeginBoundsTheLog(t *testing.T) {
	const most, ofOneCommit = 100, 100
	s := openLimited(t, limits{fold: math.MaxInt, restart: math.MaxInt, most: most})
	longest := 0
	for revision := uint64(1); revision <= 300; revision++ {
		write(t, s, pairCommit(revision))
		longest = max(longest, logOfStore(t, s).pages)
	}
	if longest < most || longest >= most+ofOneCommit {
		t.Errorf("the log had %d pages, want little more than %d", longest, most)
	}
	info, err := os.Stat(s.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Size() >> 12; got >= most+ofOneCommit {
		t.Errorf("the log's file has %d pages, want little more than %d", got, most)
	}
	same(t, load(t, s), pairsAt(300))
}

func TestSnapshotOutlivesCheckpoints(t *testing.T) {
	const most = 100
	s := openLimited(t, limits{fold: math.MaxInt, restart: math.MaxInt, most: most})
	write(t, s, pairCommit(1))
	tx, err := s.reader.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	stored := func() (revision uint64) {
		if err := tx.QueryRowContext(t.Context(), "SELECT revision FROM meta").Scan(&revision); err != nil {
			t.Fatal(err)
		}
		return revision
	}
	if got := stored(); got != 1 {
		t.Fatalf("the snapshot is of revision %d", got)
	}
	revision := uint64(2)
	for ; revision <= 100; revision++ {
		write(t, s, pairCommit(revision))
	}
	if got := stored(); got != 1 {
		t.Errorf("the snapshot has moved to revision %d", got)
	}
	if got := logOfStore(t, s); got.pages < 2*most || got.done() {
		t.Errorf("the log is %+v: the snapshot kept nothing", got)
	}
	_ = tx.Rollback()
	for ; revision <= 103; revision++ {
		write(t, s, pairCommit(revision))
	}
	if got := logOfStore(t, s); got.pages >= most {
		t.Errorf("the log is %+v after the snapshot ended", got)
	}
	same(t, load(t, s), pairsAt(revision-1))
}

func TestFailedCheckpointIsToldByBegin(t *testing.T) {
	s := openLimited(t, limits{fold: 10, restart: 20, most: 100})
	if err := s.checkpoints.pool.Close(); err != nil {
		t.Fatal(err)
	}
	stored := uint64(0)
	for ; stored < 100; stored++ {
		b, err := s.Begin(context.Background())
		if err != nil {
			if !strings.Contains(err.Error(), "folding the log back") || !strings.Contains(err.Error(), s.path) {
				t.Errorf("got %v, want what failed, and on which file", err)
			}
			break
		}
		if err := b.Write(pairCommit(stored + 1)); err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if stored == 0 || stored == 100 {
		t.Errorf("%d commits were stored before one was refused", stored)
	}
	same(t, load(t, s), pairsAt(stored))
}

// A checkpoint syncs the log before it writes the database, and the database
// before the log is written over. On a connection that does not, a power loss
// could take the database.
func TestCheckpointsSync(t *testing.T) {
	for mode, want := range map[Sync]int{SyncNormal: 1, SyncFull: 2} {
		s, err := Open(t.Context(), Options{Dir: t.TempDir(), Sync: mode})
		if err != nil {
			t.Fatal(err)
		}
		var got, auto int
		if err := s.checkpoints.pool.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if err := s.conn.QueryRowContext(t.Context(), "PRAGMA wal_autocheckpoint").Scan(&auto); err != nil {
			t.Fatal(err)
		}
		if got != want || auto != 0 {
			t.Errorf("mode %s: synchronous=%d wal_autocheckpoint=%d, want %d and 0", mode, got, auto, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
