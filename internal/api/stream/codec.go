package stream

import (
	"encoding/binary"
	"math"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

// Version of the protocol. A client that speaks another one is closed with
// CloseOutdated and has to be loaded anew.
const Version = 4

// CloseOutdated is the close code for a client of another Version.
const CloseOutdated = 4400

// Binary messages, little endian: a header of 32 bytes, then records.
//
//	0 u16 magic 0x4E45     8 u64 cursor of the first record
//	2 u8  version         16 u64 base time, Unix nanoseconds
//	3 u8  type            24 u32 records left out since the message before
//	4 u16 count           28 u32 packets: records the message stands for
//	6 u16 flags, 0                bins: width in milliseconds
//
// Packet record, 44 bytes:
//
//	 0 u32 cursor - first   16 u16 source port       24 u8 protocol
//	 4 u32 us since base    18 u16 destination port  25 u8 verdict
//	 8 u32 source IP        20 u16 length            26 u8 reason
//	12 u32 destination IP   22 u16 EtherType         27 u8 TCP flags
//	28 u32 source VNIC      32 u32 destination VNIC
//	36 u32 rule: dictionary number in 24 bits, in the high 8 the step at which the
//	       frame ended
//	40 u32 way: dictionary number in 31 bits, and in the top bit whether a
//	       gateway changed the addresses; source and destination are those after
//
// Edge record, 32 bytes, of bins and, with a filter, of what of them matches: u32 source and destination VNIC, u32 frames accepted,
// rejected, lost and consumed by the network, u64 bytes.
const (
	magic       = 0x4E45
	typePackets = 1
	typeBins    = 2
	typeMatches = 3 // bins of what a filter lets through
	headerSize  = 32
	packetSize  = 44
	edgeSize    = 32

	// maxCount is what the header's count can say.
	maxCount = math.MaxUint16
	ruleBits = 24
)

// header is a message without its records.
type header struct {
	kind    uint8
	count   int
	cursor  uint64
	base    int64
	skipped uint64
	matched uint64
}

func appendHeader(b []byte, h header) []byte {
	b = binary.LittleEndian.AppendUint16(b, magic)
	b = append(b, Version, h.kind)
	b = binary.LittleEndian.AppendUint16(b, uint16(h.count))
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.cursor)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.base))
	b = binary.LittleEndian.AppendUint32(b, saturate(h.skipped))
	return binary.LittleEndian.AppendUint32(b, saturate(h.matched))
}

// numbered is a record with its place in the history.
type numbered struct {
	cursor uint64
	dataplane.Record
}

// appendPackets adds a whole message. rs has at least one record and at most
// maxCount, by rising cursor; rule numbers a rule for this connection.
func appendPackets(b []byte, rs []numbered, skipped, matched uint64, rule func(verdict.RuleID) uint32) []byte {
	base := rs[0].At
	for i := range rs {
		// Batches are sorted in themselves; a late worker's may overlap.
		base = min(base, rs[i].At)
	}
	first := rs[0].cursor
	b = appendHeader(b, header{typePackets, len(rs), first, base, skipped, matched})
	for i := range rs {
		r := &rs[i]
		b = binary.LittleEndian.AppendUint32(b, saturate(r.cursor-first))
		b = binary.LittleEndian.AppendUint32(b, saturate(uint64(r.At-base)/uint64(time.Microsecond)))
		b = binary.LittleEndian.AppendUint32(b, uint32(r.SrcIP))
		b = binary.LittleEndian.AppendUint32(b, uint32(r.DstIP))
		b = binary.LittleEndian.AppendUint16(b, r.SrcPort)
		b = binary.LittleEndian.AppendUint16(b, r.DstPort)
		b = binary.LittleEndian.AppendUint16(b, r.Length)
		b = binary.LittleEndian.AppendUint16(b, r.EtherType)
		b = append(b, r.Proto, uint8(r.Verdict), uint8(r.Reason), r.TCPFlags)
		b = binary.LittleEndian.AppendUint32(b, r.SrcVNIC)
		b = binary.LittleEndian.AppendUint32(b, r.DstVNIC)
		b = binary.LittleEndian.AppendUint32(b, rule(r.Rule)|uint32(r.Step)<<ruleBits)
		b = binary.LittleEndian.AppendUint32(b, uint32(r.Way))
	}
	return b
}

// appendBin adds a whole message for one interval.
func appendBin(b []byte, kind uint8, start, width int64, edges []dataplane.Edge) []byte {
	edges = edges[:min(len(edges), maxCount)]
	b = appendHeader(b, header{kind: kind, count: len(edges), base: start, matched: uint64(width) / uint64(time.Millisecond)})
	for i := range edges {
		e := &edges[i]
		b = binary.LittleEndian.AppendUint32(b, e.SrcVNIC)
		b = binary.LittleEndian.AppendUint32(b, e.DstVNIC)
		for _, v := range [...]verdict.Verdict{verdict.Accept, verdict.Reject, verdict.Lost, verdict.Control} {
			b = binary.LittleEndian.AppendUint32(b, saturate(e.Frames[v]))
		}
		b = binary.LittleEndian.AppendUint64(b, e.Bytes)
	}
	return b
}

func saturate(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }
