package frame

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/gopacket"
)

// The layers of a Decoder. gopacket keeps the numbers from 1000 for programs.
var (
	layerEthernet = layerType(1000, "Ethernet")
	layerVLAN     = layerType(1001, "VLAN")
	layerARP      = layerType(1002, "ARP")
	layerIPv4     = layerType(1003, "IPv4")
	layerIPv6     = layerType(1004, "IPv6")
	layerTCP      = layerType(1005, "TCP")
	layerUDP      = layerType(1006, "UDP")
	layerICMPv4   = layerType(1007, "ICMP")
	layerICMPv6   = layerType(1008, "ICMPv6")
)

// nothing that a Decoder has a layer for.
const nothing = gopacket.LayerType(0)

func layerType(n int, name string) gopacket.LayerType {
	return gopacket.RegisterLayerType(n, gopacket.LayerTypeMetadata{Name: name, Decoder: gopacket.DecodeUnknown})
}

// extent is how a layer divides the bytes from its start on.
type extent struct {
	head int                // bytes of its header
	end  int                // where its content ends; behind the bytes if it is cut
	next gopacket.LayerType // the content
}

// station is a layer as gopacket's parser takes it. It bounds what the layer
// holds and shows it: a type may come twice (stacked tags), so the layers are
// shown as they are decoded and not at the end.
type station struct {
	d    *Decoder
	is   gopacket.LayerType
	read func(b []byte) (extent, error) // errors: the header cannot be shown
	show func(l *Layer, h []byte)       // h: the header

	next    gopacket.LayerType
	payload []byte
}

var _ gopacket.DecodingLayer = (*station)(nil)

func (s *station) CanDecode() gopacket.LayerClass    { return s.is }
func (s *station) NextLayerType() gopacket.LayerType { return s.next }
func (s *station) LayerPayload() []byte              { return s.payload }

// maxLayers bounds the tree: a frame may nest 400 IPv4 headers.
const maxLayers = 12

func (s *station) DecodeFromBytes(b []byte, df gopacket.DecodeFeedback) error {
	e, err := s.read(b)
	if err != nil {
		return err
	}
	if e.end > len(b) {
		df.SetTruncated()
		e.end = len(b)
	}
	d := s.d
	d.end = d.off + e.end
	l := Layer{Name: s.is.String(), Off: d.off, Len: e.head, Fields: make([]Field, 0, 12)}
	s.show(&l, b[:e.head:e.head])
	d.tree.Layers = append(d.tree.Layers, l)
	d.off += e.head
	s.payload, s.next = b[e.head:e.end], e.next
	if len(d.tree.Layers) >= maxLayers {
		s.next = gopacket.LayerTypePayload
	}
	return nil
}

func tooShort(what string, n, want int) error {
	return fmt.Errorf("%s of %d bytes, want at least %d", what, n, want)
}

func readEthernet(b []byte) (extent, error) {
	if len(b) < EthernetLen {
		return extent{}, tooShort("Ethernet header", len(b), EthernetLen)
	}
	t := binary.BigEndian.Uint16(b[12:])
	if t < minType {
		return extent{EthernetLen, EthernetLen + int(t), nothing}, nil
	}
	return extent{EthernetLen, len(b), afterEthernet(t)}, nil
}

func readVLAN(b []byte) (extent, error) {
	if len(b) < VLANTagLen {
		return extent{}, tooShort("VLAN tag", len(b), VLANTagLen)
	}
	return extent{VLANTagLen, len(b), afterEthernet(binary.BigEndian.Uint16(b[2:]))}, nil
}

func afterEthernet(etherType uint16) gopacket.LayerType {
	switch etherType {
	case EtherTypeIPv4:
		return layerIPv4
	case EtherTypeIPv6:
		return layerIPv6
	case EtherTypeARP:
		return layerARP
	case EtherTypeVLAN, EtherTypeQinQ:
		return layerVLAN
	}
	return nothing
}

// readARP takes ARP for IPv4 over Ethernet only, as Parse does. Padding follows.
func readARP(b []byte) (extent, error) {
	if len(b) < ARPLen {
		return extent{}, tooShort("ARP", len(b), ARPLen)
	}
	if b[0] != 0 || b[1] != 1 || b[2] != 8 || b[3] != 0 || b[4] != 6 || b[5] != 4 {
		return extent{}, errors.New("ARP is not for IPv4 over Ethernet")
	}
	return extent{ARPLen, ARPLen, nothing}, nil
}

func readIPv4(b []byte) (extent, error) {
	if len(b) < IPv4MinLen {
		return extent{}, tooShort("IPv4 header", len(b), IPv4MinLen)
	}
	head, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case b[0]>>4 != 4:
		return extent{}, fmt.Errorf("IPv4 header says version %d", b[0]>>4)
	case head < IPv4MinLen:
		return extent{}, fmt.Errorf("IPv4 header length of %d bytes, want at least %d", head, IPv4MinLen)
	case head > len(b):
		return extent{}, tooShort("IPv4 header", len(b), head)
	case total < head:
		return extent{}, fmt.Errorf("IPv4 total length of %d bytes, the header alone has %d", total, head)
	case !validIPv4Options(b[IPv4MinLen:head]):
		return extent{}, errors.New("an IPv4 option is longer than the header")
	}
	e := extent{head, total, nothing}
	switch binary.BigEndian.Uint16(b[6:]) & ipv4OffsetMask {
	case 0: // the first fragment has the transport header
		e.next = afterIP(b[9], layerICMPv4)
	default:
		e.next = gopacket.LayerTypePayload
	}
	return e, nil
}

// readIPv6 takes hop-by-hop options as part of the header.
func readIPv6(b []byte) (extent, error) {
	if len(b) < IPv6Len {
		return extent{}, tooShort("IPv6 header", len(b), IPv6Len)
	}
	if b[0]>>4 != 6 {
		return extent{}, fmt.Errorf("IPv6 header says version %d", b[0]>>4)
	}
	e := extent{IPv6Len, IPv6Len + int(binary.BigEndian.Uint16(b[4:])), nothing}
	next := b[6]
	if next == extHopByHop {
		if len(b) < IPv6Len+8 {
			return extent{}, tooShort("IPv6 hop-by-hop options", len(b)-IPv6Len, 8)
		}
		next = b[IPv6Len]
		if e.head += (int(b[IPv6Len+1]) + 1) * 8; e.head > min(e.end, len(b)) {
			return extent{}, errors.New("IPv6 hop-by-hop options are longer than the packet")
		}
	}
	e.next = afterIP(next, layerICMPv6)
	return e, nil
}

// afterIP names what a protocol number stands for. ICMP of the other family has
// no meaning.
func afterIP(proto uint8, icmp gopacket.LayerType) gopacket.LayerType {
	switch {
	case proto == ProtoTCP:
		return layerTCP
	case proto == ProtoUDP:
		return layerUDP
	case proto == ProtoICMP && icmp == layerICMPv4, proto == ProtoICMPv6 && icmp == layerICMPv6:
		return icmp
	case proto == protoIPv4:
		return layerIPv4
	case proto == protoIPv6:
		return layerIPv6
	}
	return nothing
}

// IP within IP, which Parse does not descend into.
const (
	protoIPv4 = 4
	protoIPv6 = 41
)

// Behind the transport header is payload: what a port stands for is not decoded.

func readTCP(b []byte) (extent, error) {
	if len(b) < TCPMinLen {
		return extent{}, tooShort("TCP header", len(b), TCPMinLen)
	}
	head := int(b[12]>>4) * 4
	if head < TCPMinLen {
		return extent{}, fmt.Errorf("TCP header length of %d bytes, want at least %d", head, TCPMinLen)
	}
	if head > len(b) {
		return extent{}, tooShort("TCP header", len(b), head)
	}
	return extent{head, len(b), gopacket.LayerTypePayload}, nil
}

func readUDP(b []byte) (extent, error) {
	if len(b) < UDPLen {
		return extent{}, tooShort("UDP header", len(b), UDPLen)
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n < UDPLen {
		return extent{}, fmt.Errorf("UDP length of %d bytes, the header alone has %d", n, UDPLen)
	}
	return extent{UDPLen, n, gopacket.LayerTypePayload}, nil
}

func readICMP(b []byte) (extent, error) {
	if len(b) < ICMPLen {
		return extent{}, tooShort("ICMP message", len(b), ICMPLen)
	}
	return extent{ICMPLen, len(b), gopacket.LayerTypePayload}, nil
}

func readPayload(b []byte) (extent, error) { return extent{len(b), len(b), nothing}, nil }
