package tap

import (
	"encoding/binary"
	"fmt"
	"io"
)

const (
	magicNano  = 0xA1B23C4D
	magicMicro = 0xA1B2C3D4

	// wholeFrames is the snap length that tcpdump writes when it cuts nothing;
	// classic pcap has no value for "unlimited", and readers refuse longer ones.
	wholeFrames = 262144
)

// PcapWriter writes classic pcap with nanosecond timestamps. Verdicts, rules
// and interfaces have no place in this format; see NgWriter.
type PcapWriter struct {
	w       io.Writer
	snaplen int
	buf     []byte // reused by every call
}

// NewPcapWriter writes the file header. Snaplen 0 means that frames are whole.
func NewPcapWriter(w io.Writer, snaplen int) (*PcapWriter, error) {
	if snaplen <= 0 || snaplen > wholeFrames {
		snaplen = wholeFrames
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 2048), magicNano)
	b = append(b, 2, 0, 4, 0) // version 2.4
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(snaplen))
	b = binary.LittleEndian.AppendUint32(b, linkEthernet)
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("writing pcap header: %w", err)
	}
	return &PcapWriter{w: w, snaplen: snaplen, buf: b}, nil
}

// Packet writes p in one Write. The format counts seconds in 32 bits: times
// before 1970 or after 2106 wrap.
func (w *PcapWriter) Packet(p Packet) error {
	data := p.Data
	if len(data) > w.snaplen {
		data = data[:w.snaplen]
	}
	b := binary.LittleEndian.AppendUint32(w.buf[:0], uint32(p.At/1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(p.At%1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(max(p.Length, len(data))))
	w.buf = append(b, data...)
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("writing pcap packet: %w", err)
	}
	return nil
}
