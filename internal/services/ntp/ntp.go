// Package ntp answers what clients of the Network Time Protocol ask (RFC 5905;
// clients of SNTP, RFC 4330, ask the same). It knows messages, not sockets.
package ntp

import (
	"encoding/binary"
	"time"
)

// Len is the length of a message without extension fields.
const Len = 48

const (
	modeClient = 3
	modeServer = 4

	// stratum of Amazon's service as chrony shows it.
	stratum = 3
	// precision is log2 of the seconds that the clock's readings are good for: 1 µs.
	precision = -20
	// fractions are the units of the protocol's short format in a millisecond.
	rootDelay      = 1 << 16 / 1000 // 1 ms
	rootDispersion = 1 << 16 / 1000
	// referenceAge is how long ago the clock was set: a server that has not set it
	// for long is not believed.
	referenceAge = 16 * time.Second
)

// reference names who the clock was set by, an address: RFC 5905's reference
// identifier of a server of a stratum above 1.
var reference = [4]byte{169, 254, 169, 122}

// Offsets in a message.
const (
	atStratum    = 1
	atPoll       = 2
	atPrecision  = 3
	atRootDelay  = 4
	atDispersion = 8
	atReference  = 12
	atSet        = 16 // when the clock was set
	atOrigin     = 24
	atReceive    = 32
	atTransmit   = 40
)

// Answer returns the answer to a request that has come at received and is
// answered at sent; nil: it is no request of a client, and none is due. Extension
// fields and signatures behind the message are not read: whoever wants a signed
// answer does not believe this one.
func Answer(request []byte, received, sent time.Time) []byte {
	if len(request) < Len || len(request)%4 != 0 {
		return nil
	}
	mode, version := request[0]&7, request[0]>>3&7
	if mode != modeClient || version < 1 || version > 4 {
		return nil
	}
	b := make([]byte, Len)
	b[0] = version<<3 | modeServer // no leap second ahead
	b[atStratum], b[atPoll] = stratum, request[atPoll]
	var p int8 = precision
	b[atPrecision] = byte(p)
	binary.BigEndian.PutUint32(b[atRootDelay:], rootDelay)
	binary.BigEndian.PutUint32(b[atDispersion:], rootDispersion)
	copy(b[atReference:], reference[:])
	binary.BigEndian.PutUint64(b[atSet:], stamp(received.Add(-referenceAge)))
	copy(b[atOrigin:atReceive], request[atTransmit:Len])
	binary.BigEndian.PutUint64(b[atReceive:], stamp(received))
	binary.BigEndian.PutUint64(b[atTransmit:], stamp(sent))
	return b
}

// epoch is the Unix epoch in seconds of the protocol's first era, from 1900 on.
const epoch = 2_208_988_800

// stamp is t as seconds of its era and a fraction of 2^32 (RFC 5905, section 6).
func stamp(t time.Time) uint64 {
	return uint64(uint32(t.Unix()+epoch))<<32 | uint64(t.Nanosecond())<<32/1_000_000_000
}
