//go:build soak

package soak

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// bomb unpacks to a gigabyte by way of a megabyte.
var bomb = sync.OnceValue(func() []byte {
	pack := func(write func(io.Writer)) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		write(z)
		_ = z.Close()
		return b.Bytes()
	}
	once := pack(func(w io.Writer) {
		zeros := make([]byte, 1<<20)
		for range 1 << 10 {
			_, _ = w.Write(zeros)
		}
	})
	return pack(func(w io.Writer) { _, _ = w.Write(once) })
})

// attack sends what no client should, one after the other in any order.
func attack(t *testing.T, p *process, f *figures, stop <-chan struct{}, rng *rand.Rand) {
	const host = "\r\nHost: localhost\r\n"
	kinds := map[string]func() bool{
		"gzip in gzip": func() bool {
			req, err := http.NewRequest("POST", p.url+"/", bytes.NewReader(bomb()))
			if err != nil {
				return false
			}
			req.Header.Set("Content-Encoding", "gzip, gzip")
			r, err := p.client.Do(req)
			if err != nil {
				return false
			}
			_ = r.Body.Close()
			if r.StatusCode != http.StatusUnsupportedMediaType {
				t.Errorf("a bomb: %s", r.Status)
			}
			return true
		},
		"random bytes": func() bool {
			b := make([]byte, 1+rng.IntN(4096))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			return p.raw(b)
		},
		"half a request": func() bool { return p.raw([]byte("POST / HTTP/1.1" + host + "Content-Length: 100\r\n\r\nAction=")) },
		"a body without an end": func() bool {
			return p.raw([]byte("POST / HTTP/1.1" + host + "Transfer-Encoding: chunked\r\n\r\nfffff\r\n"))
		},
		"headers without an end": func() bool {
			return p.raw([]byte("GET / HTTP/1.1" + host + strings.Repeat("A: b\r\n", 2000)))
		},
		"too large a body": func() bool { return p.answered(t, "POST", "/api/v1/vpcs", strings.Repeat("x", 1<<20+1)) },
		"deep JSON":        func() bool { return p.answered(t, "POST", "/api/v1/vpcs", strings.Repeat("[", 100_000)) },
		"many parameters": func() bool {
			return p.answered(t, "POST", "/", "Action=DescribeVpcs"+strings.Repeat("&a=b", 100_000))
		},
		"deep parameters": func() bool {
			return p.answered(t, "POST", "/", "Action=CreateVpc&CidrBlock"+strings.Repeat(".1", 100_000)+"=x")
		},
		"a foreign page": func() bool {
			return p.raw([]byte("POST /api/v1/vpcs HTTP/1.1" + host + "Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}"))
		},
		"frames of nonsense": func() bool {
			const digits = "0123456789abcdef"
			b := make([]byte, 2*(1+rng.IntN(1500)))
			for i := range b {
				b[i] = digits[rng.IntN(16)]
			}
			return p.answered(t, "POST", "/api/v1/packets", `{"networkInterfaceId":"eni-0","hex":"`+string(b)+`"}`)
		},
	}
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	for {
		select {
		case <-stop:
			return
		case <-p.exited:
			return
		default:
		}
		name := names[rng.IntN(len(names))]
		if kinds[name]() {
			f.add(func() { f.hostile[name]++ })
		}
	}
}

// raw writes bytes and reads what comes, for a moment.
func (p *process) raw(b []byte) bool {
	c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = c.Write(b)
	_, _ = io.Copy(io.Discard, c)
	return true
}

// answered sends a request that must be refused as the client's mistake.
func (p *process) answered(t *testing.T, method, path, body string) bool {
	contentType := "application/json"
	if path == "/" {
		contentType = "application/x-www-form-urlencoded"
	}
	status, text, err := p.send(method, path, contentType, strings.NewReader(body))
	if err != nil {
		return false // killed meanwhile
	}
	if status/100 != 4 && status != http.StatusServiceUnavailable {
		t.Errorf("%s %s: %d %.200s", method, path, status, text)
	}
	return true
}
