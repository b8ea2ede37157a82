// Package bench measures the built binary beside moto_server, another local
// EC2: one load client, both running, turn and turn about. It tests nothing.
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// patience bounds every wait for an answer; moto takes 40 s for eight
	// listings of 10,000 interfaces at once.
	patience = 5 * time.Minute
	// starting bounds a start.
	starting = time.Minute
)

// emulator is one running EC2.
type emulator struct {
	name  string
	cmd   *exec.Cmd
	http  *fasthttp.HostClient
	ready time.Duration // from exec to the first answer

	subnet    string
	instances []string
	enis      []string
}

// command makes the command that serves at an address.
type command func(address string) (*exec.Cmd, error)

// enilab builds the binary as it ships.
func enilab(b *testing.B) command {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "enilab")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "./cmd/server")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, text)
	}
	return func(address string) (*exec.Cmd, error) {
		dir, err := os.MkdirTemp(b.TempDir(), "data")
		return exec.Command(bin, "serve", "--listen", address, "--data", dir), err
	}
}

// moto is nil where it is not installed.
func moto(b *testing.B) command {
	bin, err := exec.LookPath("moto_server")
	if err != nil {
		fmt.Println("MISSING: moto_server is not installed: enilab is measured alone (pip install 'moto[ec2,server]')")
		return nil
	}
	return func(address string) (*exec.Cmd, error) {
		host, port, err := net.SplitHostPort(address)
		return exec.Command(bin, "-H", host, "-p", port), err
	}
}

// launch starts an emulator and waits for its first answer.
func launch(b *testing.B, name string, make command) *emulator {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		b.Fatal(err)
	}
	e := &emulator{name: name, http: &fasthttp.HostClient{Addr: address, MaxConns: parallel, MaxIdleConnDuration: patience}}
	if e.cmd, err = make(address); err != nil {
		b.Fatal(err)
	}
	var errs bytes.Buffer
	e.cmd.Stderr = &errs
	begun := time.Now()
	if err := e.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.stop)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := e.call("Action=DescribeVpcs"); err == nil {
			e.ready = time.Since(begun)
			return e
		}
		if time.Since(begun) > starting {
			e.stop()
			b.Fatalf("%s did not answer within %v\n%s", name, starting, errs.String())
		}
		<-tick.C
	}
}

func (e *emulator) stop() {
	if e.cmd.ProcessState == nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
	}
}

// rss is the resident memory in MiB, 0 where the system does not tell.
func (e *emulator) rss() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// signature is of no value, but tells region and service.
const signature = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, " +
	"Signature=0000000000000000000000000000000000000000000000000000000000000000"

// call sends one request on a connection that is kept, and returns the answer.
func (e *emulator) call(form string) ([]byte, error) {
	q, r := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(r)
	q.SetRequestURI("http://" + e.http.Addr + "/")
	q.Header.SetMethod(fasthttp.MethodPost)
	q.Header.SetContentType("application/x-www-form-urlencoded; charset=utf-8")
	q.Header.Set("Authorization", signature)
	q.SetBodyString(form + "&Version=2016-11-15")
	if err := e.http.DoTimeout(q, r, patience); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", e.name, form, err)
	}
	if r.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("%s: %s: %d %s", e.name, form, r.StatusCode(), r.Body())
	}
	return bytes.Clone(r.Body()), nil
}

// field is the text of the first element of that name.
func field(answer []byte, name string) string {
	_, rest, _ := bytes.Cut(answer, []byte("<"+name+">"))
	text, _, _ := bytes.Cut(rest, []byte("<"))
	return string(text)
}
