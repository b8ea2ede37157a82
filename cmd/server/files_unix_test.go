//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// More clients than the process may have files: it goes on, and once they have
// gone it answers and writes as before.
func TestAProcessWithoutFilesGoesOn(t *testing.T) {
	p := start(t, func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 96; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
		sh, err := exec.LookPath("sh")
		if err != nil {
			t.Fatal(err)
		}
		cmd.Path = sh
	}, serveArgs(t.TempDir())...)
	address := strings.TrimPrefix(p.url, "http://")
	var idle []net.Conn
	for range 300 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("after %d: %v", len(idle), err)
		}
		idle = append(idle, c)
	}
	// One of the last is refused in words, so all before it have been accepted.
	last := idle[len(idle)-1]
	_ = last.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 64)
	n, err := last.Read(b)
	if !strings.HasPrefix(string(b[:n]), "HTTP/1.1 503") {
		t.Errorf("one too many read %q, %v; want a 503", b[:n], err)
	}
	for _, c := range idle {
		_ = c.Close()
	}
	// The server learns of it in its own time.
	var made string
	for deadline := time.Now().Add(patience); made == "" && time.Now().Before(deadline); {
		r, err := http.Post(p.url+"/api/v1/vpcs", "application/json", strings.NewReader(`{"cidr":"10.0.0.0/16"}`))
		if err != nil {
			continue
		}
		if text, err := io.ReadAll(r.Body); err == nil && r.StatusCode == http.StatusCreated {
			made = string(text)
		}
		_ = r.Body.Close()
	}
	if !strings.Contains(made, `"vpc-`) {
		t.Errorf("afterwards a VPC cannot be made: %q", made)
	}
	select {
	case <-p.exited:
		t.Errorf("the process has ended: %v\n%s", p.err, p.stderr)
	default:
	}
}
