package tap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Stored is a frame in a pcapng file, with what this package's writer says of it.
type Stored struct {
	Number    int   // from 1, as Wireshark counts
	At        int64 // Unix nanoseconds
	Interface string
	Length    int    // on the wire
	Data      []byte // as kept; valid during the call
	Comment   string // "verdict=... point=..."
}

// ErrEnough ends ReadStored without an error.
var ErrEnough = errors.New("enough has been read")

// ReadStored is ReadFile of pcapng, with the interfaces' names and the frames' comments.
func ReadStored(r io.Reader, fn func(Stored) error) error {
	n := 0
	f, err := openNg(r)
	if err != nil {
		return err
	}
	err = f.eachBlock(func(kind uint32, body []byte, start int64) error {
		if kind != blockEnhanced {
			return nil
		}
		n++
		s := Stored{Number: n}
		f.fn = func(at int64, length int, data []byte) error {
			s.At, s.Length, s.Data = at, length, data
			return nil
		}
		if err := f.ngPacket(kind, body, start, f.interfaces); err != nil {
			return err
		}
		s.Interface = f.interfaces[f.order.Uint32(body)].name
		s.Comment = f.comment(body[20+(len(s.Data)+3)&^3:])
		return fn(s)
	})
	if errors.Is(err, ErrEnough) {
		return nil
	}
	return err
}

// Cut copies a pcapng file without the frames outside [from, to], Unix nanoseconds.
// Names, comments and statistics stay; these count what was captured, not what is left.
func Cut(r io.Reader, w io.Writer, from, to int64) error {
	f, err := openNg(r)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 64<<10)
	f.fn = func(at int64, _ int, _ []byte) error {
		if at < from || at > to {
			return errOutside
		}
		return nil
	}
	var head []byte
	err = f.eachBlock(func(kind uint32, body []byte, start int64) error {
		switch kind {
		case blockEnhanced, blockPacketOld, blockSimple:
			if err := f.ngPacket(kind, body, start, f.interfaces); errors.Is(err, errOutside) {
				return nil
			} else if err != nil {
				return err
			}
		}
		order := f.order.(binary.AppendByteOrder)
		head = order.AppendUint32(order.AppendUint32(head[:0], kind), 0)
		if kind == blockSection {
			head = order.AppendUint32(head, byteOrderMagic)
		}
		total := uint32(len(head) + len(body) + 4)
		f.order.PutUint32(head[4:], total)
		for _, part := range [][]byte{head, body, order.AppendUint32(nil, total)} {
			if _, err := b.Write(part); err != nil {
				return fmt.Errorf("cutting a capture: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.Flush()
}

var errOutside = errors.New("outside the window")

// openNg begins to read a pcapng file.
func openNg(r io.Reader) (*fileReader, error) {
	f := &fileReader{r: bufio.NewReaderSize(r, 64<<10)}
	var magic [4]byte
	if err := f.fill(magic[:], "file header"); err != nil {
		return nil, err
	}
	if m := binary.LittleEndian.Uint32(magic[:]); m != blockSection {
		return nil, f.errorf(0, "magic number %#08x is not pcapng's", m)
	}
	return f, nil
}

// comment returns the first comment among a packet's options.
func (f *fileReader) comment(options []byte) string {
	for len(options) >= 4 {
		code, n := f.order.Uint16(options), int(f.order.Uint16(options[2:]))
		if options = options[4:]; code == optEnd || n > len(options) {
			return ""
		}
		if code == optComment {
			return string(options[:n])
		}
		options = options[min((n+3)&^3, len(options)):]
	}
	return ""
}
