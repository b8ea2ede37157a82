package rest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"enilab/internal/api/stream"
	"enilab/internal/control"
	"enilab/internal/dataplane"
)

// socket is the page's end of the stream.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func (l *lab) stream(query string, headers http.Header) (*socket, *http.Response, error) {
	l.t.Helper()
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(l.url, "http")+base+"/stream"+query, headers)
	if err != nil {
		return nil, res, err
	}
	l.t.Cleanup(func() { _ = conn.Close() })
	return &socket{l.t, conn}, res, nil
}

// until reads up to the first message that is wanted; binary messages come
// with their bytes and no text.
func (s *socket) until(wanted func(text map[string]any, binary []byte) bool) {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		kind, b, err := s.conn.ReadMessage()
		if err != nil {
			s.t.Fatal(err)
		}
		var text map[string]any
		if kind == websocket.BinaryMessage {
			if wanted(nil, b) {
				return
			}
			continue
		}
		if err := json.Unmarshal(b, &text); err != nil {
			s.t.Fatal(err)
		}
		if wanted(text, nil) {
			return
		}
	}
}

func typed(name string) func(map[string]any, []byte) bool {
	return func(m map[string]any, _ []byte) bool { return m["type"] == name }
}

// gorilla's Upgrader works behind fiber only since fasthttp's adaptor can
// hijack: with the fasthttp that fiber itself asks for, this fails.
func TestWebsocketBehindFiber(t *testing.T) {
	l := newLab(t)
	s, _, err := l.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	s.until(typed("hello"))
	for _, h := range []http.Header{
		{"Origin": {"http://evil.example"}},
		{"Host": {"evil.example"}},
		{"Sec-Fetch-Site": {"cross-site"}},
	} {
		if _, res, err := l.stream("", h); err == nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %v", h, err)
		}
	}
	old, _, err := l.stream("?version=99", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = old.conn.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != stream.CloseOutdated {
		t.Errorf("a page of another version: %v", err)
	}
}

func TestWebsocketBeyondLoopback(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Loopback, o.Token = false, "secret" })
	if _, res, err := l.stream("", nil); err == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %v", err)
	}
	s, _, err := l.stream("", http.Header{"Cookie": {tokenCookie + "=secret"}})
	if err != nil {
		t.Fatal(err)
	}
	s.until(typed("hello"))
}

// The story a page lives through: it reads the topology, follows the stream,
// moves an interface and sees events, packets, counts and the record.
func TestPageSession(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	topology := call[Topology](s.lab, "GET", "/topology", nil)
	ws, _, err := s.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.until(func(m map[string]any, _ []byte) bool {
		if m["type"] == "hello" && (m["epoch"] != topology.Epoch || uint64(m["eventSeq"].(float64)) < topology.EventSeq) {
			t.Errorf("hello %v after topology %s %d", m, topology.Epoch, topology.EventSeq)
		}
		return m["type"] == "hello"
	})
	s.ping(5)
	known := map[float64]string{}
	packets, accepted := 0, uint64(0)
	for packets < 5 || accepted < 5 {
		ws.until(func(m map[string]any, b []byte) bool {
			switch {
			case m["type"] == "dict" && m["kind"] == "vnic":
				for _, i := range m["items"].([]any) {
					known[i.(map[string]any)["i"].(float64)] = i.(map[string]any)["id"].(string)
				}
			case b != nil && b[3] == 1:
				n := int(binary.LittleEndian.Uint16(b[4:]))
				packets += n
				if dst := binary.LittleEndian.Uint32(b[32+32:]); known[float64(dst)] != s.eni.ID {
					t.Errorf("destination %d is %q", dst, known[float64(dst)])
				}
			case b != nil:
				// Nobody reads behind the port: counted when the guest takes it.
				for e := b[32:]; len(e) > 0; e = e[32:] {
					accepted += uint64(binary.LittleEndian.Uint32(e[8:])) + uint64(binary.LittleEndian.Uint32(e[16:]))
				}
			}
			if packets >= 5 && accepted == 0 {
				// Frames in the queue of a guest that is not there end with
				// its device.
				call[Instance](s.lab, "POST", "/instances/"+s.one.ID+"/stop", nil)
				accepted++
			}
			return packets >= 5
		})
	}
	s.settled(s.one.ID, "stopped")
	moved := call[Move](s.lab, "POST", "/network-interfaces/"+s.eni.ID+"/move", map[string]any{"instanceId": s.two.ID})
	var events []string
	var last float64
	ws.until(func(m map[string]any, _ []byte) bool {
		if m["type"] == "event" {
			if seq := m["seq"].(float64); seq <= last {
				t.Errorf("event %v after %v", seq, last)
			} else {
				last = seq
			}
			events = append(events, m["event"].(string))
		}
		f, _ := m["failover"].(map[string]any)
		return f["id"] == moved.FailoverID && f["state"] == string(control.FailoverCompleted)
	})
	ws.until(func(m map[string]any, _ []byte) bool {
		return m["type"] == "status" && m["sent"].(float64) >= 5 && m["byVerdict"] != nil && m["flows"] != nil
	})
	if len(events) == 0 {
		t.Error("the stream told no events")
	}
}

// A thousand calls on one interface at once: each is answered, and in the end
// the interface is in exactly one place.
func TestParallelMoves(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	ws, _, err := s.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.until(typed("hello"))
	targets := []string{s.one.ID, s.two.ID, s.far.ID}
	var mu sync.Mutex
	answers := map[int]int{}
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			r := s.send("POST", base+"/network-interfaces/"+s.eni.ID+"/move",
				map[string]any{"instanceId": targets[n%3], "force": true})
			mu.Lock()
			defer mu.Unlock()
			answers[r.status]++
			if r.status != 200 && r.status != 400 && r.status != 409 {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	all.Wait()
	if answers[200] == 0 || answers[400] < 66 {
		t.Errorf("answers: %v", answers)
	}
	n := call[NetworkInterface](s.lab, "GET", "/network-interfaces/"+s.eni.ID, nil)
	if n.Attachment == nil || n.Attachment.InstanceID == s.far.ID {
		t.Fatalf("the interface is at %+v", n.Attachment)
	}
	holders := 0
	for _, i := range call[Topology](s.lab, "GET", "/topology", nil).Instances {
		for _, held := range i.Interfaces {
			if held.NetworkInterfaceID == s.eni.ID {
				holders++
			}
		}
	}
	if holders != 1 {
		t.Errorf("%d instances hold the interface", holders)
	}
}

// A websocket that never reads is given up after its write deadline, behind
// fiber too.
func TestSlowWebsocket(t *testing.T) {
	l := newLab(t)
	d := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(4096)
		}
		return c, err
	}}
	conn, _, err := d.Dial("ws"+strings.TrimPrefix(l.url, "http")+base+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	flood := time.NewTicker(20 * time.Millisecond)
	defer flood.Stop()
	bin := dataplane.Bin{Width: 1, Edges: make([]dataplane.Edge, 4000)}
	for i := range bin.Edges {
		bin.Edges[i].SrcVNIC = uint32(i)
	}
	for n := 0; l.server.hub.Stats().Slow == 0; n++ {
		if n > 2_000 {
			t.Fatal("a client that never reads is kept")
		}
		<-flood.C
		bin.Start++
		l.server.hub.Bin(bin)
	}
}

// A request for the head of an endless file leaves nothing behind.
func TestHeadOfStreams(t *testing.T) {
	l := newLab(t)
	for range maxLive + 1 {
		if r := l.send("HEAD", base+"/live.pcapng", nil); r.status != http.StatusOK {
			t.Errorf("HEAD: %d", r.status)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	s.ping(3)
	ws, _, err := s.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.until(typed("hello"))
	body := string(s.send("GET", "/metrics", nil).body)
	for _, line := range []string{
		"enilab_frames_sent_total 3", "enilab_stream_clients 1", `enilab_instances{state="running"} 3`,
		`enilab_frames_dropped_total{reason="ingress_denied",verdict="reject"} 0`, `enilab_network_interfaces{status="in-use"} 4`,
		"go_goroutines ",
	} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("metrics lack %q", line)
		}
	}
}

func TestPauseTraffic(t *testing.T) {
	s := newSite(t)
	call[Instance](s.lab, "PUT", "/instances/"+s.one.ID+"/workloads", []map[string]any{
		{"name": "p", "kind": "ping", "target": "192.168.0.42", "rate": 10}})
	if got := call[Traffic](s.lab, "GET", "/traffic", nil); got.Paused {
		t.Errorf("traffic: %+v", got)
	}
	if got := call[Traffic](s.lab, "PUT", "/traffic", map[string]any{"paused": true}); !got.Paused {
		t.Errorf("traffic: %+v", got)
	}
}
