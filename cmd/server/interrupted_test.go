package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// interrupt starts the demo and stops the process, by stop, once its log has
// grown to size, or it is ready. It reports how long the log was.
func interrupt(t *testing.T, dir string, size int64, stop func(*os.Process) error) int64 {
	t.Helper()
	cmd := exec.Command(enilab(t), serveArgs(dir, "--scenario", "demo")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "Ready."; {
		}
	}()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	deadline := time.After(patience)
	var grown int64
	for waiting := true; waiting && grown < size; {
		select {
		case <-ready:
			waiting = false
		case <-look.C:
		case <-deadline:
			_ = cmd.Process.Kill()
			t.Fatalf("the log has %d bytes, not %d", grown, size)
		}
		if about, err := os.Stat(filepath.Join(dir, "enilab.db-wal")); err == nil {
			grown = about.Size()
		}
	}
	if err := stop(cmd.Process); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	<-ready
	return grown
}

var named = regexp.MustCompile(`"(?:name|Name)":"[^"]*"`)

// laboratory is what there is, by names: ids differ from start to start.
func laboratory(t *testing.T, url string) string {
	t.Helper()
	var all []string
	for _, kind := range []string{"vpcs", "subnets", "security-groups", "instances", "network-interfaces", "failover-policies"} {
		found := named.FindAllString(get(t, url+"/api/v1/"+kind), -1)
		slices.Sort(found)
		all = append(all, kind+": "+strings.Join(found, " "))
	}
	return strings.Join(all, "\n")
}

// A start that was ended in the middle of its scenario, by kill -9 or Ctrl-C,
// leaves nothing that the next takes for whole.
func TestAnInterruptedLoadIsBegunAnew(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	want := laboratory(t, p.url)
	about, err := os.Stat(filepath.Join(dir, "enilab.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Process.Kill()
	<-p.exited

	anew := 0
	const points = 8
	for n := range int64(points) {
		dir := t.TempDir()
		stop := (*os.Process).Kill
		if n%3 == 1 && runtime.GOOS != "windows" { // which cannot send it
			stop = func(p *os.Process) error { return p.Signal(os.Interrupt) }
		}
		interrupt(t, dir, about.Size()*(n+1)/points-about.Size()/(2*points), stop)
		p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
		if got := laboratory(t, p.url); got != want {
			t.Errorf("interrupted at point %d, the next start has\n%s\nwant\n%s", n, got, want)
		}
		_ = p.cmd.Process.Kill()
		<-p.exited
		if strings.Contains(p.stderr.String(), "beginning anew") {
			anew++
		}
	}
	if anew == 0 {
		t.Errorf("no start of %d has met the mark", points)
	}
	t.Logf("%d of %d began anew", anew, points)
}

// A laboratory that has lost its newest changes, or whose files are deleted
// while it runs, says so.
func TestALostDatabaseIsSaid(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows deletes no open file")
	}
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	_ = p.cmd.Process.Kill()
	<-p.exited
	if err := os.Remove(filepath.Join(dir, "enilab.db-wal")); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, serveArgs(dir)...); !strings.Contains(said, "--accept-loss") || strings.Contains(said, "\n") {
		t.Errorf("without its log: %q", said)
	}
	p = start(t, nil, serveArgs(dir, "--accept-loss")...)
	if err := os.Remove(filepath.Join(dir, "enilab.db")); err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(p.url+"/api/v1/vpcs", "application/json", strings.NewReader(`{"cidr":"10.0.0.0/16"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusInternalServerError {
		t.Errorf("a VPC was made in a deleted database: %s", r.Status)
	}
	if r, err = http.Get(p.url + "/healthz"); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "degraded") {
		t.Errorf("health says %s %s", r.Status, text)
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
	if said := p.stderr.String(); !strings.Contains(said, "older than it was") {
		t.Errorf("the log says %q", said)
	}
}
