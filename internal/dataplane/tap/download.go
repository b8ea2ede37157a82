package tap

import (
	"bufio"
	"fmt"
	"io"
)

// maxDownloads bounds memory: frames that a slow download still needs stay
// until it ends, so a capture uses at most (1 + maxDownloads) rings.
const maxDownloads = 4

// WriteNg writes what the capture holds now as pcapng, in time order, and ends
// with interface statistics. It may be called while recording, and holds no
// lock while it writes. More than four at once are refused with ErrBusy.
func (c *Capture) WriteNg(w io.Writer) error {
	return c.download(w, func(b *bufio.Writer, s CaptureStatus, each eachPacket) error {
		ng, err := NewNgWriter(b, c.names, c.cfg.Snaplen, c.cfg.Comment)
		if err != nil {
			return err
		}
		if err := each(ng.Packet); err != nil {
			return err
		}
		at := s.Stopped
		if s.Recording {
			at = c.clock.Now()
		}
		return ng.Statistics(at, s.Lost)
	})
}

// WritePcap is WriteNg for classic pcap: no interfaces, verdicts or statistics.
func (c *Capture) WritePcap(w io.Writer) error {
	return c.download(w, func(b *bufio.Writer, _ CaptureStatus, each eachPacket) error {
		p, err := NewPcapWriter(b, c.cfg.Snaplen)
		if err != nil {
			return err
		}
		return each(p.Packet)
	})
}

type eachPacket func(write func(Packet) error) error

func (c *Capture) download(w io.Writer, write func(b *bufio.Writer, s CaptureStatus, each eachPacket) error) error {
	c.mu.Lock()
	if c.downloads == maxDownloads {
		c.mu.Unlock()
		return fmt.Errorf("%w: %d downloads at once", ErrBusy, maxDownloads)
	}
	c.downloads++
	held, status := c.history.snapshot(), c.status
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		release(held)
		c.downloads--
		c.mu.Unlock()
	}()
	b := bufio.NewWriterSize(w, 64<<10)
	err := write(b, status, func(one func(Packet) error) error { return ordered(held, one) })
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("downloading capture %s: %w", c.cfg.ID, err)
	}
	return nil
}

// reorderWindow is how many frames a late one may be behind. Frames are stored
// in the order in which bursts arrive, and workers' bursts of 64 overlap, so
// this is many bursts.
const reorderWindow = 1024

// ordered calls fn for every frame by time, equal times as recorded. A frame
// that is later than reorderWindow others keeps its late place.
func ordered(held []extent, fn func(Packet) error) error {
	window := make(timeHeap, 0, reorderWindow+1)
	var seq uint64
	for _, e := range held {
		for rest := e.records; len(rest) > 0; {
			var r []byte
			r, rest = split(rest)
			window.push(timed{at: recordTime(r), seq: seq, record: r})
			seq++
			if len(window) > reorderWindow {
				if err := fn(packet(window.pop().record)); err != nil {
					return err
				}
			}
		}
	}
	for len(window) > 0 {
		if err := fn(packet(window.pop().record)); err != nil {
			return err
		}
	}
	return nil
}

// timed is a stored frame with its place in time.
type timed struct {
	at     int64
	seq    uint64
	record []byte
}

func (t *timed) before(u *timed) bool { return t.at < u.at || t.at == u.at && t.seq < u.seq }

// timeHeap is a binary heap with the earliest first. container/heap would make
// garbage of every element.
type timeHeap []timed

func (h *timeHeap) push(t timed) {
	*h = append(*h, t)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s[i].before(&s[parent]) {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

func (h *timeHeap) pop() timed {
	s := *h
	first, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(s); child++ {
			if s[child].before(&s[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
