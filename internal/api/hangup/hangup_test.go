package hangup

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a server's and a client's end of one connection.
func pair(t *testing.T) (server, client net.Conn) {
	t.Helper()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := Listener(raw)
	defer ln.Close()
	if client, err = net.Dial("tcp", raw.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(); _ = client.Close() })
	return server, client
}

func ends(t *testing.T, ctx context.Context) error {
	t.Helper()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(patience):
		t.Fatal("the context does not end")
		return nil
	}
}

func TestWatchNoticesThatTheClientGoes(t *testing.T) {
	server, client := pair(t)
	ctx, stop := Watch(t.Context(), server)
	defer stop()
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ends(t, ctx); !errors.Is(err, ErrGone) {
		t.Errorf("it ended with %v", err)
	}
}

func TestWatchLosesNothing(t *testing.T) {
	server, client := pair(t)
	for _, text := range []string{"one\n", "two\n"} {
		ctx, stop := Watch(t.Context(), server)
		if _, err := io.WriteString(client, text); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a stopped watch ended with %v", err)
		}
		// What came while it watched or after is read in order.
		got, err := bufio.NewReaderSize(server, 16).ReadString('\n')
		if err != nil || got != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
}

// With bytes ahead nothing is watched, and they stay.
func TestWatchOfAClientThatPipelines(t *testing.T) {
	server, client := pair(t)
	server.(*conn).ahead = []byte("ab")
	ctx, stop := Watch(t.Context(), server)
	if ctx.Err() != nil {
		t.Error("it ended at once")
	}
	stop()
	if _, err := io.WriteString(client, "c"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(server, got); err != nil || string(got) != "abc" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestWatchOfAnyOtherConnection(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	ctx, stop := Watch(t.Context(), a)
	_ = b.Close()
	if ctx.Err() != nil {
		t.Error("it was watched")
	}
	stop()
	if err := ends(t, ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}
