package rest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
)

// PacketFields describes a frame to build. What is absent is what the sender's
// guest would send.
type PacketFields struct {
	DstMAC      string `json:"dstMac,omitempty" maxLength:"17" doc:"Default: as ARP would tell, and of a broadcast or multicast address the group's own"`
	SrcMAC      string `json:"srcMac,omitempty" maxLength:"17" doc:"Default: the sender's"`
	Src         string `json:"src,omitempty" maxLength:"64" doc:"Default: the sender's primary address"`
	Dst         string `json:"dst" maxLength:"64"`
	Protocol    string `json:"protocol" enum:"udp,tcp,icmp"`
	SrcPort     uint16 `json:"srcPort,omitempty" maximum:"65535" doc:"Default: 40000"`
	DstPort     uint16 `json:"dstPort,omitempty" maximum:"65535" doc:"Default: 7 for udp, 80 for tcp"`
	ICMPType    *int   `json:"icmpType,omitempty" minimum:"0" maximum:"255" doc:"Default: 8, an echo request; an echo and its reply have srcPort as identifier and dstPort as sequence number"`
	ICMPCode    int    `json:"icmpCode,omitempty" minimum:"0" maximum:"255"`
	Options     string `json:"ipOptionsHex,omitempty" maxLength:"120" doc:"IPv4 options, at most 40 bytes; padded to a multiple of four"`
	MayFragment bool   `json:"mayFragment,omitempty" doc:"Leaves out the flag don't-fragment, which is set otherwise"`
	TCPFlags    string `json:"tcpFlags,omitempty" maxLength:"64" doc:"Of fin, syn, rst, psh, ack, urg, separated by commas; default: syn"`
	TTL         uint8  `json:"ttl,omitempty" maximum:"255" doc:"Default: 64"`
	PayloadHex  string `json:"payloadHex,omitempty" maxLength:"196605"`
	Length      int    `json:"length,omitempty" minimum:"0" maximum:"65535" doc:"Payload is padded with zeros until the frame has so many bytes"`
	Tags        []int  `json:"tags,omitempty" maxItems:"8" doc:"802.1Q VLAN ids of 0 to 4095, outermost first"`
}

const (
	defaultSrcPort = 40000
	defaultUDPPort = 7
	defaultTCPPort = 80
	vlanTagLen     = 4
	maxVLAN        = 4095
	maxIPOptions   = 40
)

var tcpFlags = map[string]uint8{"fin": 0x01, "syn": 0x02, "rst": 0x04, "psh": 0x08, "ack": 0x10, "urg": 0x20}

// sender is who seems to send a frame.
type sender struct {
	mac     frame.MAC
	address netip.Addr
	// nextHop is what ARP would answer for a destination.
	nextHop func(dst netip.Addr) frame.MAC
}

// sender finds a network interface or a host of the internet.
func (s *Server) sender(id string) (sender, error) {
	st := s.state()
	if h := st.InternetHost(id); h != nil {
		return sender{h.MAC(), h.Address, func(netip.Addr) frame.MAC { return control.InternetRouterMAC() }}, nil
	}
	n := st.NetworkInterface(id)
	if n == nil {
		return sender{}, missing("network interface", id)
	}
	return sender{n.MAC, n.PrimaryAddress(), func(dst netip.Addr) frame.MAC { return nextHop(st, n, dst) }}, nil
}

// build makes the frame that the sender would send.
func (s *Server) build(id string, f *PacketFields) ([]byte, error) {
	from, err := s.sender(id)
	if err != nil {
		return nil, err
	}
	h, err := headerOf(from, f)
	if err != nil {
		return nil, err
	}
	for i, id := range f.Tags {
		if id < 0 || id > maxVLAN {
			return nil, wrong(fmt.Sprintf("body.fields.tags[%d]", i), fmt.Sprintf("want a VLAN id of 0 to %d", maxVLAN), strconv.Itoa(id))
		}
	}
	payload, err := f.payload()
	if err != nil {
		return nil, err
	}
	switch f.Protocol {
	case "icmp":
		typ, rest := uint8(8), uint32(0)
		if f.ICMPType != nil {
			typ = uint8(*f.ICMPType)
		}
		if typ == 8 || typ == 0 {
			rest = uint32(orPort(f.SrcPort, 1))<<16 | uint32(orPort(f.DstPort, 1))
		}
		return f.tagged(frame.AppendICMP(nil, h, typ, uint8(f.ICMPCode), rest, payload)), nil
	case "udp":
		return f.tagged(frame.AppendUDP(nil, h, orPort(f.SrcPort, defaultSrcPort), orPort(f.DstPort, defaultUDPPort), payload)), nil
	}
	flags, err := f.flags()
	if err != nil {
		return nil, err
	}
	segment := frame.Segment{
		SrcPort: orPort(f.SrcPort, defaultSrcPort), DstPort: orPort(f.DstPort, defaultTCPPort), Flags: flags, Window: 65535,
	}
	return f.tagged(frame.AppendTCP(nil, h, segment, payload)), nil
}

func headerOf(from sender, f *PacketFields) (frame.Header, error) {
	h := frame.Header{Src: from.mac, TTL: f.TTL, DontFrag: !f.MayFragment}
	var err error
	if h.Options, err = parseHex(f.Options); err != nil || len(h.Options) > maxIPOptions {
		return h, wrong("body.fields.ipOptionsHex", fmt.Sprintf("want pairs of hexadecimal digits, at most %d bytes", maxIPOptions), f.Options)
	}
	if f.SrcMAC != "" {
		if h.Src, err = frame.ParseMAC(f.SrcMAC); err != nil {
			return h, wrong("body.fields.srcMac", err.Error(), f.SrcMAC)
		}
	}
	src := from.address
	if f.Src != "" {
		if src, err = netip.ParseAddr(f.Src); err != nil {
			return h, wrong("body.fields.src", "want an IPv4 address", f.Src)
		}
	}
	dst, err := netip.ParseAddr(f.Dst)
	if err != nil {
		return h, wrong("body.fields.dst", "want an IPv4 address", f.Dst)
	}
	var ok bool
	if h.SrcIP, ok = frame.IPv4From(src); !ok {
		return h, wrong("body.fields.src", "want an IPv4 address", f.Src)
	}
	if h.DstIP, ok = frame.IPv4From(dst); !ok {
		return h, wrong("body.fields.dst", "want an IPv4 address", f.Dst)
	}
	if f.DstMAC == "" {
		h.Dst = from.nextHop(dst)
		if group, ok := groupMAC(h.DstIP); ok {
			h.Dst = group
		}
		return h, nil
	}
	if h.Dst, err = frame.ParseMAC(f.DstMAC); err != nil {
		return h, wrong("body.fields.dstMac", err.Error(), f.DstMAC)
	}
	return h, nil
}

// groupMAC is where a host sends what is for all or for a group, for which it
// asks no ARP (RFC 1122, 3.3.6; RFC 1112, 6.4).
func groupMAC(dst frame.IPv4) (frame.MAC, bool) {
	switch {
	case dst == 0xffff_ffff:
		return frame.BroadcastMAC, true
	case dst>>28 == 0xe:
		return 0x0100_5e00_0000 | frame.MAC(dst&0x7f_ffff), true
	}
	return 0, false
}

// nextHop is what ARP would answer: the owner in the same subnet, else the
// router. A subnet's last address is its broadcast.
func nextHop(st *control.State, n *control.NetworkInterface, dst netip.Addr) frame.MAC {
	subnet := st.Subnet(n.Subnet)
	if subnet.CIDR.Contains(dst) {
		if next := dst.Next(); !next.IsValid() || !subnet.CIDR.Contains(next) {
			return frame.BroadcastMAC
		}
		if owner := st.InterfaceByAddr(n.VPC, dst); owner != nil {
			return owner.MAC
		}
	}
	return subnet.RouterMAC
}

func (f *PacketFields) payload() ([]byte, error) {
	payload, err := parseHex(f.PayloadHex)
	if err != nil {
		return nil, wrong("body.fields.payloadHex", "want pairs of hexadecimal digits", f.PayloadHex)
	}
	headers := map[string]int{
		"udp": frame.EthernetLen + frame.IPv4MinLen + frame.UDPLen, "tcp": frame.EthernetLen + frame.IPv4MinLen + frame.TCPMinLen,
		"icmp": frame.EthernetLen + frame.IPv4MinLen + frame.ICMPLen,
	}[f.Protocol] + vlanTagLen*len(f.Tags)
	if options, err := parseHex(f.Options); err == nil {
		headers += (len(options) + 3) &^ 3
	}
	if room := 65535 - headers; len(payload) > room {
		return nil, wrong("body.fields.payloadHex", fmt.Sprintf("want at most %d bytes", room), "")
	}
	if pad := f.Length - headers - len(payload); pad > 0 {
		payload = append(payload, make([]byte, pad)...)
	}
	return payload, nil
}

func (f *PacketFields) flags() (uint8, error) {
	if f.TCPFlags == "" {
		return tcpFlags["syn"], nil
	}
	var flags uint8
	for name := range strings.SplitSeq(f.TCPFlags, ",") {
		bit, ok := tcpFlags[strings.ToLower(strings.TrimSpace(name))]
		if !ok {
			return 0, wrong("body.fields.tcpFlags", "want fin, syn, rst, psh, ack or urg, not "+strconv.Quote(clip(name)), f.TCPFlags)
		}
		flags |= bit
	}
	return flags, nil
}

// tagged inserts 802.1Q tags behind the addresses.
func (f *PacketFields) tagged(b []byte) []byte {
	if len(f.Tags) == 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)+vlanTagLen*len(f.Tags)), b[:12]...)
	for _, id := range f.Tags {
		out = append(out, 0x81, 0x00, byte(id>>8), byte(id))
	}
	return append(out, b[12:]...)
}

func orPort(given, fallback uint16) uint16 {
	if given == 0 {
		return fallback
	}
	return given
}
