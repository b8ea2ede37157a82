package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"enilab/internal/scenario"
)

// patience bounds every wait for a process; a healthy one needs far less.
const patience = 60 * time.Second

// built builds the binary once for all tests, with the command of the
// container image, so that what is tested is what ships.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "enilab-test-")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "enilab")
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	command, err := imageBuild(out)
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", command...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New("go " + strings.Join(command, " ") + ": " + err.Error() + "\n" + string(text))
	}
	return out, nil
})

// imageBuild returns the arguments of the Dockerfile's go build, writing to out.
func imageBuild(out string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	if err != nil {
		return nil, err
	}
	m := regexp.MustCompile(`(?m)^RUN CGO_ENABLED=0 go (build .*) -ldflags "(.*)" -o /out/enilab (\S+)$`).FindSubmatch(text)
	if m == nil {
		return nil, errors.New("the Dockerfile has no line RUN CGO_ENABLED=0 go build ... -o /out/enilab ./cmd/server")
	}
	flags := strings.ReplaceAll(string(m[2]), "${VERSION}", "test")
	return append(strings.Fields(string(m[1])), "-ldflags", flags, "-o", out, string(m[3])), nil
}

func enilab(t *testing.T) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// spoken is what somebody has said so far, who may still be speaking.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (s *spoken) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// process is one running enilab.
type process struct {
	cmd    *exec.Cmd
	url    string // without a trailing slash
	stderr *spoken
	ready  chan struct{} // closed once it has said so
	exited chan struct{} // closed once err is set
	err    error
}

// start runs the binary and waits until it is ready.
func start(t *testing.T, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := begin(t, change, args...)
	select {
	case <-p.ready:
	case <-p.exited:
		t.Fatalf("it ended before it was ready: %v\n%s", p.err, p.stderr)
	case <-time.After(patience):
		t.Fatal("it did not get ready")
	}
	return p
}

// begin runs the binary and waits for the line with its address.
func begin(t *testing.T, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := &process{
		cmd: exec.Command(enilab(t), args...), stderr: new(spoken), ready: make(chan struct{}), exited: make(chan struct{}),
	}
	p.cmd.Stderr = p.stderr
	if change != nil {
		change(p.cmd)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make(chan string, 1)
	go func() {
		defer close(p.exited)
		r := bufio.NewReader(out)
		text, err := r.ReadString('\n')
		line <- text
		said := false
		for err == nil {
			if text, err = r.ReadString('\n'); text == "Ready.\n" && !said {
				said = true
				close(p.ready)
			}
		}
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
	})
	select {
	case text := <-line:
		_, p.url, _ = strings.Cut(strings.TrimSpace(text), "enilab is at ")
		p.url, _, _ = strings.Cut(p.url, "?") // the token
		p.url = strings.TrimSuffix(p.url, "/")
		if p.url == "" {
			<-p.exited
			t.Fatalf("no address, but %q\n%s", text, p.stderr)
		}
	case <-time.After(patience):
		t.Fatal("no address was printed")
	}
	return p
}

func (p *process) wait(t *testing.T, d time.Duration) error {
	t.Helper()
	select {
	case <-p.exited:
		return p.err
	case <-time.After(d):
		t.Fatalf("still running after %v", d)
		return nil
	}
}

// refused runs the binary, expects exit 1, and returns what it said.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, enilab(t), args...)
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("ended with %v, want exit 1\n%s", err, text)
	}
	return strings.TrimSuffix(string(text), "\n")
}

func serveArgs(dir string, more ...string) []string {
	return append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir}, more...)
}

func TestRefusalsAreOneClearLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	busy := t.TempDir()
	start(t, nil, serveArgs(busy)...)
	tests := []struct {
		name string
		args []string
		want string // regular expression
	}{
		{"port in use", []string{"serve", "--data", t.TempDir(), "--listen", taken.Addr().String()}, taken.Addr().String() + " is in use"},
		{"a file as directory", serveArgs(filepath.Join(file, "data")), "file"},
		{"second server on the same data", serveArgs(busy), regexp.QuoteMeta(busy)},
		{"unknown flag", []string{"serve", "--nonsense"}, "--nonsense"},
		{"unknown region", serveArgs(t.TempDir(), "--region", "mars-1"), "mars-1"},
		{"an access key without a secret", serveArgs(t.TempDir(), "--access-key", "AK="), "--access-key AK= has no secret"},
		{"no such scenario", serveArgs(t.TempDir(), "--scenario", "nosuch.yaml"), "nosuch.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(t, tt.args...)
			if !regexp.MustCompile(tt.want).MatchString(got) {
				t.Errorf("said %q, want it to match %q", got, tt.want)
			}
			if strings.Contains(got, "\n") {
				t.Errorf("said more than a line:\n%s", got)
			}
		})
	}
}

// A scenario's mistake is shown with its place and an excerpt.
func TestAnUnknownKeyInAScenarioIsShown(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("vpcs: []\nnonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := refused(t, serveArgs(t.TempDir(), "--scenario", bad)...)
	if !strings.Contains(got, "bad.yaml:2:1") || !strings.Contains(got, "nonsense") {
		t.Errorf("said %q, want file, line, column and key", got)
	}
}

// The database that one run leaves behind is where the next one goes on.
func TestARestartGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	before := get(t, p.url+"/api/v1/instances")
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
	p = start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	after := get(t, p.url+"/api/v1/instances")
	ids := regexp.MustCompile(`"id":"i-[0-9a-f]{17}"`)
	a, b := ids.FindAllString(before, -1), ids.FindAllString(after, -1)
	if len(a) != 4 || strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("instances before kill -9: %v\nand after: %v", a, b)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v\n%s", url, r.Status, err, text)
	}
	return string(text)
}

func TestVersionAndHelp(t *testing.T) {
	for args, want := range map[string]string{"version": "enilab " + version, "--help": "Usage: enilab"} {
		var out bytes.Buffer
		if err := run(context.Background(), []string{args}, &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v, %q; want %q", args, err, out.String(), want)
		}
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{"serve", "--help"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, name := range scenario.Names() {
		if !strings.Contains(out.String(), name) {
			t.Errorf("serve --help does not name the scenario %s:\n%s", name, out.String())
		}
	}
}
