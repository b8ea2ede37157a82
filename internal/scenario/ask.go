package scenario

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"enilab/internal/guest"
)

const (
	httpPort = 80
	// AskTime bounds one question; whoever asks asks again.
	AskTime = 500 * time.Millisecond
	// maxAnswer is more than any instance id.
	maxAnswer = 256
)

// whoAnswers makes an HTTP request from a guest and returns the body of the
// answer, which in every guest's server is its instance id.
func whoAnswers(ctx context.Context, from *guest.Host, to netip.Addr) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, AskTime, fmt.Errorf("no answer within %v", AskTime))
	defer cancel()
	conn, err := from.DialTCP(ctx, netip.Addr{}, netip.AddrPortFrom(to, httpPort))
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("asking %s: %w", to, err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", fmt.Errorf("asking %s: %w", to, err)
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", to); err != nil {
		return "", fmt.Errorf("asking %s: %w", to, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", to, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", to, err)
	}
	return strings.TrimSpace(string(body)), nil
}
