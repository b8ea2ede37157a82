package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// starved is a listener whose accepts fail with errs first.
type starved struct {
	net.Listener
	errs []error
}

func (s *starved) Accept() (net.Conn, error) {
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return nil, err
	}
	return s.Listener.Accept()
}

// refusedAccept is an error as package net words those of accept4.
func refusedAccept(no syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", no)}
}

// Being short of files, or of memory, ends nothing: the next client is served.
func TestTheServerOutlivesAcceptsThatFail(t *testing.T) {
	l := newLab(t)
	var said bytes.Buffer
	opt := l.server.opt
	opt.Log = slog.New(slog.NewTextHandler(&said, nil))
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &starved{Listener: raw}
	for _, no := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		ln.errs = append(ln.errs, refusedAccept(no))
	}
	served := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { served <- s.Serve(ctx, ln) }()
	r, err := l.client.Get("http://" + raw.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if string(text) != "ok\n" || len(ln.errs) != 0 {
		t.Errorf("answered %q with %d errors left", text, len(ln.errs))
	}
	l.client.CloseIdleConnections()
	stop()
	if err := within(t, served); err != nil {
		t.Errorf("serving: %v", err)
	}
	if n := strings.Count(said.String(), "could not be accepted"); n != 1 {
		t.Errorf("the log was told %d times, want once:\n%s", n, said.String())
	}
}

// What will not pass is passed on, and an accept that waits ends with its listener.
func TestAcceptEnds(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	broken := refusedAccept(syscall.EINVAL)
	p := newPatient(&starved{Listener: raw, errs: []error{broken}}, slog.New(slog.DiscardHandler))
	if _, err := p.Accept(); !errors.Is(err, broken) {
		t.Errorf("a broken listener: %v", err)
	}
	short := make([]error, 1000) // for minutes
	for i := range short {
		short[i] = refusedAccept(syscall.EMFILE)
	}
	p = newPatient(&starved{Listener: raw, errs: short}, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() {
		_, err := p.Accept()
		ended <- err
	}()
	for range 2 {
		if err := p.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
	if err := within(t, ended); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed listener: %v", err)
	}
}

func TestConnectionsLeaveFilesForTheRest(t *testing.T) {
	for _, c := range []struct {
		files uint64
		want  int
	}{{0, 1024}, {1 << 30, 1024}, {^uint64(0), 1024}, {1088, 1024}, {1087, 1023}, {1024, 960}, {256, 192}, {128, 64}, {100, 50}, {1, 1}} {
		if got := connectionLimit(c.files); got != c.want {
			t.Errorf("of %d files: %d connections, want %d", c.files, got, c.want)
		}
	}
}
