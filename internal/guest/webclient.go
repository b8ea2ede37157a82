package guest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	// httpTimeout is how long a request may take, connecting included.
	httpTimeout = time.Second
	// A client that failed waits this long before it connects again, doubling.
	backoffMin = 50 * time.Millisecond
	backoffMax = time.Second
)

// runHTTP keeps one connection and sends a request at the client's rate. It
// opens it anew, after a pause, when a request has failed.
func (c *client) runHTTP(ctx context.Context, phase float64) {
	to := netip.AddrPortFrom(c.spec.Target, c.spec.Port)
	request := []byte("GET / HTTP/1.1\r\nHost: " + to.String() + "\r\nUser-Agent: enilab\r\n\r\n")
	w := &webClient{request: request}
	defer w.close()
	dial := func() (net.Conn, error) {
		dctx, cancel := context.WithTimeout(ctx, httpTimeout)
		defer cancel()
		return c.host.DialTCP(dctx, c.from.addr, to)
	}
	backoff := time.Duration(0)
	c.pace(ctx, phase, func(int) {
		err := w.roundTrip(ctx, dial)
		if err == nil {
			backoff = 0
			return
		}
		w.close()
		backoff = min(max(2*backoff, backoffMin), backoffMax)
		pause(ctx, backoff)
	})
}

// webClient is one keep-alive connection.
type webClient struct {
	request []byte
	conn    net.Conn
	limit   io.LimitedReader // what a server may answer, headers included
	reader  *bufio.Reader
}

// maxResponse bounds a response: the server may be anything.
const maxResponse = 1 << 20

var errHTTPStatus = errors.New("unexpected status")

func (w *webClient) roundTrip(ctx context.Context, dial func() (net.Conn, error)) error {
	if w.conn == nil {
		conn, err := dial()
		if err != nil {
			return err
		}
		w.conn, w.limit.R = conn, conn
		w.reader = bufio.NewReaderSize(&w.limit, 1<<10)
	}
	conn := w.conn
	w.limit.N = maxResponse
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(httpTimeout)); err != nil {
		return err
	}
	if ctx.Err() != nil { // the deadline above may have undone that of the end
		return ctx.Err()
	}
	if _, err := conn.Write(w.request); err != nil {
		return err
	}
	res, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w %s", errHTTPStatus, res.Status)
	}
	if err == nil && res.Close {
		w.close()
	}
	return err
}

func (w *webClient) close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
