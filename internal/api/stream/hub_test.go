package stream

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"enilab/internal/dataplane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNobodyLooksNobodyObserves(t *testing.T) {
	s := newSite(t, func(t *timing) { t.unwatched = time.Millisecond })
	s.waitObserved(false)
	a := s.dial("")
	a.until("hello")
	s.waitObserved(true)
	b := s.dial("")
	b.until("hello")
	if got := s.hub.Stats().Clients; got != 2 {
		t.Errorf("%d clients", got)
	}
	_ = a.conn.Close()
	_ = b.conn.Close()
	s.waitObserved(false)
	s.dial("").until("hello")
	s.waitObserved(true)
	if s.observed != 2 {
		t.Errorf("the engine was observed %d times, want once for two clients and once more", s.observed)
	}
}

func TestRefusals(t *testing.T) {
	s := newSite(t, nil)
	if code := s.dial(fmt.Sprintf("version=%d", Version+1)).closed(); code != CloseOutdated {
		t.Errorf("another version: closed with %d", code)
	}
	res, err := http.Get("http" + strings.TrimPrefix(s.url, "ws"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if ct := res.Header.Get("Content-Type"); res.StatusCode != http.StatusBadRequest || ct != "application/problem+json" {
		t.Errorf("no websocket: %d %s", res.StatusCode, ct)
	}
	_, res, err = websocket.DefaultDialer.Dial(s.url, http.Header{"Origin": {"http://evil.example"}})
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page: %v", err)
	}
	for _, bad := range []struct {
		kind int
		text string
	}{{websocket.TextMessage, "{"}, {websocket.BinaryMessage, "{}"}, {websocket.TextMessage, `{"fps":"fast"}`}} {
		v := s.dial("")
		if err := v.conn.WriteMessage(bad.kind, []byte(bad.text)); err != nil {
			t.Fatal(err)
		}
		if code := v.closed(); code != websocket.CloseUnsupportedData {
			t.Errorf("%q: closed with %d", bad.text, code)
		}
	}
	v := s.dial("")
	if err := v.conn.WriteMessage(websocket.TextMessage, make([]byte, readLimit+1)); err != nil {
		t.Fatal(err)
	}
	if code := v.closed(); code != websocket.CloseMessageTooBig {
		t.Errorf("a large message: closed with %d", code)
	}
	for _, odd := range []string{`{}`, `{"type":"new"}`, `{"type":"mode","mode":"sideways"}`, `{"type":"ack","cursor":"x","fps":-1,"backlog":-1}`} {
		v := s.dial("")
		if err := v.conn.WriteMessage(websocket.TextMessage, []byte(odd)); err != nil {
			t.Fatal(err)
		}
		s.hub.Bin(dataplane.Bin{Width: 100})
		v.until("hello")
	}
}

func TestTooManyClients(t *testing.T) {
	s := newSite(t, nil)
	for range maxClients {
		s.dial("").until("hello")
	}
	_, res, err := websocket.DefaultDialer.Dial(s.url, nil)
	if err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one client too many: %v", err)
	}
}

func TestShutdownSaysGoodbye(t *testing.T) {
	s := newSite(t, nil)
	a, b := s.dial(""), s.dial("")
	a.until("hello")
	b.until("hello")
	codes := make(chan int, 2)
	for _, v := range []*viewer{a, b} {
		go func() { codes <- v.closed() }()
	}
	s.stop()
	for range 2 {
		if code := within(t, codes); code != websocket.CloseGoingAway {
			t.Errorf("closed with %d", code)
		}
	}
}

// A peer that is connected and silent, and one that never reads, end too.
func TestDeadAndSlowClientsAreDropped(t *testing.T) {
	s := newSite(t, func(t *timing) {
		t.silence, t.ping, t.unwatched = 200*time.Millisecond, time.Hour, time.Millisecond
	})
	quiet := s.dial("")
	if code := quiet.closed(); code == websocket.CloseGoingAway {
		t.Error("the server stopped")
	}
	s.waitObserved(false)

	slow := newSite(t, func(t *timing) {
		t.write, t.frame, t.unwatched = 100*time.Millisecond, time.Millisecond, time.Millisecond
	})
	d := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(4096)
		}
		return c, err
	}}
	slow.dialWith(&d, "")
	slow.waitObserved(true)
	// As long as it is there, more comes than any kernel buffers.
	gone := make(chan struct{})
	go func() {
		slow.waitObserved(false)
		close(gone)
	}()
	for n := 0; ; n++ {
		select {
		case <-gone:
			if got := slow.hub.Stats(); got.Slow != 1 || got.Clients != 0 {
				t.Errorf("stats %+v, want one slow client and none present", got)
			}
			return
		case <-time.After(time.Millisecond):
			slow.records(900)
		}
		if n > 20_000 {
			t.Fatal("a client that never reads is kept")
		}
	}
}
