package tap

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
)

// ngInterface is what a section says about the frames of one interface.
type ngInterface struct {
	link    uint16
	snaplen uint32
	unit    timeUnit
	name    string
}

// timeUnit converts an interface's timestamps.
type timeUnit struct {
	perSecond uint64 // units in a second
	offset    int64  // seconds
}

var microseconds = timeUnit{perSecond: 1e6}

// nanos converts; ok is false where the result has no place in an int64.
func (u timeUnit) nanos(stamp uint64) (at int64, ok bool) {
	seconds, fraction := stamp/u.perSecond, stamp%u.perSecond
	hi, lo := bits.Mul64(fraction, 1e9)
	nanos, _ := bits.Div64(hi, lo, u.perSecond) // fraction < perSecond, so below 1e9
	const limit = math.MaxInt64 / 1_000_000_000
	if seconds >= limit {
		return 0, false
	}
	s := int64(seconds) + u.offset // u.offset is within ±limit
	if s >= limit || s <= -limit {
		return 0, false
	}
	return s*1e9 + int64(nanos), true
}

// pcapng hands on the frames of all blocks; the first one's type has been consumed.
func (f *fileReader) pcapng() error {
	return f.eachBlock(func(kind uint32, body []byte, start int64) error {
		switch kind {
		case blockEnhanced, blockPacketOld, blockSimple:
			return f.ngPacket(kind, body, start, f.interfaces)
		}
		return nil
	})
}

// eachBlock calls fn with what lies between the lengths of each block, a section
// header's from behind its magic, and keeps f.interfaces. The first block's type has
// been consumed.
func (f *fileReader) eachBlock(fn func(kind uint32, body []byte, start int64) error) error {
	kind, start := uint32(blockSection), int64(0)
	for {
		body, err := f.block(kind, start)
		if err != nil {
			return err
		}
		switch kind {
		case blockSection:
			f.interfaces = f.interfaces[:0] // their numbers start anew
		case blockInterface:
			if len(f.interfaces) == maxInterfaces {
				return f.errorf(start, "more than %d interfaces", maxInterfaces)
			}
			i, err := f.ngInterface(body, start)
			if err != nil {
				return err
			}
			f.interfaces = append(f.interfaces, i)
		}
		if err := fn(kind, body, start); err != nil {
			return err
		}
		start = f.offset
		var next [4]byte
		if err := f.fill(next[:], "pcapng block type"); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		kind = f.order.Uint32(next[:])
	}
}

// block reads the rest of a block and returns what lies between its lengths. A
// section header sets the byte order and is returned from behind its magic.
func (f *fileReader) block(kind uint32, start int64) ([]byte, error) {
	var head [8]byte
	known := head[:4]
	if kind == blockSection {
		known = head[:]
	}
	if err := f.rest(known, "pcapng block header"); err != nil {
		return nil, err
	}
	if kind == blockSection {
		switch uint32(byteOrderMagic) {
		case binary.LittleEndian.Uint32(head[4:]):
			f.order = binary.LittleEndian
		case binary.BigEndian.Uint32(head[4:]):
			f.order = binary.BigEndian
		default:
			return nil, f.errorf(start+8, "byte-order magic %x, want 1a2b3c4d or its reverse", head[4:])
		}
	}
	total := f.order.Uint32(head[:])
	if total > maxBlock {
		return nil, f.errorf(start+4, "block length %d, more than %d", total, maxBlock)
	}
	smallest := uint32(12)
	if kind == blockSection {
		smallest = 28
	}
	if total < smallest || total&3 != 0 {
		return nil, f.errorf(start+4, "block length %d, want a multiple of 4 from %d up", total, smallest)
	}
	b := f.room(int(total) - 4 - len(known))
	if err := f.rest(b, "pcapng block"); err != nil {
		return nil, err
	}
	body := b[:len(b)-4]
	if again := f.order.Uint32(b[len(body):]); again != total {
		return nil, f.errorf(f.offset-4, "block ends with length %d and began with %d", again, total)
	}
	if kind == blockSection {
		if major := f.order.Uint16(body); major != 1 {
			return nil, f.errorf(start+12, "pcapng version %d.%d, want 1.0", major, f.order.Uint16(body[2:]))
		}
	}
	return body, nil
}

func (f *fileReader) ngInterface(body []byte, start int64) (i ngInterface, err error) {
	if len(body) < 8 {
		return i, f.errorf(start, "interface block of %d bytes, want at least 8", len(body))
	}
	i = ngInterface{link: f.order.Uint16(body), snaplen: f.order.Uint32(body[4:]), unit: microseconds}
	for options := body[8:]; len(options) >= 4; {
		code, n := f.order.Uint16(options), int(f.order.Uint16(options[2:]))
		options = options[4:]
		if code == optEnd {
			break
		}
		if n > len(options) {
			return i, f.errorf(start, "interface option %d of %d bytes, %d are left", code, n, len(options))
		}
		value := options[:n]
		options = options[min((n+3)&^3, len(options)):]
		switch {
		case code == optIfName:
			i.name = string(value[:min(n, maxText)])
		case code == optIfTSResol && n == 1:
			if i.unit.perSecond, err = f.resolution(value[0], start); err != nil {
				return i, err
			}
		case code == optIfTSOffset && n == 8:
			i.unit.offset = int64(f.order.Uint64(value))
			if o := i.unit.offset; o > math.MaxInt64/1_000_000_000 || o < -math.MaxInt64/1_000_000_000 {
				return i, f.errorf(start, "interface time offset of %d seconds is out of range", o)
			}
		}
	}
	return i, nil
}

// resolution reads if_tsresol: a power of ten, or of two with the top bit set.
func (f *fileReader) resolution(v byte, start int64) (perSecond uint64, err error) {
	exponent := v & 0x7f
	if v&0x80 != 0 {
		if exponent > 63 {
			return 0, f.errorf(start, "interface time resolution 2^-%d, finer than 64 bits can count", exponent)
		}
		return 1 << exponent, nil
	}
	if exponent > 19 {
		return 0, f.errorf(start, "interface time resolution 10^-%d, finer than 64 bits can count", exponent)
	}
	perSecond = 1
	for range exponent {
		perSecond *= 10
	}
	return perSecond, nil
}

// ngPacket hands on the frame of an enhanced, old or simple packet block.
func (f *fileReader) ngPacket(kind uint32, body []byte, start int64, interfaces []ngInterface) error {
	head := 20
	if kind == blockSimple {
		head = 4
	}
	if len(body) < head {
		return f.errorf(start, "packet block of %d bytes, want at least %d", len(body), head)
	}
	var id uint32
	switch kind {
	case blockEnhanced:
		id = f.order.Uint32(body)
	case blockPacketOld:
		id = uint32(f.order.Uint16(body)) // the other half counts drops
	}
	if id >= uint32(len(interfaces)) {
		return f.errorf(start, "packet of interface %d, the section has %d", id, len(interfaces))
	}
	i := &interfaces[id]
	if i.link != linkEthernet {
		return f.errorf(start, "packet of interface %d with link type %d, want Ethernet (1)", id, i.link)
	}
	var at int64
	var kept, length uint32
	if kind == blockSimple {
		// Its frame is as long as the snap length allows, not as the block.
		length = f.order.Uint32(body)
		kept = length
		if i.snaplen > 0 {
			kept = min(kept, i.snaplen)
		}
	} else {
		kept, length = f.order.Uint32(body[12:]), f.order.Uint32(body[16:])
		stamp := uint64(f.order.Uint32(body[4:]))<<32 | uint64(f.order.Uint32(body[8:]))
		var ok bool
		if at, ok = i.unit.nanos(stamp); !ok {
			return f.errorf(start, "timestamp %d is out of range", stamp)
		}
	}
	if uint64(kept) > uint64(len(body)-head) {
		return f.errorf(start, "packet claims %d bytes, its block has room for %d", kept, len(body)-head)
	}
	if kept > length || length > math.MaxInt32 {
		return f.errorf(start, "packet keeps %d bytes of a frame of %d", kept, length)
	}
	return f.fn(at, int(length), body[head:head+int(kept)])
}
