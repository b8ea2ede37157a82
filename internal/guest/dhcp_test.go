package guest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"gvisor.dev/gvisor/pkg/tcpip"

	"enilab/internal/dataplane/frame"
)

const routerMAC frame.MAC = 0x02_00_00_00_00_01

// dhcpServer answers what a client sends, by its own script.
type dhcpServer struct {
	start   time.Time
	answers chan<- []byte
	// reply is what becomes of a message; nil: silence.
	reply func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier
	heard []string
}

func (s *dhcpServer) Send(frames [][]byte) int {
	for _, b := range frames {
		var v frame.View
		if v.Parse(b) != frame.KindIPv4 || v.SrcPort != 68 || v.DstPort != 67 {
			panic(fmt.Sprintf("the client sent %x", b))
		}
		m, err := dhcpv4.FromBytes(b[v.Payload:v.End])
		if err != nil {
			panic(err)
		}
		at := time.Since(s.start)
		s.heard = append(s.heard, fmt.Sprintf("%v %s %s>%s", at, m.MessageType(), v.SrcIP, v.DstIP))
		change := s.reply(m, at)
		if change == nil {
			continue
		}
		r, err := dhcpv4.NewReplyFromRequest(m, change...)
		if err != nil {
			panic(err)
		}
		s.answers <- r.ToBytes()
	}
	return len(frames)
}

func (s *dhcpServer) Recv(ctx context.Context, _ int, _ func([]byte, int64)) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func granted(kind dhcpv4.MessageType, addr string) []dhcpv4.Modifier {
	return []dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind), dhcpv4.WithYourIP(net.ParseIP(addr)), dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithOption(dhcpv4.OptRouter(net.IPv4(10, 0, 0, 1))), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 0, 0, 1))),
		dhcpv4.WithOption(dhcpv4.OptIPAddressLeaseTime(time.Hour)),
	}
}

func grant(m *dhcpv4.DHCPv4, _ time.Duration) []dhcpv4.Modifier {
	if m.MessageType() == dhcpv4.MessageTypeDiscover {
		return granted(dhcpv4.MessageTypeOffer, "10.0.0.5")
	}
	return granted(dhcpv4.MessageTypeAck, "10.0.0.5")
}

func refuse() []dhcpv4.Modifier {
	return []dhcpv4.Modifier{dhcpv4.WithMessageType(dhcpv4.MessageTypeNak)}
}

// What a client sends in what time, as servers answer, and what address it has
// then (RFC 2131, sections 4.4.1 and 4.4.5).
func TestLeaser(t *testing.T) {
	boot := []string{"0s DISCOVER 0.0.0.0>255.255.255.255", "0s REQUEST 0.0.0.0>255.255.255.255"}
	const yes, no = "bound 10.0.0.5/24 by 10.0.0.1", "lost"
	for _, x := range []struct {
		name  string
		reply func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier
		until time.Duration
		heard []string
		has   []string
	}{
		{"a lease renewed", grant, 61 * time.Minute, append(slices.Clone(boot),
			"30m0s REQUEST 10.0.0.5>10.0.0.1", "1h0m0s REQUEST 10.0.0.5>10.0.0.1"), []string{yes}},
		{"nobody at first", func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier {
			if at < 20*time.Second {
				return nil
			}
			return grant(m, at)
		}, time.Minute, []string{
			"0s DISCOVER 0.0.0.0>255.255.255.255", "1s DISCOVER 0.0.0.0>255.255.255.255", "3s DISCOVER 0.0.0.0>255.255.255.255",
			"7s DISCOVER 0.0.0.0>255.255.255.255", "15s DISCOVER 0.0.0.0>255.255.255.255", "23s DISCOVER 0.0.0.0>255.255.255.255",
			"23s REQUEST 0.0.0.0>255.255.255.255",
		}, []string{yes}},
		{"an offer taken back", func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier {
			if m.MessageType() == dhcpv4.MessageTypeRequest && at == 0 {
				return refuse()
			}
			return grant(m, at)
		}, time.Minute, append(slices.Clone(boot), "1s DISCOVER 0.0.0.0>255.255.255.255", "1s REQUEST 0.0.0.0>255.255.255.255"), []string{yes}},
		{"a renewal refused", func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier {
			if at == 30*time.Minute && m.MessageType() == dhcpv4.MessageTypeRequest && m.ClientIPAddr.Equal(net.IPv4(10, 0, 0, 5)) {
				return refuse()
			}
			return grant(m, at)
		}, 31 * time.Minute, append(slices.Clone(boot), "30m0s REQUEST 10.0.0.5>10.0.0.1",
			"30m0s DISCOVER 0.0.0.0>255.255.255.255", "30m0s REQUEST 0.0.0.0>255.255.255.255"), []string{yes, no, yes}},
		{"an answer without a router", func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier {
			return append(grant(m, at), dhcpv4.WithoutOption(dhcpv4.OptionRouter))
		}, 1500 * time.Millisecond, []string{"0s DISCOVER 0.0.0.0>255.255.255.255", "1s DISCOVER 0.0.0.0>255.255.255.255"}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := make(chan []byte, leaseBacklog)
				s := &dhcpServer{start: time.Now(), answers: answers, reply: x.reply}
				mac := net.HardwareAddr{2, 0, 0, 0, 0, 5}
				var has []string
				xid := uint32(0)
				c := &leaser{
					link: newLink(s, tcpip.LinkAddress(mac), 9001), mac: mac, routerMAC: routerMAC, answers: answers,
					xid:   func() uint32 { xid++; return xid },
					bound: func(l lease) bool { has = append(has, fmt.Sprintf("bound %s by %s", l.addr, l.server)); return true },
					lost:  func() { has = append(has, "lost") },
				}
				ctx, cancel := context.WithTimeout(t.Context(), x.until)
				defer cancel()
				c.run(ctx)
				if !slices.Equal(s.heard, x.heard) || !slices.Equal(has, x.has) {
					t.Errorf("the server heard %q, want %q; the guest had %q, want %q", s.heard, x.heard, has, x.has)
				}
			})
		})
	}
}

// Without a server a lease is asked for until it is over: at the server, then of
// anyone, and given up.
func TestLeaseRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan []byte, leaseBacklog)
		s := &dhcpServer{start: time.Now(), answers: answers, reply: func(m *dhcpv4.DHCPv4, at time.Duration) []dhcpv4.Modifier {
			if at > 0 {
				return nil
			}
			return grant(m, at)
		}}
		mac := net.HardwareAddr{2, 0, 0, 0, 0, 5}
		var lost time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		c := &leaser{
			link: newLink(s, tcpip.LinkAddress(mac), 9001), mac: mac, routerMAC: routerMAC, answers: answers,
			xid: func() uint32 { return 1 }, bound: func(lease) bool { return true },
			lost: func() { lost = time.Since(s.start); cancel() },
		}
		c.run(ctx)
		unicast, broadcast := 0, 0
		for _, h := range s.heard[2:] {
			switch {
			case h[len(h)-len("10.0.0.5>10.0.0.1"):] == "10.0.0.5>10.0.0.1":
				unicast++
			default:
				broadcast++
			}
		}
		// A question a minute from half an hour on, and of anyone from 52.5 minutes on.
		if lost != time.Hour || unicast != 23 || broadcast != 8 {
			t.Errorf("lost after %v, the server was asked %d times and anyone %d times", lost, unicast, broadcast)
		}
	})
}

// Whatever control says in between, a NIC has no address before its lease, and
// those that control says now with it.
func TestAddressesOfALeasingNIC(t *testing.T) {
	addrs := func(list ...string) (out []netip.Addr) {
		for _, s := range list {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	n := &nic{assigned: addrs("10.0.0.5", "10.0.0.6")}
	if got := n.configured(); len(got) != 0 {
		t.Errorf("%v before the lease", got)
	}
	n.leased = netip.MustParseAddr("10.0.0.5")
	for _, x := range [][]netip.Addr{addrs("10.0.0.5", "10.0.0.6"), addrs("10.0.0.5"), addrs("10.0.0.5", "10.0.0.7", "10.0.0.8")} {
		n.assigned = x
		if got := n.configured(); !slices.Equal(got, x) {
			t.Errorf("%v, want %v", got, x)
		}
	}
	n.leased = netip.MustParseAddr("10.0.0.6") // a server with another mind
	n.assigned = addrs("10.0.0.5", "10.0.0.6", "10.0.0.7")
	if got, want := n.configured(), addrs("10.0.0.6", "10.0.0.7"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
