package virtual

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"enilab/internal/api/imds"
	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/guest"
	"enilab/internal/services"
)

// serve has the network's own services answer: DHCP, DNS and time as in real time,
// and what goes by TCP over the machines' small one. It comes before control, so
// that guests that are stored find them when they boot.
func (l *Lab) serve(seed uint64) error {
	now := func() time.Time { return time.Unix(0, l.Sim.Now()).UTC() }
	engine := l.Sim.Engine()
	var questions *guest.Service
	wire, err := services.New(services.Options{
		Engine: engine, State: func() *control.State { return l.State() }, Now: now,
		Segments: func(from *dataplane.Port, b []byte) { questions.Take(from, b) },
	})
	if err != nil {
		return err
	}
	const dnsPort = 53
	questions = l.Guests.NewService(guest.ServiceOptions{
		Link: wire.DNS(), Port: dnsPort,
		Converse: func(from *dataplane.Port, asked []byte) (answer []byte, used int, end bool) {
			answer, used = wire.Converse(from.Subnet().VPC, asked)
			return answer, used, answer == nil
		},
	})
	link, _, err := engine.ServeLinkLocal(linklocal.Endpoint{Place: linklocal.Fixed, Addr: linklocal.Metadata, Proto: frame.ProtoTCP})
	if err != nil {
		return fmt.Errorf("serving metadata: %w", err)
	}
	l.Sim.Serve = func() bool {
		worked := wire.Step()
		return link.Waiting() && link.Poll(l.metadata.Take) > 0 || worked
	}
	var answer func(imds.Request) *imds.Response
	l.metadata = l.Guests.NewService(guest.ServiceOptions{
		Link: link, Port: httpPort,
		Converse: func(from *dataplane.Port, asked []byte) ([]byte, int, bool) {
			if answer == nil {
				answer = imds.New(l.Service, imds.Options{Now: now, Key: binary.BigEndian.AppendUint64(nil, seed)}).Answer
			}
			return converse(answer, from.VNIC().Host, asked)
		},
	})
	return nil
}

// converse answers one HTTP request for metadata.
func converse(answer func(imds.Request) *imds.Response, instance string, asked []byte) (said []byte, used int, end bool) {
	if !bytes.Contains(asked, []byte("\r\n\r\n")) {
		return nil, 0, false
	}
	left := bytes.NewReader(asked)
	in := bufio.NewReader(left)
	r, err := http.ReadRequest(in)
	if err != nil {
		return []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), len(asked), true
	}
	if n, err := io.Copy(io.Discard, r.Body); err != nil || n < r.ContentLength {
		return nil, 0, false
	}
	used = len(asked) - left.Len() - in.Buffered()
	path, _, _ := strings.Cut(r.RequestURI, "?")
	resp := answer(imds.Request{Instance: instance, Method: r.Method, Path: path, Header: r.Header.Values})
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", resp.Status, http.StatusText(resp.Status))
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, v := range resp.Header[name] {
			fmt.Fprintf(&out, "%s: %s\r\n", http.CanonicalHeaderKey(name), v)
		}
	}
	fmt.Fprintf(&out, "Content-Length: %d\r\n\r\n", len(resp.Body))
	if r.Method != http.MethodHead {
		out.WriteString(resp.Body)
	}
	return out.Bytes(), used, r.Close
}
