package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	_ "modernc.org/sqlite"

	"enilab/internal/dataplane/tap"
)

// TestASignalDrains interrupts a server that is busy: the page's stream is
// told, a live capture ends between two blocks, a running one is kept.
func TestASignalDrains(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be interrupted there from outside")
	}
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	if got := get(t, p.url+"/healthz"); !strings.Contains(got, "ok") {
		t.Errorf("health is %q", got)
	}
	stream := watch(t, p.url)
	var c struct{ ID string }
	decode(t, post(t, p.url+"/api/v1/captures", `{}`), &c)
	live, err := http.Get(p.url + "/api/v1/live.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	head := make([]byte, 4096)
	if _, err := io.ReadFull(live.Body, head); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(live.Body)
	if err != nil {
		t.Errorf("the live capture was cut: %v", err)
	}
	if err := stream.end(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the stream ended with %v, want 1001", err)
	}
	// It says so itself, by another exit, if ending takes longer than drainTime.
	if err := p.wait(t, patience); err != nil {
		t.Errorf("ended with %v, want exit 0\n%s", err, p.stderr)
	}
	if n := countFrames(t, strings.NewReader(string(head)+string(rest))); n == 0 {
		t.Error("the live capture has no frame")
	}
	kept, err := os.Open(filepath.Join(dir, "captures", c.ID+".pcapng"))
	if err != nil {
		t.Fatalf("the running capture was not kept: %v", err)
	}
	defer kept.Close()
	if n := countFrames(t, kept); n == 0 {
		t.Error("the kept capture has no frame")
	}
}

// A signal while the laboratory is opened or filled ends it as at any other
// time: with exit 0, and nothing said.
func TestASignalDuringTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if err := run(ctx, serveArgs(t.TempDir(), "--scenario", "demo"), &out); err != nil || out.String() != "" {
		t.Errorf("ended with %v, said %q", err, out.String())
	}
}

// countFrames counts the frames of a whole, well-formed capture.
func countFrames(t *testing.T, r io.Reader) (n int) {
	t.Helper()
	if err := tap.ReadFile(r, func(int64, int, []byte) error { n++; return nil }); err != nil {
		t.Errorf("reading the capture: %v", err)
	}
	return n
}

// end reads until the stream ends and returns how.
func (e events) end() error {
	if err := e.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		if _, _, err := e.conn.ReadMessage(); err != nil {
			return err
		}
	}
}

func TestADatabaseOfANewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir)...)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
	db, err := sql.Open("sqlite", filepath.Join(dir, "enilab.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(context.Background(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if got := refused(t, serveArgs(dir)...); !strings.Contains(got, "999") || strings.Contains(got, "\n") {
		t.Errorf("said %q, want one line with the version 999", got)
	}
}
