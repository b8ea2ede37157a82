package store

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"enilab/internal/control"
)

func TestRefusedCommitLeavesTheBatch(t *testing.T) {
	s := open(t, t.TempDir())
	b := begin(t, s)
	defer b.Rollback()
	if err := b.Write(pairCommit(1)); err != nil {
		t.Fatal(err)
	}
	bad := pairCommit(2)
	bad.Changes[1].After.(*control.NetworkInterface).Addresses[0].Addr = netip.MustParseAddr("10.0.0.10") // of eni-0-0
	if err := b.Write(bad); err == nil {
		t.Fatal("a second interface got the same address")
	}
	if err := b.Write(pairCommit(2)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	same(t, load(t, s), pairsAt(2))
	verifyPairEvents(t, s, 2)
}

func TestRollback(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	b := begin(t, s)
	if err := b.Write(pairCommit(2)); err != nil {
		t.Fatal(err)
	}
	b.Rollback()
	b.Rollback()
	if err := b.Write(pairCommit(2)); !errors.Is(err, ErrEnded) {
		t.Errorf("Write after Rollback: %v", err)
	}
	if err := b.Commit(); !errors.Is(err, ErrEnded) {
		t.Errorf("Commit after Rollback: %v", err)
	}
	same(t, load(t, s), pairsAt(1))
	write(t, s, pairCommit(2))
}

func TestNothingIsReadBeforeTheCommit(t *testing.T) {
	s := open(t, t.TempDir())
	b := begin(t, s)
	defer b.Rollback()
	if err := b.Write(pairCommit(1)); err != nil {
		t.Fatal(err)
	}
	same(t, load(t, s), control.Commit{})
}

func TestBeginWaitsForItsTurn(t *testing.T) {
	s := open(t, t.TempDir())
	b := begin(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Begin(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that the wait was cancelled", err)
	}
	second := make(chan control.Batch)
	go func() {
		next, err := s.Begin(context.Background())
		if err != nil {
			t.Error(err)
		}
		second <- next
	}()
	b.Rollback()
	next := <-second
	defer next.Rollback()
	if err := next.Write(pairCommit(1)); err != nil {
		t.Error(err)
	}
}

// A client that gives up must not take the others of the batch with it.
func TestBatchOutlivesItsContext(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	b, err := s.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Rollback()
	cancel()
	if err := b.Write(pairCommit(1)); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	same(t, load(t, s), pairsAt(1))
}

// pages lets the database grow by n pages more, or for ever if n is negative.
func pages(t *testing.T, s *Store, n int) {
	t.Helper()
	limit := "4294967294"
	if n >= 0 {
		var have int
		if err := s.conn.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&have); err != nil {
			t.Fatal(err)
		}
		limit = strconv.Itoa(have + n)
	}
	if _, err := s.conn.ExecContext(t.Context(), "PRAGMA max_page_count="+limit); err != nil {
		t.Fatal(err)
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	pages(t, s, 4)
	b := begin(t, s)
	if err := b.Write(pairCommit(2)); err != nil {
		t.Fatal(err)
	}
	big := pairCommit(3)
	big.Changes[0].After.(*control.NetworkInterface).Description = strings.Repeat("x", 1<<20)
	if err := b.Write(big); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), s.Path()) {
		t.Fatalf("got %v, want ErrFull naming %s", err, s.Path())
	}
	// Whether SQLite has kept the transaction or not, Commit tells the truth.
	if err := b.Commit(); err != nil {
		t.Logf("the batch was lost: %v", err)
		same(t, load(t, s), pairsAt(1))
	} else {
		same(t, load(t, s), pairsAt(2))
	}
	pages(t, s, -1)
	next := load(t, s).Revision + 1
	write(t, s, pairCommit(next))
	same(t, load(t, s), pairsAt(next))
}

// TestLostTransaction has SQLite end the transaction behind the batch's back,
// as it does when it cannot write.
func TestLostTransaction(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	b := begin(t, s)
	if err := b.Write(pairCommit(2)); err != nil {
		t.Fatal(err)
	}
	lost := pairCommit(3)
	lost.Events[0].Type = "lost"
	if _, err := s.conn.ExecContext(t.Context(), `CREATE TEMP TRIGGER lose BEFORE INSERT ON events
		WHEN new.type = 'lost' BEGIN SELECT raise(ROLLBACK, 'disk I/O error'); END`); err != nil {
		t.Fatal(err)
	}
	if err := b.Write(lost); err == nil {
		t.Fatal("the write went through")
	}
	if err := b.Write(pairCommit(3)); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("Write in a lost transaction: %v", err)
	}
	if err := b.Commit(); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("Commit of a lost transaction: %v", err)
	}
	same(t, load(t, s), pairsAt(1))
	write(t, s, pairCommit(2), pairCommit(3))
	same(t, load(t, s), pairsAt(3))
}
