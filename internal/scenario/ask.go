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
	// maxListing is more than any instance's list of network interfaces.
	maxListing = 4096
)

// metadataAddr is that of the instance metadata service (EC2 User Guide, "Instance
// metadata and user data").
var metadataAddr = netip.AddrFrom4([4]byte{169, 254, 169, 254})

// whoAnswers makes an HTTP request from a guest and returns the body of the
// answer, which in every guest's server is its instance id.
func whoAnswers(ctx context.Context, from *guest.Host, to netip.Addr) (string, error) {
	return get(ctx, from, to, "/", maxAnswer)
}

// get makes an HTTP request from a guest and returns the body of the answer, or of
// it so many bytes.
func get(ctx context.Context, from *guest.Host, to netip.Addr, path string, limit int64) (string, error) {
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
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, to); err != nil {
		return "", fmt.Errorf("asking %s: %w", to, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", to, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", to, err)
	}
	return strings.TrimSpace(string(body)), nil
}
