package guest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// nic is one plugged NIC. Its host's mutex guards it.
type nic struct {
	id    tcpip.NICID
	at    attachment
	link  *link
	stack *stack.Stack

	// Of a host that leases: what control says, of which at.addrs is what the NIC
	// has; the address that was leased; and what ends the client.
	assigned []netip.Addr
	leased   netip.Addr
	unlease  context.CancelFunc // nil: the host does not lease

	stop   context.CancelFunc // ends the pump; nil: no pump runs
	pumped chan struct{}      // closed when the pump has ended
}

// plug makes a NIC of the attachment and starts to read its Port. bare: it has no
// address yet.
func plug(s *stack.Stack, at attachment, bare bool) (*nic, error) {
	assigned := at.addrs
	if bare {
		at.addrs = nil
	}
	n := &nic{id: s.NextNICID(), at: at, link: newLink(at.port, at.mac, at.mtu), stack: s, assigned: assigned}
	opts := stack.NICOptions{Name: fmt.Sprintf("eth%d", at.index)}
	if err := s.CreateNICWithOptions(n.id, ethernet.New(n.link), opts); err != nil {
		return nil, fmt.Errorf("plugging %s as eth%d: %s", at.vnic, at.index, err)
	}
	n.forwarding().plug(n.id, n.link)
	for _, a := range at.addrs {
		if err := addAddress(s, n.id, a, at.subnet); err != nil {
			n.unplug()
			return nil, fmt.Errorf("plugging %s as eth%d: %w", at.vnic, at.index, err)
		}
	}
	n.setForwarding(at.forward)
	n.startPump()
	return n, nil
}

// setForwarding makes the host pass on what arrives at the NIC for others, or not.
func (n *nic) setForwarding(on bool) {
	n.at.forward = on
	if on {
		n.stack.SetNFTablesConfigured(true)
	}
	if _, err := n.stack.SetNICForwarding(n.id, ipv4.ProtocolNumber, on); err != nil {
		panic("guest: forwarding of " + n.at.vnic + ": " + err.String()) // the NIC is there and has IPv4
	}
}

func (n *nic) forwarding() *forwarding { return n.stack.NFTables().(*forwarding) }

// unplug takes the NIC out of the stack and ends the connections on its addresses.
func (n *nic) unplug() {
	if n.unlease != nil {
		n.unlease()
	}
	n.link.Close()
	n.stopPump()
	n.stack.RemoveNIC(n.id)
	n.forwarding().unplug(n.id)
	abort(n.stack, func(a netip.Addr) bool { return slices.Contains(n.at.addrs, a) })
}

// assign notes what addresses control gives the NIC, which it has as soon as it may.
func (n *nic) assign(addrs []netip.Addr) error {
	n.assigned = addrs
	if n.unlease == nil {
		return n.setAddrs(addrs)
	}
	return n.setAddrs(n.configured())
}

// configured are the addresses of a NIC that leases: none before it has its lease,
// which stays the first one.
func (n *nic) configured() []netip.Addr {
	if !n.leased.IsValid() {
		return nil
	}
	list := []netip.Addr{n.leased}
	for _, a := range n.assigned[1:] {
		if a != n.leased {
			list = append(list, a)
		}
	}
	return list
}

// setAddrs changes the addresses of the NIC in place; connections on addresses
// that stay are not disturbed.
func (n *nic) setAddrs(addrs []netip.Addr) error {
	old := n.at.addrs
	if slices.Equal(old, addrs) {
		return nil
	}
	gone := func(a netip.Addr) bool { return slices.Contains(old, a) && !slices.Contains(addrs, a) }
	for _, a := range old {
		if gone(a) {
			n.stack.RemoveAddress(n.id, address(a))
		}
	}
	n.at.addrs = slices.Clone(addrs)
	abort(n.stack, gone)
	for _, a := range addrs {
		if slices.Contains(old, a) {
			continue
		}
		if err := addAddress(n.stack, n.id, a, n.at.subnet); err != nil {
			return fmt.Errorf("changing addresses of %s: %w", n.at.vnic, err)
		}
	}
	return nil
}

// setCarrier applies a fault, or its end. Frames that wait in the Port while
// the guest is frozen are read after the thaw, as from a real ring.
func (n *nic) setCarrier(c carrier) {
	was := n.link.setCarrier(c)
	if was == c {
		return
	}
	if was == carrierDown {
		n.stack.EnableNIC(n.id)
	}
	switch c {
	case carrierUp:
		n.startPump()
	case carrierFrozen:
		n.stopPump()
	case carrierDown:
		n.startPump()
		n.stack.DisableNIC(n.id)
	}
}

func (n *nic) startPump() {
	if n.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	n.stop, n.pumped = stop, done
	go func() {
		defer close(done)
		n.link.pump(ctx)
	}()
}

func (n *nic) stopPump() {
	if n.stop == nil {
		return
	}
	n.stop()
	<-n.pumped
	n.stop = nil
}
