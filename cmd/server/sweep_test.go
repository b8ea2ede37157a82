package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
)

// sweepNetwork is a drill that holds under some seeds and fails under others: the
// first step comes at any phase of the probes.
const sweepNetwork = "eni-failover"

// sweepArgs are those of one sweep, however it is carried out.
var sweepArgs = []string{"sweep", sweepNetwork, "--seeds", "3..82", "--job-seeds", "4", "--set", "assert[1].detected.within=700ms"}

// natsServer runs a server with JetStream in this process.
func natsServer(t *testing.T) *nats.Server {
	t.Helper()
	s, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS does not get ready")
	}
	return s
}

// sweepIn runs a sweep in a folder and returns its exit code and what it printed.
func sweepIn(t *testing.T, dir string, more ...string) (code int, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), enilab(t), append(append([]string{}, sweepArgs...), more...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// worker is a process that does jobs.
type worker struct {
	cmd    *exec.Cmd
	stderr *spoken
	exited chan struct{}
}

func startWorker(t *testing.T, url string) *worker {
	t.Helper()
	w := &worker{exec.Command(enilab(t), "worker", "--nats", url, "--parallel", "1"), new(spoken), make(chan struct{})}
	w.cmd.Stderr = w.stderr
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = w.cmd.Wait(); close(w.exited) }() // how it ended is in ProcessState
	t.Cleanup(w.kill)
	return w
}

// kill is kill -9.
func (w *worker) kill() {
	_ = w.cmd.Process.Kill() // one that has ended already is as dead
	<-w.exited
}

// atWork waits until the worker has a job.
func (w *worker) atWork(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(w.stderr.String(), "seeds 3 to 82"); {
		select {
		case <-w.exited:
			t.Fatalf("a worker ended\n%s", w.stderr)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("a worker has no job\n%s", w.stderr)
		}
	}
}

// TestSweepSurvivesKilledWorkers: processes are killed in the middle of their jobs;
// nothing is lost or counted twice, and the results are those of this machine
// alone, byte for byte.
func TestSweepSurvivesKilledWorkers(t *testing.T) {
	url, dir := natsServer(t).ClientURL(), t.TempDir()
	code, text := sweepIn(t, dir, "--json", "local.json", "--parallel", "2")
	if code != 1 {
		t.Fatalf("code %d\n%s", code, text)
	}
	type ended struct {
		code int
		text string
	}
	queued := make(chan ended, 1)
	go func() {
		code, text := sweepIn(t, dir, "--json", "queue.json", "--nats", url, "--redeliver", "1s")
		queued <- ended{code, text}
	}()
	for range 3 {
		w := startWorker(t, url)
		w.atWork(t)
		w.kill()
	}
	last := startWorker(t, url)
	var q ended
	select {
	case q = <-queued:
	case <-time.After(patience):
		t.Fatalf("the sweep does not end\n%s", last.stderr)
	}
	if q.code != 1 || !strings.Contains(q.text, "; again: enilab run eni-failover --seed ") {
		t.Errorf("code %d\n%s", q.code, q.text)
	}
	var files [2][]byte
	for i, name := range []string{"local.json", "queue.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[i] = data
	}
	if !bytes.Equal(files[0], files[1]) || !bytes.Contains(files[0], []byte(`"runs": 80,`)) {
		t.Errorf("of this machine:\n%.3000s\nof workers, some killed:\n%.3000s", files[0], files[1])
	}
	if runtime.GOOS == "windows" {
		return // a process cannot be sent an interrupt there
	}
	if err := last.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-last.exited
	if code := last.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(last.stderr.String(), "jobs done") {
		t.Errorf("a worker that is interrupted: code %d\n%s", code, last.stderr)
	}
}

// TestSweepExitCodes: what is wrong is said before the first run, with code 3.
func TestSweepExitCodes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args   []string
		code   int
		says   string
		begins bool // says what it is about to do
	}{
		{[]string{"--set", "assert[1].detected.within=5s"}, 0, "80 runs in 20 jobs, timing fast", true},
		{[]string{"--strategies", "luck"}, 3, `strategy "luck"`, false},
		{[]string{"--strategies", "eni,eni"}, 3, "eni is listed twice", false},
		{[]string{"--json", "no/such/folder.json"}, 3, "no/such/folder.json", false},
		{[]string{"--state", "no/such/folder"}, 3, "no/such/folder", true},
		{[]string{"--nats", "nats://127.0.0.1:1"}, 3, "no NATS server at nats://127.0.0.1:1", true},
		{[]string{"--nats", "nats://127.0.0.1:1", "--state", "x"}, 3, "leave --state out", false},
		{[]string{"--job-seeds", "0"}, 3, "--job-seeds 0: want from 1", false},
		{[]string{"--frob"}, 3, "unknown flag", false},
	} {
		code, text := sweepIn(t, dir, c.args...)
		if code != c.code || !strings.Contains(text, c.says) || code == 3 && strings.Contains(text, "runs in 20 jobs") != c.begins {
			t.Errorf("%v: code %d, want %d (%s)\n%s", c.args, code, c.code, c.says, text)
		}
	}
	for says, args := range map[string][]string{
		"--nats is missing":                    {"worker"},
		"no NATS server at nats://127.0.0.1:1": {"worker", "--nats", "nats://127.0.0.1:1"},
	} {
		out, err := exec.CommandContext(t.Context(), enilab(t), args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(string(out), says) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestSweepInterrupted: Ctrl-C in the middle writes what there is and says so; with
// a state the same command goes on, and comes to the same results.
func TestSweepInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt there")
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	cmd := exec.CommandContext(t.Context(), enilab(t), "sweep", sweepNetwork, "--seeds", "1..100000", "--job-seeds", "1", "--state", "state", "--json", "part.json")
	cmd.Dir = dir
	out := new(spoken)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; {
		if _, err := os.Stat(state); err == nil || time.Now().After(end) {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its code is looked at
	part, err := os.ReadFile(filepath.Join(dir, "part.json"))
	if err != nil || cmd.ProcessState.ExitCode() != 2 || !bytes.Contains(part, []byte(`"partial": "interrupted`)) ||
		!strings.Contains(out.String(), "of 100000 runs: interrupted") || !strings.Contains(out.String(), "is in state: the same command goes on with it") {
		t.Errorf("%v, code %d\n%s\n%.500s", err, cmd.ProcessState.ExitCode(), out, part)
	}
}
