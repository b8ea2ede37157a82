package rest

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// Whatever passes for the server's own host or origin is just that.
func FuzzGuard(f *testing.F) {
	for _, host := range []string{"localhost", "127.0.0.1:4566", "[::1]:80", "[::1", "evil.example", "", ":", "[", "0x7f.1", "127.0.0.1.", "::ffff:127.0.0.1"} {
		f.Add(host, "http://"+host)
	}
	f.Add("localhost", "http://user@localhost")
	f.Add("localhost", "null")
	g := newGuard(Options{Loopback: true})
	f.Fuzz(func(t *testing.T, host, origin string) {
		if g.knownHost(host) && !isOurs(host) {
			t.Errorf("host %q passes", host)
		}
		if origin == "" || !sameOrigin(origin, host) {
			return
		}
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, host) || host == "" {
			t.Errorf("origin %q passes at %q", origin, host)
		}
	})
}

// isOurs is the rule without regard to how a port is told from an address.
func isOurs(host string) bool {
	bare := strings.Trim(host, "[]")
	if i := strings.LastIndex(host, ":"); i >= 0 {
		bare = strings.Trim(host[:i], "[]")
	}
	for _, h := range []string{bare, strings.Trim(host, "[]")} {
		if a, err := netip.ParseAddr(h); strings.EqualFold(h, "localhost") || err == nil && a.Unmap().IsLoopback() {
			return true
		}
	}
	return false
}

func FuzzParseHex(f *testing.F) {
	for _, text := range []string{"", "00", "0", "zz", "00:11 22\n33\r\t44", strings.Repeat("ff", 70_000)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := parseHex(text)
		if err != nil {
			return
		}
		if again, err := parseHex(hex.EncodeToString(raw)); err != nil || !bytes.Equal(again, raw) || len(raw) > 65535 {
			t.Errorf("%d bytes become %d, %v", len(raw), len(again), err)
		}
	})
}
