package stream

import (
	"math"
	"time"

	"github.com/gorilla/websocket"

	"enilab/internal/filter"
)

// A client sends {"type":"filter","n":1,"filter":"dst:192.168.0.42"} and is told
// "filtered" with the same n: rows that come after it are of that filter, the
// newest matches of the past first. An empty filter ends it. One that cannot be
// read is refused with a place and a hint, and the one before stays.

// wish is the filter that a client wants.
type wish struct {
	n    int
	text string
}

type filteredMessage struct {
	Type   string       `json:"type"`
	N      int          `json:"n"`
	Filter string       `json:"filter"`
	Error  *filterError `json:"error,omitempty"`
}

// filterError says what cannot be read of a filter, as the admin API does.
type filterError struct {
	At      int               `json:"at"`
	Length  int               `json:"length"`
	Code    string            `json:"code"`
	Args    map[string]string `json:"args"`
	Problem string            `json:"problem"`
	Hint    string            `json:"hint"`
}

func refusal(n int, text string, e *filter.Error) filteredMessage {
	return filteredMessage{"filtered", n, text, &filterError{e.At, e.Length, e.Code, e.Args, e.Problem, e.Hint}}
}

// ask notes the newest wish of a client; those before it need not be granted.
func (c *client) ask(w wish) {
	c.mu.Lock()
	c.wish = &w
	c.mu.Unlock()
	c.wakeUp()
}

func (c *client) takeWish() *wish {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.wish
	c.wish = nil
	return w
}

// grant sets the filter that the client has asked for, if it has.
func (c *client) grant() error {
	wish := c.takeWish()
	if wish == nil {
		return nil
	}
	q, fault := filter.Parse(wish.text, time.Now().UnixNano())
	if fault != nil {
		return c.sendJSON(refusal(wish.n, wish.text, fault))
	}
	if err := c.sendJSON(filteredMessage{Type: "filtered", N: wish.n, Filter: wish.text}); err != nil {
		return err
	}
	w := &c.writer
	oldest, next := c.hub.history.span()
	w.pending = 0
	if q.Empty() {
		w.chosen = nil
		w.cursor = max(oldest, back(next, replayNew))
		return nil
	}
	w.chosen = newSelection(c.hub, wish.n, q)
	w.cursor = next
	w.wasLive = true
	return c.sendPast(oldest, maxFiltered)
}

// sendPast sends the newest matches from a cursor on and before the writer's own.
func (c *client) sendPast(from uint64, limit int) error {
	w := &c.writer
	w.rows, _, _ = w.chosen.scan(&c.hub.history, from, w.cursor, w.rows[:0], false)
	w.shownTo = w.cursor
	return c.sendRows(w.rows[max(0, len(w.rows)-limit):], 0)
}

// sendRows sends records in messages of their bound.
func (c *client) sendRows(rows []numbered, matched uint64) error {
	w := &c.writer
	for len(rows) > 0 {
		now := rows[:min(len(rows), maxRecords)]
		rows = rows[len(now):]
		for i := range now {
			w.dict.vnic(now[i].SrcVNIC)
			w.dict.vnic(now[i].DstVNIC)
			w.dict.rule(now[i].Rule)
			w.dict.way(now[i].Way)
		}
		if err := c.sendNews(); err != nil {
			return err
		}
		w.buf = appendPackets(w.buf[:0], now, w.pending, max(matched, uint64(len(now))), w.dict.rule)
		w.pending = 0
		if err := c.send(websocket.BinaryMessage, w.buf); err != nil {
			return err
		}
	}
	return nil
}

// sendFiltered is what a client with a filter gets every 50 ms beside the bins.
func (c *client) sendFiltered(live bool, least uint64) error {
	w := &c.writer
	if live && !w.wasLive {
		// What passed while nobody wanted it was counted, and not left out.
		w.wasLive = true
		if err := c.sendPast(max(w.shownTo, back(w.cursor, historyLength)), replayNew); err != nil {
			return err
		}
	}
	w.wasLive = live
	err := c.sendMatches(live, least)
	if live {
		w.shownTo = w.cursor
	}
	return err
}

// sendMatches is sendPackets under a filter: all that match, as far as the client
// keeps up. What matches is counted in every mode, and shown in the live one.
func (c *client) sendMatches(live bool, least uint64) error {
	w := &c.writer
	s := w.chosen
	rows, next, gone := s.scan(&c.hub.history, w.cursor, math.MaxUint64, w.rows[:0], true)
	w.rows, w.cursor = rows, next
	skipped := c.hub.history.skippedSoFar()
	s.unseen += gone + skipped - w.skipped
	w.skipped = skipped
	if live {
		matched := uint64(len(rows))
		shown, factor := thin(rows, maxRecords, least)
		s.shown += uint64(len(shown))
		left := matched - uint64(len(shown))
		w.pending += left
		c.hub.skipped.Add(left)
		if err := c.tellReduction(factor); err != nil {
			return err
		}
		if err := c.sendRows(shown, matched); err != nil {
			return err
		}
	}
	if now := time.Now(); now.Sub(s.since) >= c.hub.timing.status {
		return c.sendJSON(s.tell(now))
	}
	return nil
}

// sendChosenBins sends the counts of what matches.
func (c *client) sendChosenBins(exact []*waitingBin) error {
	w := &c.writer
	w.chosen.fromExact(exact)
	bins := w.chosen.ready(time.Now().UnixNano())
	if err := c.nameEdges(bins); err != nil {
		return err
	}
	for _, b := range bins {
		w.buf = appendBin(w.buf[:0], typeMatches, b.start, b.width, b.edges)
		if err := c.send(websocket.BinaryMessage, w.buf); err != nil {
			return err
		}
	}
	return nil
}
