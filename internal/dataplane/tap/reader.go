package tap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// maxBlock bounds what one block or record may ask for. No frame is longer
	// than 64 KiB, and no honest writer's options come near it.
	maxBlock = 1 << 20
	// maxInterfaces bounds what a section may make the reader remember.
	maxInterfaces = 1 << 16
)

// ReadFile reads pcap or pcapng of Ethernet frames defensively (bounded
// memory whatever the bytes) and calls fn with the time in Unix nanoseconds,
// the length on the wire and the frame, which is valid during the call;
// truncated or forged input is an error naming the offset. An error of fn ends
// the reading and is returned.
//
// Understood are classic pcap in micro- and nanoseconds and pcapng with
// enhanced, simple and old packet blocks, in both byte orders. A simple packet
// block has no time; its frames get zero. Other blocks are skipped.
func ReadFile(r io.Reader, fn func(at int64, length int, data []byte) error) error {
	f := &fileReader{r: bufio.NewReaderSize(r, 64<<10), fn: fn}
	var magic [4]byte
	if err := f.fill(magic[:], "file header"); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("reading capture: empty file")
		}
		return err
	}
	le := binary.LittleEndian.Uint32(magic[:])
	if le == blockSection { // a palindrome: the order is told behind it
		return f.pcapng()
	}
	for _, order := range [...]binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.order = order
		switch order.Uint32(magic[:]) {
		case magicMicro:
			return f.pcap(1000)
		case magicNano:
			return f.pcap(1)
		}
	}
	return f.errorf(0, "magic number %#08x is neither pcap's nor pcapng's", le)
}

// fileReader is the state of one ReadFile.
type fileReader struct {
	r      *bufio.Reader
	fn     func(at int64, length int, data []byte) error
	order  binary.ByteOrder
	offset int64  // of the next byte
	buf    []byte // reused, at most maxBlock

	interfaces []ngInterface // pcapng: of the section
}

func (f *fileReader) errorf(offset int64, format string, args ...any) error {
	return fmt.Errorf("reading capture at offset %d: %w", offset, fmt.Errorf(format, args...))
}

// fill reads exactly len(b) bytes. Nothing left at all is io.EOF.
func (f *fileReader) fill(b []byte, what string) error {
	n, err := io.ReadFull(f.r, b)
	start := f.offset
	f.offset += int64(n)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return f.errorf(start, "%s needs %d bytes, the file ends after %d: %w", what, len(b), n, err)
	}
	return f.errorf(start, "%s: %w", what, err)
}

// rest is fill where something went before, so that an end is a truncation.
func (f *fileReader) rest(b []byte, what string) error {
	err := f.fill(b, what)
	if err == io.EOF {
		return f.errorf(f.offset, "%s needs %d bytes, the file ends here: %w", what, len(b), io.ErrUnexpectedEOF)
	}
	return err
}

// room returns n bytes of the reused buffer.
func (f *fileReader) room(n int) []byte {
	if cap(f.buf) < n {
		f.buf = make([]byte, max(n, 4096))
	}
	return f.buf[:n]
}

func (f *fileReader) pcap(nanosPerUnit int64) error {
	var head [20]byte
	if err := f.rest(head[:], "pcap header"); err != nil {
		return err
	}
	if major := f.order.Uint16(head[:]); major != 2 {
		return f.errorf(4, "pcap version %d.%d, want 2.4", major, f.order.Uint16(head[2:]))
	}
	// The upper half holds the length of a frame check sequence.
	if link := f.order.Uint32(head[16:]) & 0xffff; link != linkEthernet {
		return f.errorf(20, "link type %d, want Ethernet (1)", link)
	}
	for {
		start := f.offset
		var rec [16]byte
		if err := f.fill(rec[:], "pcap record header"); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		seconds, units := int64(f.order.Uint32(rec[:])), int64(f.order.Uint32(rec[4:]))
		kept, length := f.order.Uint32(rec[8:]), f.order.Uint32(rec[12:])
		switch {
		case units*nanosPerUnit >= 1e9:
			return f.errorf(start, "record's fraction of a second is %d, a second or more", units)
		case kept > maxBlock:
			return f.errorf(start, "record claims %d bytes, more than %d", kept, maxBlock)
		case kept > length || length > 1<<31-1:
			return f.errorf(start, "record keeps %d bytes of a frame of %d", kept, length)
		}
		data := f.room(int(kept))
		if err := f.rest(data, "pcap frame"); err != nil {
			return err
		}
		if err := f.fn(seconds*1e9+units*nanosPerUnit, int(length), data); err != nil {
			return err
		}
	}
}
