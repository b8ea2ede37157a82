//go:build soak

package soak

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is one running server.
type process struct {
	cmd    *exec.Cmd
	url    string
	stderr *bytes.Buffer // whole once exited is closed
	exited chan struct{}
	err    error // set before exited is closed
	client *http.Client
}

// launch starts a server and waits until it is ready; nil if it does not start.
func launch(t *testing.T, bin, dir string, f *figures) *process {
	t.Helper()
	begun := time.Now()
	p := &process{
		cmd:    exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--data", dir, "--scenario", "demo"),
		stderr: new(bytes.Buffer), exited: make(chan struct{}),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	p.cmd.Stderr = p.stderr
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
		text, _ := r.ReadString('\n')
		line <- text
		_, _ = io.Copy(io.Discard, r)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); <-p.exited })
	select {
	case text := <-line:
		_, url, ok := strings.Cut(strings.TrimSpace(text), "enilab is at ")
		if !ok {
			<-p.exited
			t.Errorf("the server does not start: %v\n%s", p.err, p.stderr)
			return nil
		}
		p.url = strings.TrimSuffix(url, "/")
	case <-time.After(patience):
		t.Errorf("no address was printed")
		return nil
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		r, err := p.client.Get(p.url + "/healthz")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("the server does not become ready: %v", err)
			return nil
		}
	}
	f.starts = append(f.starts, time.Since(begun))
	return p
}

// explain ends a server that does not answer as it must, and logs what its
// goroutines were at.
func (p *process) explain(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return // it has ended already
	}
	<-p.exited
	t.Logf("the server's goroutines:\n%s", p.stderr)
}

// send makes a request and reads its answer.
func (p *process) send(method, path, contentType string, body io.Reader) (int, []byte, error) {
	req, err := http.NewRequest(method, p.url+path, body)
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	r, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, text, err
}

// get reads a resource of the admin API.
func (p *process) get(path string, into any) error {
	status, text, err := p.send("GET", "/api/v1"+path, "", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("GET %s: %d %s", path, status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// balance stops the traffic and holds the data plane to its invariant: every
// frame that was sent has a fate.
func (p *process) balance(t *testing.T, f *figures) {
	if _, _, err := p.send("PUT", "/api/v1/traffic", "application/json", strings.NewReader(`{"paused":true}`)); err != nil {
		t.Errorf("pausing: %v", err)
		return
	}
	var status struct {
		Counters struct {
			Sent, Delivered, LinkLocal, InFlight uint64
			Dropped                              map[string]uint64
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if err := p.get("/status", &status); err != nil {
			t.Errorf("status: %v", err)
			return
		}
		c := status.Counters
		fate := c.Delivered + c.LinkLocal + c.InFlight
		for _, n := range c.Dropped {
			fate += n
		}
		if fate == c.Sent {
			f.frames += c.Sent
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("frames are unaccounted for: %+v", c)
			return
		}
	}
	if _, _, err := p.send("PUT", "/api/v1/traffic", "application/json", strings.NewReader(`{"paused":false}`)); err != nil {
		t.Errorf("going on: %v", err)
	}
	p.measure(t, f)
}

// measure reads the server's resident memory, where the system tells it.
func (p *process) measure(t *testing.T, f *figures) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib int64
	_, _ = fmt.Sscan(rest, &kib)
	f.memory = max(f.memory, kib<<10)
	if kib<<10 > settled {
		t.Errorf("the server has taken %d MiB", kib>>10)
	}
}
