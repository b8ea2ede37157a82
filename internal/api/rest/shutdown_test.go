package rest

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Browsers connect in advance; a connection without a request holds up nothing.
func TestShutdownDoesNotWaitForUnusedConnections(t *testing.T) {
	l := newLab(t)
	var conns []net.Conn
	for range 5 {
		c, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		conns = append(conns, c)
	}
	l.send("GET", "/healthz", nil) // accepted after the others
	begun := time.Now()
	l.end()
	if took := time.Since(begun); took >= stopTime {
		t.Errorf("the server took %s to stop", took)
	}
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("an unused connection: %v", err)
		}
	}
}
