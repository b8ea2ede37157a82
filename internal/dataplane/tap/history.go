package tap

import (
	"encoding/binary"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// history holds the newest frames of a capture in chunks of bytes. A chunk only
// grows, so what a reader has been shown of it never changes and needs no lock;
// when the history is full its oldest chunk goes, whole, and its frames count
// as evicted. Guarded by Capture.mu.
type history struct {
	chunks    []*chunk // oldest first
	limit     int      // of the chunks' capacities together
	size      int
	chunkSize int
	next      uint64 // sequence number of the next frame
	evicted   uint64
}

type chunk struct {
	buf   []byte // records; the capacity is fixed
	first uint64 // sequence number of the first frame
	next  uint64 // of the one behind the last
	pins  int    // readers holding buf: it must not be reused
}

const (
	// chunksPerHistory makes an eviction cost about 1.5 % of what is held.
	chunksPerHistory = 64
	minChunk         = 16 << 10
	maxChunk         = 1 << 20
)

func newHistory(limit int) history {
	return history{limit: limit, chunkSize: min(max(limit/chunksPerHistory, minChunk), maxChunk)}
}

// recordHead is what precedes a frame's bytes in a chunk, and whyLen what follows
// the head of those that say more than a rule.
const (
	recordHead = 28
	whyLen     = 48
	// stepShift leaves a step and a verdict room in one byte.
	stepShift = 3
)

var (
	_ [1<<stepShift - verdict.NumVerdicts]struct{}
	_ [1<<(8-stepShift) - verdict.NumSteps]struct{}
)

func (h *history) append(p Packet) {
	extra := 0
	if p.Why != (Why{}) {
		extra = whyLen
	}
	need := recordHead + extra + len(p.Data)
	c := h.tail()
	if c == nil || len(c.buf)+need > cap(c.buf) {
		c = h.grow(max(h.chunkSize, need))
	}
	b := binary.LittleEndian.AppendUint64(c.buf, uint64(p.At))
	b = binary.LittleEndian.AppendUint32(b, p.VNIC)
	b = binary.LittleEndian.AppendUint32(b, uint32(p.Rule))
	b = append(b, byte(p.Point), byte(p.Step)<<stepShift|byte(p.Verdict), byte(p.Reason), byte(extra))
	b = binary.LittleEndian.AppendUint32(b, uint32(p.Length))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.Data)))
	if extra > 0 {
		b = p.Why.encode(b)
	}
	c.buf = append(b, p.Data...)
	h.next++
	c.next = h.next
}

func (h *history) tail() *chunk {
	if len(h.chunks) == 0 {
		return nil
	}
	return h.chunks[len(h.chunks)-1]
}

// grow appends an empty chunk, evicting as many as it takes. The buffer of an
// evicted chunk that nobody reads is used again.
func (h *history) grow(size int) *chunk {
	var buf []byte
	for len(h.chunks) > 0 && h.size+size > h.limit {
		old := h.chunks[0]
		h.chunks = h.chunks[:copy(h.chunks, h.chunks[1:])]
		h.size -= cap(old.buf)
		h.evicted += old.next - old.first
		if old.pins == 0 && cap(old.buf) == size {
			buf = old.buf[:0]
		}
	}
	if buf == nil {
		buf = make([]byte, 0, size)
	}
	h.size += cap(buf)
	c := &chunk{buf: buf, first: h.next, next: h.next}
	h.chunks = append(h.chunks, c)
	return c
}

// extent is a pinned part of a chunk.
type extent struct {
	chunk   *chunk
	records []byte
}

// snapshot pins everything that is held now.
func (h *history) snapshot() []extent {
	all := make([]extent, 0, len(h.chunks))
	for _, c := range h.chunks {
		c.pins++
		all = append(all, extent{c, c.buf})
	}
	return all
}

func release(extents []extent) {
	for _, e := range extents {
		e.chunk.pins--
	}
}

// cursor is a place between two frames.
type cursor struct {
	seq    uint64 // of the next frame to read
	offset int    // of it in its chunk, if that is the one with seq
}

// end returns the place behind the newest frame.
func (h *history) end() cursor {
	at := cursor{seq: h.next}
	if c := h.tail(); c != nil {
		at.offset = len(c.buf)
	}
	return at
}

// read pins and returns what follows the cursor in its chunk, empty at the end,
// and moves the cursor behind it. A cursor whose chunk was evicted goes on with
// the newest chunk: who reads too slowly once would otherwise be overtaken
// again at once. The frames between are counted as skipped.
func (h *history) read(at *cursor) (e extent, skipped uint64) {
	if at.seq == h.next {
		return extent{}, 0
	}
	if at.seq < h.chunks[0].first {
		c := h.tail()
		skipped = c.first - at.seq
		*at = cursor{seq: c.first}
	}
	for _, c := range h.chunks {
		if at.seq >= c.next {
			continue
		}
		if at.seq == c.first {
			at.offset = 0
		}
		e = extent{c, c.buf[at.offset:]}
		c.pins++
		*at = cursor{seq: c.next, offset: len(c.buf)}
		break
	}
	return e, skipped
}

// split takes the first record off records.
func split(records []byte) (record, rest []byte) {
	n := recordHead + int(records[19]) + int(binary.LittleEndian.Uint32(records[24:]))
	return records[:n:n], records[n:]
}

func recordTime(record []byte) int64 { return int64(binary.LittleEndian.Uint64(record)) }

// packet decodes one record; its Data lies in the record.
func packet(record []byte) Packet {
	data := record[recordHead:]
	var why Why
	if record[19] > 0 {
		why, data = decodeWhy(data), data[whyLen:]
	}
	return Packet{
		Meta: Meta{
			At:      recordTime(record),
			VNIC:    binary.LittleEndian.Uint32(record[8:]),
			Rule:    verdict.RuleID(binary.LittleEndian.Uint32(record[12:])),
			Point:   verdict.Point(record[16]),
			Verdict: verdict.Verdict(record[17] & (1<<stepShift - 1)),
			Step:    verdict.Step(record[17] >> stepShift),
			Reason:  verdict.Reason(record[18]),
			Why:     why,
		},
		Length: int(binary.LittleEndian.Uint32(record[20:])),
		Data:   data,
	}
}

// encode appends y in whyLen bytes.
func (y *Why) encode(b []byte) []byte {
	for _, id := range [...]verdict.RuleID{y.Route, y.Onward, y.Via, y.Leaves, y.Enters, y.Entry} {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	for _, e := range [...]Ends{y.Was, y.Now} {
		b = binary.LittleEndian.AppendUint32(b, uint32(e.Src))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.Dst))
		b = binary.LittleEndian.AppendUint16(b, e.SrcPort)
		b = binary.LittleEndian.AppendUint16(b, e.DstPort)
	}
	return b
}

// decodeWhy is the inverse of encode.
func decodeWhy(b []byte) (y Why) {
	for i, id := range [...]*verdict.RuleID{&y.Route, &y.Onward, &y.Via, &y.Leaves, &y.Enters, &y.Entry} {
		*id = verdict.RuleID(binary.LittleEndian.Uint32(b[4*i:]))
	}
	b = b[24:]
	for _, e := range [...]*Ends{&y.Was, &y.Now} {
		e.Src, e.Dst = frame.IPv4(binary.LittleEndian.Uint32(b)), frame.IPv4(binary.LittleEndian.Uint32(b[4:]))
		e.SrcPort, e.DstPort = binary.LittleEndian.Uint16(b[8:]), binary.LittleEndian.Uint16(b[10:])
		b = b[12:]
	}
	return y
}
