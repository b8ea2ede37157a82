package stream

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// readLimit bounds a client's message.
	readLimit = 64 << 10
	// replayNew and replayResumed are how many records of the past a client
	// gets: a new one to fill its table, one that was here before to fill its
	// gap.
	replayNew     = 500
	replayResumed = 2000
	// maxFailovers records wait for a client, the newest state of each.
	maxFailovers = 64
)

// mode is how much a client wants.
type mode string

const (
	modeLive     mode = "live"
	modeBinsOnly mode = "bins-only" // a hidden page: counts, now and then
	modePaused   mode = "paused"    // the person reads; counts go on
)

// client is one websocket: ServeHTTP's goroutine reads, one other writes. The
// writer fetches what there is when the connection is ready for it, so there
// is no queue that could grow behind a slow one.
type client struct {
	hub  *Hub
	conn *websocket.Conn
	wake chan struct{} // capacity 1: events or failovers wait
	gone chan struct{} // closed by the reader: the connection has ended
	bins binStore

	mu        sync.Mutex
	mode      mode     // guarded by mu
	ladder    ladder   // guarded by mu
	failovers []string // guarded by mu; ids of changed records
	wish      *wish    // guarded by mu; the filter asked for, nil: as it is

	writer writer // owned by the writing goroutine
}

var upgrader = websocket.Upgrader{
	HandshakeTimeout: 5 * time.Second,
	ReadBufferSize:   1024,
	WriteBufferSize:  16 << 10,
	Error:            refuse,
	// CheckOrigin stays nil: gorilla then wants the page's own host.
}

func refuse(w http.ResponseWriter, _ *http.Request, status int, reason error) {
	body, _ := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": reason.Error(),
	})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// ServeHTTP upgrades a request to a websocket and serves it until it ends.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(*h.clients.Load()) >= maxClients {
		refuse(w, r, http.StatusServiceUnavailable, errors.New("as many websockets as allowed are connected"))
		return
	}
	// The request's memory is the server's again after the upgrade.
	ask := parseResume(r.URL.Query().Get)
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	defer func() { _ = conn.Close() }()
	c := &client{
		hub: h, conn: conn, mode: modeLive,
		wake: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	switch {
	case ask.version != Version:
		c.bye(CloseOutdated, "this server speaks version "+strconv.Itoa(Version)+": load the page again")
		return
	case !h.join(c):
		c.bye(websocket.CloseTryAgainLater, "the server is busy or going away")
		return
	}
	defer h.leave(c)
	c.writer.begin(h, ask)
	if ask.filter != "" {
		c.wish = &wish{text: ask.filter}
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	c.read()
	close(c.gone)
	<-written
}

// resume is what a client knows from before.
type resume struct {
	version  int
	epoch    string
	cursor   uint64 // the next record it wants
	eventSeq uint64 // the last event it has seen
	hasSeq   bool
	filter   string
}

// parseResume reads the query; what is not a number is as if not given.
func parseResume(query func(string) string) resume {
	number := func(name string) (uint64, bool) {
		n, err := strconv.ParseUint(query(name), 10, 63)
		return n, err == nil
	}
	ask := resume{version: Version, epoch: query("epoch")}
	if v := query("version"); v != "" {
		n, _ := number("version")
		ask.version = int(min(n, 1<<16))
	}
	ask.cursor, _ = number("cursor")
	ask.eventSeq, ask.hasSeq = number("eventSeq")
	// The query's memory is not ours to keep.
	ask.epoch = string([]byte(ask.epoch))
	ask.filter = string([]byte(query("filter")))
	return ask
}

// request is what a client may send.
type request struct {
	Type    string  `json:"type"`
	FPS     float64 `json:"fps"`
	Backlog int     `json:"backlog"`
	Mode    mode    `json:"mode"`
	N       int     `json:"n"`
	Filter  string  `json:"filter"`
}

// read handles what the client sends until the connection ends. Any sign of
// life extends its deadline.
func (c *client) read() {
	alive := func() error { return c.conn.SetReadDeadline(time.Now().Add(c.hub.timing.silence)) }
	c.conn.SetReadLimit(readLimit)
	c.conn.SetPongHandler(func(string) error { return alive() })
	for alive() == nil {
		kind, text, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		var m request
		if kind != websocket.TextMessage || json.Unmarshal(text, &m) != nil {
			c.bye(websocket.CloseUnsupportedData, "messages are JSON texts with a type")
			return
		}
		c.handle(m)
	}
}

func (c *client) handle(m request) {
	if m.Type == "filter" {
		c.ask(wish{m.N, m.Filter})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Type {
	case "ack":
		c.ladder.ack(m.FPS, m.Backlog, time.Now())
	case "mode":
		if slices.Contains([]mode{modeLive, modeBinsOnly, modePaused}, m.Mode) {
			c.mode = m.Mode
		}
	}
}

// wants returns the client's mode and the least reduction it needs.
func (c *client) wants() (mode, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode, c.ladder.factor()
}

func (c *client) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// failoverChanged notes that a record waits; beyond the bound the record that
// changed longest ago is left to the page's next topology.
func (c *client) failoverChanged(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failovers = slices.DeleteFunc(c.failovers, func(x string) bool { return x == id })
	if len(c.failovers) == maxFailovers {
		c.failovers = c.failovers[1:]
	}
	c.failovers = append(c.failovers, id)
}

func (c *client) takeFailovers() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := c.failovers
	c.failovers = nil
	return ids
}

// bye sends a close message; the peer's answer ends the reader.
func (c *client) bye(code int, why string) {
	// A peer that is gone needs no farewell.
	_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(c.hub.timing.farewell))
}

// write sends what there is whenever it is time, until the connection ends or
// does not take it.
func (c *client) write() {
	t := c.hub.timing
	frame, ping := time.NewTicker(t.frame), time.NewTicker(t.ping)
	defer frame.Stop()
	defer ping.Stop()
	err := c.greet()
	for err == nil {
		select {
		case <-c.gone:
			return
		case <-c.hub.closing:
			c.bye(websocket.CloseGoingAway, "the server stops")
			select {
			case <-c.gone:
			case <-time.After(t.farewell):
				_ = c.conn.Close() // ends the reader
			}
			return
		case <-c.wake:
			if err = c.sendEvents(); err == nil {
				err = c.grant()
			}
		case <-frame.C:
			err = c.sendFrame()
		case <-ping.C:
			err = c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(t.write))
		}
	}
	// gorilla hides the error's identity, but not that it was a timeout.
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.hub.slow.Add(1)
	}
	_ = c.conn.Close() // ends the reader
}
