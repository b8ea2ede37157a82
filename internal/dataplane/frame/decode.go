package frame

import (
	"errors"
	"fmt"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// MaxDecode is the longest frame that a Decoder takes: an MTU of 9001, an
// Ethernet header and a tag. Longer ones are not displayed field by field.
const MaxDecode = 9001 + EthernetLen + VLANTagLen

// Tree is one frame taken apart for a person: layers in their order, each with
// its fields and the bytes that they came from. Offsets count from the start
// of the frame, lengths are in bytes.
type Tree struct {
	Summary string  `json:"summary"`
	Length  int     `json:"length"`
	Layers  []Layer `json:"layers"`
}

// Layer is one header, or the payload behind the last, or Ethernet's padding.
type Layer struct {
	Name   string  `json:"name"`
	Off    int     `json:"off"`
	Len    int     `json:"len"`
	Fields []Field `json:"fields"`
}

// Field is one value in words. A field of flags has the length of the bytes
// that hold them, so neighbours may overlap.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Off   int    `json:"off"`
	Len   int    `json:"len"`
}

// Decoder makes Trees with gopacket. It belongs to one goroutine.
//
// It uses exactly ten of gopacket's layers: NewPacket on the bytes of guests
// reaches decoders by port number that panic and allocate without bound.
type Decoder struct {
	parser  *gopacket.DecodingLayerParser
	decoded []gopacket.LayerType

	eth     layers.Ethernet
	dot1q   layers.Dot1Q
	arp     layers.ARP
	ip4     layers.IPv4
	ip6     ipv6
	tcp     layers.TCP
	udp     layers.UDP
	icmp4   layers.ICMPv4
	icmp6   layers.ICMPv6
	payload gopacket.Payload

	// Of the frame being decoded.
	tree  *Tree
	frame []byte
	off   int // start of the layer being decoded
	end   int // where the layers seen so far say the content ends

	// pseudo sums the pseudo-header of the IP layer last seen, for an upper
	// layer of n bytes; nil if that layer is not whole.
	pseudo func(proto uint8, n int) uint64

	panics uint64
}

// NewDecoder returns a Decoder with its layers allocated.
func NewDecoder() *Decoder {
	d := &Decoder{}
	d.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet,
		&station{layer: &d.eth, d: d, show: d.showEthernet},
		&station{layer: &d.dot1q, d: d, show: d.showDot1Q},
		&station{layer: &d.arp, d: d, show: d.showARP, guard: guardARP, next: nothing},
		&station{layer: &d.ip4, d: d, show: d.showIPv4, next: d.afterIPv4},
		&station{layer: &d.ip6, d: d, show: d.showIPv6},
		&station{layer: &d.tcp, d: d, show: d.showTCP, next: toPayload},
		&station{layer: &d.udp, d: d, show: d.showUDP, next: toPayload},
		&station{layer: &d.icmp4, d: d, show: d.showICMPv4},
		&station{layer: &d.icmp6, d: d, show: d.showICMPv6, next: toPayload},
		&station{layer: &d.payload, d: d, show: d.showPayload},
	)
	d.parser.IgnoreUnsupported = true
	// Decode recovers by itself, so that it can count.
	d.parser.IgnorePanic = true
	return d
}

// Panics returns how often gopacket panicked on a frame. It should stay 0.
func (d *Decoder) Panics() uint64 { return d.panics }

// ErrTooLong: the frame is longer than MaxDecode.
var ErrTooLong = errors.New("frame too long to decode")

// Decode takes b apart. The Tree is never nil and does not alias b; with an
// error it holds the layers in front of the fault and a layer "malformed" with
// the bytes from there on.
func (d *Decoder) Decode(b []byte) (*Tree, error) {
	var v View
	v.Parse(b)
	d.tree = &Tree{Summary: string(v.AppendSummary(nil, b)), Length: len(b), Layers: make([]Layer, 0, 5)}
	d.frame, d.off, d.end, d.pseudo = b, 0, len(b), nil
	defer func() { d.tree, d.frame, d.pseudo = nil, nil, nil }()

	err := d.decode(b)
	// gopacket lets some faults pass that the data plane drops frames for; the
	// person who looks at such a drop has to see the same fault.
	if err == nil && v.Kind == KindInvalid {
		err = errors.New("decoding frame: a header contradicts itself or another, or is truncated")
	}
	if err != nil {
		d.rest("malformed", len(b), Field{"reason", err.Error(), d.off, len(b) - d.off})
		return d.tree, err
	}
	// What no layer took: a protocol that is not among the ten, then padding.
	if d.off < int(v.End) {
		d.rest("data", int(v.End))
	}
	if d.off < len(b) {
		d.rest("padding", len(b))
	}
	return d.tree, nil
}

func (d *Decoder) decode(b []byte) (err error) {
	if len(b) > MaxDecode {
		return fmt.Errorf("decoding %d bytes: %w: at most %d", len(b), ErrTooLong, MaxDecode)
	}
	defer func() {
		if r := recover(); r != nil {
			d.panics++
			err = fmt.Errorf("decoding frame: gopacket panicked: %v", r)
		}
	}()
	if err := d.parser.DecodeLayers(b, &d.decoded); err != nil {
		return fmt.Errorf("decoding frame at byte %d: %w", d.off, err)
	}
	return nil
}

// rest adds a layer of the bytes that have not been shown, up to end.
func (d *Decoder) rest(name string, end int, fields ...Field) {
	if fields == nil {
		fields = []Field{} // null is no list to a browser
	}
	d.tree.Layers = append(d.tree.Layers, Layer{name, d.off, end - d.off, fields})
	d.off = end
}

type layer interface {
	gopacket.DecodingLayer
	LayerContents() []byte
}

// station wraps a layer of gopacket: it refuses what the layer cannot take and
// shows what the layer found. A layer type may come twice (stacked tags), so
// the layers are shown as they are decoded and not at the end.
type station struct {
	layer
	d     *Decoder
	guard func([]byte) error
	show  func(l *Layer)
	next  func() gopacket.LayerType
}

func (s *station) DecodeFromBytes(b []byte, df gopacket.DecodeFeedback) error {
	if s.guard != nil {
		if err := s.guard(b); err != nil {
			return err
		}
	}
	if err := s.layer.DecodeFromBytes(b, df); err != nil {
		return err
	}
	d, head := s.d, len(s.LayerContents())
	d.end = d.off + head + len(s.LayerPayload())
	l := Layer{Off: d.off, Len: head, Fields: make([]Field, 0, 12)}
	s.show(&l)
	d.tree.Layers = append(d.tree.Layers, l)
	d.off += head
	return nil
}

func (s *station) NextLayerType() gopacket.LayerType {
	switch {
	case len(s.d.tree.Layers) >= maxLayers:
		return gopacket.LayerTypePayload
	case s.next != nil:
		return s.next()
	}
	return s.layer.NextLayerType()
}

// maxLayers bounds the tree: a frame may nest 400 IPv4 headers.
const maxLayers = 12

// toPayload stops at the transport layer: decoders by port are not ours.
func toPayload() gopacket.LayerType { return gopacket.LayerTypePayload }

// nothing follows ARP but padding.
func nothing() gopacket.LayerType { return gopacket.LayerTypeZero }

// afterIPv4 lets the first fragment's transport header be shown.
func (d *Decoder) afterIPv4() gopacket.LayerType {
	if d.ip4.FragOffset != 0 {
		return gopacket.LayerTypePayload
	}
	return d.ip4.Protocol.LayerType()
}

// guardARP admits ARP for IPv4 over Ethernet only: gopacket 1.1.19 slices by
// the address sizes of the packet, whose sum overflows its eight bits.
func guardARP(b []byte) error {
	if len(b) < ARPLen {
		return fmt.Errorf("ARP of %d bytes, want %d", len(b), ARPLen)
	}
	if b[0] != 0 || b[1] != 1 || b[2] != 8 || b[3] != 0 || b[4] != 6 || b[5] != 4 {
		return errors.New("ARP is not for IPv4 over Ethernet")
	}
	return nil
}

// ipv6 is gopacket's layer with two faults of 1.1.19 mended: it refuses a
// packet without payload, and it counts hop-by-hop options, which it reads as
// part of the layer, neither in the contents nor off the payload.
type ipv6 struct{ layers.IPv6 }

func (l *ipv6) DecodeFromBytes(b []byte, df gopacket.DecodeFeedback) error {
	err := l.IPv6.DecodeFromBytes(b, df)
	if len(b) >= IPv6Len && l.Length == 0 && l.NextHeader != layers.IPProtocolIPv6HopByHop {
		l.Payload = l.Payload[:0]
		return nil
	}
	if err != nil || l.HopByHop == nil {
		return err
	}
	head := IPv6Len + l.HopByHop.ActualLength
	end := min(IPv6Len+int(l.Length), len(b))
	if head > end {
		return errors.New("hop-by-hop options are longer than the packet")
	}
	l.Contents, l.Payload = b[:head], b[head:end]
	return nil
}
