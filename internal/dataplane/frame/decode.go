package frame

import (
	"errors"
	"fmt"

	"github.com/google/gopacket"
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

// Decoder makes Trees with gopacket's parser of preallocated layers. It belongs
// to one goroutine.
//
// The layers are the ten of layers.go and not those of gopacket/layers: what
// that package does when a program starts (tables of all 65,536 EtherTypes and
// PPP types) costs each start 7 MB that stay and up to 30 ms, and a package
// cannot be loaded later. Its decoders also panic and allocate without bound on
// bytes that guests choose. In tests they are what these are compared with.
type Decoder struct {
	parser  *gopacket.DecodingLayerParser
	decoded []gopacket.LayerType

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
	d.parser = gopacket.NewDecodingLayerParser(layerEthernet,
		&station{d: d, is: layerEthernet, read: readEthernet, show: d.showEthernet},
		&station{d: d, is: layerVLAN, read: readVLAN, show: d.showVLAN},
		&station{d: d, is: layerARP, read: readARP, show: d.showARP},
		&station{d: d, is: layerIPv4, read: readIPv4, show: d.showIPv4},
		&station{d: d, is: layerIPv6, read: readIPv6, show: d.showIPv6},
		&station{d: d, is: layerTCP, read: readTCP, show: d.showTCP},
		&station{d: d, is: layerUDP, read: readUDP, show: d.showUDP},
		&station{d: d, is: layerICMPv4, read: readICMP, show: d.showICMPv4},
		&station{d: d, is: layerICMPv6, read: readICMP, show: d.showICMPv6},
		&station{d: d, is: gopacket.LayerTypePayload, read: readPayload, show: d.showPayload},
	)
	d.parser.IgnoreUnsupported = true
	// Decode recovers by itself, so that it can count.
	d.parser.IgnorePanic = true
	return d
}

// Panics returns how often decoding a frame panicked. It should stay 0.
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
	// A layer is shown although what it announces is cut, and a fragment's place
	// is not judged; the person who looks at a drop for that has to see the fault.
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
			err = fmt.Errorf("decoding frame: the decoder panicked: %v", r)
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
