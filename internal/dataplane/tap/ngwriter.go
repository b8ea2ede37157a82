package tap

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Names resolves numbers for files.
type Names interface {
	VNICName(index uint32) (id string, mac frame.MAC)
	RuleName(id verdict.RuleID) string
}

// Block types and option codes of draft-ietf-opsawg-pcapng.
const (
	blockSection    = 0x0A0D0D0A
	blockInterface  = 1
	blockPacketOld  = 2
	blockSimple     = 3
	blockNames      = 4
	blockStatistics = 5
	blockEnhanced   = 6

	byteOrderMagic = 0x1A2B3C4D

	optEnd     = 0
	optComment = 1

	optUserAppl = 4 // section

	optIfName     = 2 // interface
	optIfMAC      = 6
	optIfTSResol  = 9
	optIfTSOffset = 14

	optFlags = 2 // enhanced packet

	optIfRecv = 4 // statistics
	optIfDrop = 5

	linkEthernet = 1
)

const (
	flagInbound  = 1
	flagOutbound = 2
)

// maxText bounds every string that goes into an option: an option's length is
// 16 bits, and no id or rule name comes near this.
const maxText = 1024

// NgWriter writes pcapng: an interface block per VNIC when first seen (name = ENI id, MAC,
// nanosecond timestamps), enhanced packet blocks with a comment
// "verdict=reject point=ingress_pre step=groups_in reason=ingress_denied rule=sgr-... (text)", statistics blocks as heartbeat.
//
// Each call ends in one Write of whole blocks, so a stream can be cut after any
// call; give it a bufio.Writer where many small writes are dear. After an error
// of the underlying writer the stream is broken and must not be continued.
type NgWriter struct {
	w       io.Writer
	names   Names
	snaplen int
	buf     []byte            // reused by every call
	ids     map[uint32]uint32 // VNIC to interface number
	frames  []uint64          // written, by interface number
	tails   [tailSlots]tail   // direct mapped
}

// tail caches the options of a packet block: a capture sees few combinations
// of verdict, point, reason and what decided, and composing one costs more than the
// rest of the block. A slot is overwritten by the next combination that maps
// to it, so a writer holds at most tailSlots of them.
type tail struct {
	verdict verdict.Verdict
	point   verdict.Point
	step    verdict.Step
	reason  verdict.Reason
	rule    verdict.RuleID
	why     Why
	options []byte // empty: not used yet
}

const tailSlots = 256

// NewNgWriter writes the section header. Snaplen 0 means that frames are
// whole; comment, if any, describes the section.
func NewNgWriter(w io.Writer, n Names, snaplen int, comment string) (*NgWriter, error) {
	g := &NgWriter{w: w, names: n, snaplen: max(snaplen, 0), buf: make([]byte, 0, 4096), ids: make(map[uint32]uint32)}
	b := g.begin(blockSection)
	b = binary.LittleEndian.AppendUint32(b, byteOrderMagic)
	b = append(b, 1, 0, 0, 0)                        // version 1.0
	b = binary.LittleEndian.AppendUint64(b, 1<<64-1) // section length: unknown
	b = appendTextOption(b, optUserAppl, "enilab")
	if comment != "" {
		b = appendTextOption(b, optComment, comment)
	}
	b = appendEndOfOptions(b)
	g.buf = finish(b, 0)
	if _, err := w.Write(g.buf); err != nil {
		return nil, fmt.Errorf("writing pcapng section header: %w", err)
	}
	return g, nil
}

// Packet writes p, preceded by its interface's block if this is its first frame.
func (w *NgWriter) Packet(p Packet) error {
	w.buf = w.buf[:0]
	id, known := w.ids[p.VNIC]
	if !known {
		id = uint32(len(w.frames))
		w.ids[p.VNIC] = id
		w.frames = append(w.frames, 0)
		w.appendInterface(p.VNIC)
	}
	w.frames[id]++
	data := p.Data
	if w.snaplen > 0 && len(data) > w.snaplen {
		data = data[:w.snaplen]
	}
	start := len(w.buf)
	b := w.begin(blockEnhanced)
	b = binary.LittleEndian.AppendUint32(b, id)
	b = appendTime(b, p.At)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(max(p.Length, len(data))))
	b = append(b, data...)
	b = pad(b)
	b = append(b, w.options(&p.Meta)...)
	w.buf = finish(b, start)
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("writing pcapng packet: %w", err)
	}
	return nil
}

// Statistics writes an interface statistics block for every interface: valid
// at any time, a heartbeat and the loss count. Lost counts from the start of
// the capture and belongs to all interfaces together, because their frames
// share one ring: every block carries the same isb_ifdrop and says so.
// While no interface is known it writes an empty name resolution block, which
// readers skip, so that a reader who went away is noticed all the same.
func (w *NgWriter) Statistics(at int64, lost uint64) error {
	w.buf = w.buf[:0]
	if len(w.frames) == 0 {
		b := w.begin(blockNames)
		b = binary.LittleEndian.AppendUint32(b, 0) // nrb_record_end
		w.buf = finish(b, 0)
	}
	for id, n := range w.frames {
		start := len(w.buf)
		b := w.begin(blockStatistics)
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
		b = appendTime(b, at)
		b = appendCountOption(b, optIfRecv, n)
		b = appendCountOption(b, optIfDrop, lost)
		if lost > 0 {
			b = appendTextOption(b, optComment, "isb_ifdrop counts the frames lost by the whole capture, all interfaces together")
		}
		b = appendEndOfOptions(b)
		w.buf = finish(b, start)
	}
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("writing pcapng statistics: %w", err)
	}
	return nil
}

func (w *NgWriter) appendInterface(vnic uint32) {
	name, mac := w.names.VNICName(vnic)
	if name == "" {
		name = "vnic-" + strconv.FormatUint(uint64(vnic), 10)
	}
	start := len(w.buf)
	b := w.begin(blockInterface)
	b = append(b, linkEthernet, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(w.snaplen))
	b = appendTextOption(b, optIfName, name)
	b = append(b, optIfMAC, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	mac.Put(b[len(b)-8:])
	b = append(b, optIfTSResol, 0, 1, 0, 9, 0, 0, 0) // 10^-9 s
	b = appendEndOfOptions(b)
	w.buf = finish(b, start)
}

// options returns the options that tell m's direction and verdict.
func (w *NgWriter) options(m *Meta) []byte {
	y := &m.Why
	slot := (uint32(y.Route)+uint32(y.Entry))*37 + (uint32(y.Was.SrcPort)^uint32(y.Was.DstPort))*41 + uint32(m.Rule)*31 + uint32(m.Point)*7 + uint32(m.Reason)<<3 + uint32(m.Step)*59 + uint32(m.Verdict)
	t := &w.tails[slot%tailSlots]
	if len(t.options) > 0 && t.rule == m.Rule && t.reason == m.Reason && t.point == m.Point && t.step == m.Step && t.verdict == m.Verdict && t.why == *y {
		return t.options
	}
	b := binary.LittleEndian.AppendUint16(t.options[:0], optFlags)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = binary.LittleEndian.AppendUint32(b, direction(m.Point))
	b = w.appendComment(b, m)
	t.options = appendEndOfOptions(b)
	t.rule, t.reason, t.point, t.step, t.verdict, t.why = m.Rule, m.Reason, m.Point, m.Step, m.Verdict, *y
	return t.options
}

// appendComment appends the verdict as an opt_comment.
func (w *NgWriter) appendComment(b []byte, m *Meta) []byte {
	b = binary.LittleEndian.AppendUint16(b, optComment)
	b = append(b, 0, 0)
	start := len(b)
	b = append(b, "verdict="...)
	b = append(b, m.Verdict.String()...)
	b = append(b, " point="...)
	b = append(b, m.Point.String()...)
	if m.Step != verdict.StepNone {
		b = append(append(b, " step="...), m.Step.String()...)
	}
	if m.Reason != verdict.Delivered {
		b = append(b, " reason="...)
		b = append(b, m.Reason.String()...)
		// AWS's code of an address that nobody has is of what comes in.
		outward := m.Reason == verdict.NoPublicHost && m.Why.Leaves != verdict.RuleNone
		if code := m.Reason.Code(); code != "" && !outward {
			b = append(append(b, " code="...), code...)
		}
	}
	if m.Rule != verdict.RuleNone {
		b = w.appendRule(append(b, " rule="...), m.Rule)
	}
	b = w.appendWhy(b, &m.Why)
	if m.Reason != verdict.Delivered {
		b = append(b, " ("...)
		b = append(b, m.Reason.Text()...)
		b = append(b, ')')
	}
	binary.LittleEndian.PutUint16(b[start-2:], uint16(len(b)-start))
	return pad(b)
}

// direction is seen from the interface: frames towards the guest are inbound.
func direction(p verdict.Point) uint32 {
	if p == verdict.IngressPre || p == verdict.GuestRX {
		return flagInbound
	}
	return flagOutbound
}

// begin appends a block's type and room for its length to the buffer.
func (w *NgWriter) begin(kind uint32) []byte {
	return append(binary.LittleEndian.AppendUint32(w.buf, kind), 0, 0, 0, 0)
}

// finish writes both lengths of the block that starts at b[start].
func finish(b []byte, start int) []byte {
	n := uint32(len(b) - start + 4)
	binary.LittleEndian.PutUint32(b[start+4:], n)
	return binary.LittleEndian.AppendUint32(b, n)
}

// appendTime appends a timestamp in the file's order: high word first.
func appendTime(b []byte, at int64) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(uint64(at)>>32))
	return binary.LittleEndian.AppendUint32(b, uint32(at))
}

func appendTextOption(b []byte, code uint16, s string) []byte {
	s = clip(s)
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
	return pad(append(b, s...))
}

func appendCountOption(b []byte, code uint16, n uint64) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = append(b, 8, 0)
	return binary.LittleEndian.AppendUint64(b, n)
}

func appendEndOfOptions(b []byte) []byte { return append(b, optEnd, 0, 0, 0) }

// pad fills up to 32 bits. Blocks and their parts are multiples of that, so
// the length of the buffer tells what is missing.
func pad(b []byte) []byte {
	for len(b)&3 != 0 {
		b = append(b, 0)
	}
	return b
}

// clip cuts s to maxText bytes without splitting a character.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
