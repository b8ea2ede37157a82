package stream

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

// plant is a data plane and a control plane that do what a test says.
type plant struct {
	names

	mu       sync.Mutex
	observed int // how many times
	observer dataplane.Observer
	changed  chan struct{} // capacity 1: observer was set or removed
	notices  chan control.Notice
	log      []control.Event
	oldest   uint64
	state    atomic.Pointer[control.State]
}

func (p *plant) Observe(o dataplane.Observer) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observed++
	p.set(o)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.set(nil)
	}
}

func (p *plant) set(o dataplane.Observer) {
	p.observer = o
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *plant) Watch(int) (<-chan control.Notice, func()) { return p.notices, func() {} }

func (p *plant) Events(_ context.Context, after uint64, limit int) (evs []control.Event, oldest uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.log {
		if e.Seq > after && e.Seq >= p.oldest && len(evs) < limit {
			evs = append(evs, e)
		}
	}
	return evs, p.oldest, nil
}

// happen commits n more events.
func (p *plant) happen(n int) {
	var c control.Commit
	p.mu.Lock()
	for range n {
		e := control.Event{Seq: uint64(len(p.log) + 1), Type: "test.happened", Resource: "vpc-1"}
		p.log = append(p.log, e)
		c.Events = append(c.Events, e)
	}
	p.mu.Unlock()
	p.notices <- control.Notice{Commit: c}
}

// site is a hub behind an HTTP server.
type site struct {
	*plant
	t    *testing.T
	hub  *Hub
	url  string
	stop func()
}

func newSite(t *testing.T, hurry func(*timing)) *site {
	t.Helper()
	p := &plant{notices: make(chan control.Notice), changed: make(chan struct{}, 1), oldest: 1}
	s := &site{plant: p, t: t}
	s.hub = New(Options{
		Source: p, Log: p, Epoch: "e1",
		Status:   func() any { return map[string]any{"type": "status", "sent": 1} },
		Failover: func(id string) any { return map[string]string{"id": id} },
		State:    p.state.Load,
	})
	s.hub.timing.frame = 5 * time.Millisecond
	if hurry != nil {
		hurry(&s.hub.timing)
	}
	p.state.Store(someState(t, "i-1"))
	p.log = []control.Event{{Seq: 1}, {Seq: 2}, {Seq: 3}}
	if err := s.hub.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go s.hub.Run(ctx)
	server := httptest.NewServer(s.hub)
	s.url = "ws" + strings.TrimPrefix(server.URL, "http")
	s.stop = func() {
		cancel()
		within(t, s.hub.Done())
		server.Close()
		s.stop = func() {}
	}
	t.Cleanup(func() { s.stop() })
	return s
}

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

func within[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("nothing within " + patience.String())
		panic("unreachable")
	}
}

// viewer is a browser.
type viewer struct {
	t     *testing.T
	conn  *websocket.Conn
	vnics map[uint32]string
	rules map[uint32]string
	ways  map[uint32]string
	who   map[uint32][]dictItem
}

// message is what a viewer got; of a binary one, the header and the records.
type message struct {
	Type     string            `json:"type"`
	Kind     string            `json:"kind"`
	Of       string            `json:"of"`
	From     string            `json:"from"`
	To       string            `json:"to"`
	Version  int               `json:"version"`
	Epoch    string            `json:"epoch"`
	Cursor   string            `json:"cursor"`
	EventSeq uint64            `json:"eventSeq"`
	Seq      uint64            `json:"seq"`
	Factor   int               `json:"factor"`
	N        int               `json:"n"`
	Filter   string            `json:"filter"`
	Error    *filterError      `json:"error"`
	Seen     uint64            `json:"seen"`
	Matched  uint64            `json:"matched"`
	Shown    uint64            `json:"shown"`
	Unseen   uint64            `json:"unseen"`
	Items    []dictItem        `json:"items"`
	Failover map[string]string `json:"failover"`

	count            int
	first            uint64
	skipped, matched uint32
	records          []byte
}

func (s *site) dial(query string) *viewer {
	s.t.Helper()
	return s.dialWith(websocket.DefaultDialer, query)
}

func (s *site) dialWith(d *websocket.Dialer, query string) *viewer {
	s.t.Helper()
	conn, res, err := d.Dial(s.url+"/?"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	s.t.Cleanup(func() { _ = conn.Close() })
	return &viewer{t: s.t, conn: conn, vnics: map[uint32]string{}, rules: map[uint32]string{}, ways: map[uint32]string{}, who: map[uint32][]dictItem{}}
}

// next reads one message; it checks that numbers in records were explained.
func (v *viewer) next() (message, error) {
	_ = v.conn.SetReadDeadline(time.Now().Add(patience))
	kind, b, err := v.conn.ReadMessage()
	if err != nil {
		return message{}, err
	}
	var m message
	if kind == websocket.TextMessage {
		if err := json.Unmarshal(b, &m); err != nil {
			v.t.Fatalf("%v in %s", err, b)
		}
		for _, i := range m.Items {
			switch m.Kind {
			case "vnic":
				v.vnics[i.I] = i.ID
			case "rule":
				v.rules[i.I] = i.ID
			case "way":
				v.ways[i.I] = i.Route
			case "who":
				v.who[i.I] = append(v.who[i.I], i)
			}
		}
		return m, nil
	}
	m.Type = map[byte]string{typePackets: "packets", typeBins: "bins", typeMatches: "matching"}[b[3]]
	m.count = int(binary.LittleEndian.Uint16(b[4:]))
	m.first = binary.LittleEndian.Uint64(b[8:])
	m.skipped = binary.LittleEndian.Uint32(b[24:])
	m.matched = binary.LittleEndian.Uint32(b[28:])
	m.records = b[headerSize:]
	size, vnicAt := packetSize, 28
	if m.Type != "packets" {
		size, vnicAt = edgeSize, 0
	}
	if len(m.records) != m.count*size {
		v.t.Fatalf("%d bytes for %d records", len(m.records), m.count)
	}
	for r := m.records; len(r) > 0; r = r[size:] {
		for _, at := range []int{vnicAt, vnicAt + 4} {
			if i := binary.LittleEndian.Uint32(r[at:]); i != 0 && v.vnics[i] != fmt.Sprintf("eni-%d", i) {
				v.t.Errorf("VNIC %d comes unexplained", i)
			}
		}
		if m.Type == "packets" {
			if rule := binary.LittleEndian.Uint32(r[36:]) & lastRule; rule != 0 && v.rules[rule] == "" {
				v.t.Errorf("rule %d comes unexplained", rule)
			}
			if way := binary.LittleEndian.Uint32(r[40:]) &^ (1 << 31); way != 0 && v.ways[way] == "" {
				v.t.Errorf("way %d comes unexplained", way)
			}
		}
	}
	return m, nil
}

// until reads up to the first message of a type.
func (v *viewer) until(kind string) message {
	v.t.Helper()
	for {
		m, err := v.next()
		if err != nil {
			v.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if m.Type == kind {
			return m
		}
	}
}

// closed reads up to the end and returns the close code; 0 if it is not closed.
func (v *viewer) closed() int {
	v.t.Helper()
	for over := time.Now().Add(patience); time.Now().Before(over); {
		if _, err := v.next(); err != nil {
			if e, ok := err.(*websocket.CloseError); ok {
				return e.Code
			}
			return 0
		}
	}
	return 0
}

// records tells the hub of n frames of edge 1 to 2.
func (s *site) records(n int) {
	rs := make([]dataplane.Record, n)
	for i := range rs {
		rs[i] = dataplane.Record{
			At: int64(i), SrcVNIC: 1, DstVNIC: 2, Verdict: verdict.Accept, Step: verdict.StepDelivery, Rule: 1<<24 + 5, Way: 1<<31 | 7,
		}
	}
	s.hub.Records(rs, nil, 0)
}

func (s *site) waitObserved(want bool) {
	s.t.Helper()
	for {
		s.mu.Lock()
		is := s.observer != nil
		s.mu.Unlock()
		if is == want {
			return
		}
		within(s.t, s.changed)
	}
}
