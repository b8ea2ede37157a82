package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"enilab/internal/control"
)

const (
	// maxRecords go into one message; if more wait, they are sampled.
	maxRecords = 1000
	// eventPage events are sent in one go; the rest follow with the next frame.
	eventPage = 200
	// calmFrames without need for a reduction end it, so that the page's note
	// does not flicker.
	calmFrames = 20
)

// writer is where a client is in what there is to send.
type writer struct {
	cursor   uint64 // next record
	eventSeq uint64 // last event told
	status   uint64 // number of the last status told
	skipped  uint64 // engine's own losses, told so far
	pending  uint64 // records left out, not told yet
	factor   uint64 // told
	calm     int    // frames since the factor was needed
	wasLive  bool
	lastBins time.Time

	from   uint64     // what a resumed client asked for that is gone, until greet
	chosen *selection // nil: everything
	// shownTo is up to where matches were shown: cursor goes on while nobody looks.
	shownTo uint64
	roster  uint64 // changes of the roster told so far
	dict    *dictionary
	rows    []numbered // reused
	buf     []byte     // reused
}

// begin decides where a client starts.
func (w *writer) begin(h *Hub, ask resume) {
	oldest, next := h.history.span()
	w.dict = newDictionary(h.opt.Source, &h.roster)
	_, w.roster, _ = h.roster.news(0)
	w.factor, w.wasLive = 1, true
	w.cursor = max(oldest, back(next, replayNew))
	if ask.epoch == h.opt.Epoch && ask.cursor > 0 && ask.cursor <= next {
		w.cursor = max(oldest, back(next, replayResumed), ask.cursor)
		if ask.cursor < w.cursor {
			w.from = ask.cursor
		}
	}
	w.eventSeq = h.events.newest()
	if ask.hasSeq {
		w.eventSeq = min(ask.eventSeq, w.eventSeq)
	}
	w.skipped = h.history.read(next, maxRecords, 1, nil).skipped
}

func back(from, n uint64) uint64 { return from - min(from, n) }

type helloMessage struct {
	Type       string `json:"type"`
	Version    int    `json:"version"`
	Epoch      string `json:"epoch"`
	Cursor     string `json:"cursor"`
	EventSeq   uint64 `json:"eventSeq"`
	Now        string `json:"now"`
	BinWidthMs int    `json:"binWidthMs"`
}

// gapMessage tells what a resumed client cannot have: records or events with
// numbers from "from" on and below "to".
type gapMessage struct {
	Type string `json:"type"`
	Of   string `json:"of"`
	From string `json:"from"`
	To   string `json:"to"`
}

type eventMessage struct {
	Type     string            `json:"type"`
	Seq      uint64            `json:"seq"`
	At       time.Time         `json:"at"`
	Event    string            `json:"event"`
	Resource string            `json:"resource"`
	Detail   map[string]string `json:"detail"`
}

type failoverMessage struct {
	Type     string `json:"type"`
	Failover any    `json:"failover"`
}

type reducedMessage struct {
	Type   string `json:"type"`
	Factor uint64 `json:"factor"`
}

const binWidthMs = 100

func (c *client) greet() error {
	w := &c.writer
	err := c.sendJSON(helloMessage{
		"hello", Version, c.hub.opt.Epoch, decimal(w.cursor), w.eventSeq,
		strconv.FormatInt(time.Now().UnixNano(), 10), binWidthMs,
	})
	if err == nil && w.from > 0 {
		err = c.sendJSON(gapMessage{"gap", "packets", decimal(w.from), decimal(w.cursor)})
	}
	if err == nil {
		err = c.sendEvents()
	}
	if err == nil {
		err = c.grant()
	}
	return err
}

// sendFrame is what a client gets every 50 ms.
func (c *client) sendFrame() error {
	if err := c.sendEvents(); err != nil {
		return err
	}
	w := &c.writer
	w.roster = w.dict.catchUp(w.roster)
	if s := c.hub.status.Load(); s != nil && s.number != w.status {
		w.status = s.number
		if err := c.send(websocket.TextMessage, s.text); err != nil {
			return err
		}
	}
	m, least := c.wants()
	if now := time.Now(); m != modeBinsOnly || now.Sub(w.lastBins) >= c.hub.timing.hidden {
		w.lastBins = now
		if err := c.sendBins(); err != nil {
			return err
		}
	}
	if w.chosen != nil {
		return c.sendFiltered(m == modeLive, least)
	}
	if m != modeLive {
		w.wasLive = false
		return nil
	}
	if !w.wasLive {
		// What passed while nobody wanted it was not left out: the page comes
		// back to the newest rows.
		_, next := c.hub.history.span()
		w.cursor, w.wasLive = max(w.cursor, back(next, replayNew)), true
	}
	return c.sendPackets(least)
}

func (c *client) sendBins() error {
	w := &c.writer
	bins := c.bins.take()
	if err := c.nameEdges(bins); err != nil {
		return err
	}
	for _, b := range bins {
		w.buf = appendBin(w.buf[:0], typeBins, b.start, b.width, b.edges)
		if err := c.send(websocket.BinaryMessage, w.buf); err != nil {
			return err
		}
	}
	if w.chosen == nil {
		return nil
	}
	return c.sendChosenBins(bins)
}

// nameEdges tells the client whose edges follow.
func (c *client) nameEdges(bins []*waitingBin) error {
	for _, b := range bins {
		for i := range b.edges {
			c.writer.dict.vnic(b.edges[i].SrcVNIC)
			c.writer.dict.vnic(b.edges[i].DstVNIC)
		}
	}
	return c.sendNews()
}

func (c *client) sendPackets(least uint64) error {
	w := &c.writer
	t := c.hub.history.read(w.cursor, maxRecords, least, w.rows[:0])
	w.rows, w.cursor = t.records, t.next
	left := t.gone + t.waiting - uint64(len(t.records)) + t.skipped - w.skipped
	w.skipped = t.skipped
	w.pending += left
	c.hub.skipped.Add(left)
	if err := c.tellReduction(t.factor); err != nil || len(t.records) == 0 {
		return err
	}
	return c.sendRows(t.records, t.waiting)
}

// tellReduction says when every how many-th record is shown: more at once,
// less only after a while.
func (c *client) tellReduction(factor uint64) error {
	w := &c.writer
	if factor < w.factor {
		if w.calm++; w.calm < calmFrames {
			return nil
		}
	}
	w.calm = 0
	if factor == w.factor {
		return nil
	}
	w.factor = factor
	return c.sendJSON(reducedMessage{"reduced", factor})
}

// sendNews tells the dictionary's new entries.
func (c *client) sendNews() error {
	for _, m := range c.writer.dict.news() {
		if err := c.sendJSON(m); err != nil {
			return err
		}
	}
	return nil
}

// sendEvents tells events in their order, and then the failover records that
// changed with them.
func (c *client) sendEvents() error {
	w := &c.writer
	changed := c.takeFailovers() // before their events are looked for
	events, ok := c.hub.events.after(w.eventSeq, eventPage)
	if !ok {
		var err error
		if events, err = c.readLog(); err != nil {
			return err
		}
	}
	for i := range events {
		e := &events[i]
		w.eventSeq = e.Seq
		if err := c.sendJSON(eventMessage{"event", e.Seq, e.At, e.Type, e.Resource, detail(e.Detail)}); err != nil {
			return err
		}
	}
	for _, id := range changed {
		if f := c.hub.opt.Failover(id); f != nil {
			if err := c.sendJSON(failoverMessage{"failover", f}); err != nil {
				return err
			}
		}
	}
	return nil
}

// readLog fetches events older than the hub remembers. What the log has
// forgotten too is a gap.
func (c *client) readLog() ([]control.Event, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.hub.timing.write)
	defer cancel()
	w := &c.writer
	events, oldest, err := c.hub.opt.Log.Events(ctx, w.eventSeq, eventPage)
	if err != nil {
		return nil, fmt.Errorf("reading events for a client: %w", err)
	}
	if oldest > w.eventSeq+1 {
		err = c.sendJSON(gapMessage{"gap", "events", decimal(w.eventSeq + 1), decimal(oldest)})
		w.eventSeq = oldest - 1
	}
	return events, err
}

func detail(d map[string]string) map[string]string {
	if d == nil {
		return map[string]string{}
	}
	return d
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func (c *client) sendJSON(m any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	return c.send(websocket.TextMessage, text)
}

// send writes one message within the write deadline.
func (c *client) send(kind int, b []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.hub.timing.write)); err != nil {
		return err
	}
	return c.conn.WriteMessage(kind, b)
}
