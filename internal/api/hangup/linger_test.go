package hangup

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// answerUnread answers at once, does not read, and closes.
func answerUnread(t *testing.T, server net.Conn) <-chan error {
	t.Helper()
	if _, err := io.WriteString(server, "too much"); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- server.Close() }()
	return closed
}

func TestALingeringConnectionLetsTheClientReadTheAnswer(t *testing.T) {
	server, client := pair(t)
	Linger(server)
	closed := answerUnread(t, server)
	if _, err := client.Write(bytes.Repeat([]byte("x"), 8<<20)); err != nil {
		t.Fatalf("while sending: %v", err)
	}
	if got, err := io.ReadAll(client); err != nil || string(got) != "too much" {
		t.Errorf("read %q, %v", got, err)
	}
	_ = client.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A client that never stops sending is hung up on.
func TestLingeringEnds(t *testing.T) {
	server, client := pair(t)
	Linger(server)
	closed := answerUnread(t, server)
	block := make([]byte, 1<<20)
	var sent int
	for {
		n, err := client.Write(block)
		if sent += n; err != nil {
			break
		}
	}
	// Beyond the bound there is only what the two sockets hold.
	if sent > 2*lingerBytes {
		t.Errorf("%d bytes were taken, want about %d", sent, lingerBytes)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A client that neither sends nor goes is waited for no longer than the bound.
func TestLingeringForASilentClientEnds(t *testing.T) {
	server, client := pair(t)
	Linger(server)
	begun := time.Now()
	<-answerUnread(t, server)
	if took := time.Since(begun); took < lingerTime || took > patience {
		t.Errorf("it took %v, want %v", took, lingerTime)
	}
	if _, err := io.ReadAll(client); err != nil {
		t.Errorf("the answer: %v", err)
	}
}

func TestCutEndsLingering(t *testing.T) {
	server, client := pair(t)
	Linger(server)
	closed := answerUnread(t, server)
	// The client sees that nothing more comes once the server lingers.
	if _, err := io.ReadAll(client); err != nil {
		t.Fatal(err)
	}
	if err := Cut(server); err != nil {
		t.Error(err)
	}
	select {
	case <-closed: // whichever of the two closed it
	case <-time.After(patience):
		t.Fatal("it lingers on")
	}
}

// What Listener has not made, or nobody has asked to linger, closes at once.
func TestOtherConnectionsDoNotLinger(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	Linger(a)
	if err := Cut(a); err != nil {
		t.Error(err)
	}
	server, client := pair(t)
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-answerUnread(t, server); err != nil {
		t.Error(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.EBADF) {
		t.Errorf("reading on: %v, want it closed", err)
	}
}
