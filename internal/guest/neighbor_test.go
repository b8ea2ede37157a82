package guest

import (
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// neighbor is the MAC that a host's first NIC has for an address, "" if none.
func (h *Host) neighbor(t *testing.T, a netip.Addr) tcpip.LinkAddress {
	t.Helper()
	entries, err := h.stack.Neighbors(h.nics[0].id, ipv4.ProtocolNumber)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Addr == address(a) {
			return e.LinkAddr
		}
	}
	return ""
}

// TestNeighborsOfAMovedAddress: a guest that has talked to a secondary address
// sends to the MAC of its former holder once it has moved, until its table ages
// or the network announces the new one.
func TestNeighborsOfAMovedAddress(t *testing.T) {
	moved := netip.MustParseAddr("192.168.0.77")
	holders := func(a, b []netip.Addr) []spec.VNIC {
		return []spec.VNIC{
			vnic("eni-a", 0x0221, "subnet-a", hostA, 0, append([]netip.Addr{ownA}, a...)...),
			vnic("eni-b", 0x0222, "subnet-a", hostB, 0, append([]netip.Addr{ownB}, b...)...),
		}
	}
	atA, atB := holders([]netip.Addr{moved}, nil), holders(nil, []netip.Addr{moved})
	warm := func(t *testing.T) (r *rig, c *Host, lost func() uint64) {
		r = newRig(t)
		c = r.lab.Host(clientID)
		r.apply(spec.Delta{VNICs: atA})
		if _, err := c.Ping(r.ctx, clientAddr, moved, 1, 1, nil); err != nil {
			t.Fatal(err)
		}
		return r, c, func() uint64 { return r.engine.Totals().Dropped[verdict.NotOwnAddress] }
	}
	mac := func(v spec.VNIC) tcpip.LinkAddress { return tcpip.LinkAddress(v.MAC.HardwareAddr()) }

	t.Run("announced", func(t *testing.T) {
		r, c, lost := warm(t)
		r.apply(spec.Delta{VNICs: atB, Announce: []spec.Announcement{{Subnet: "subnet-a", Addr: moved}}})
		r.eventually("the client knows the new MAC", func() bool { return c.neighbor(t, moved) == mac(atB[1]) })
		if _, err := c.Ping(r.ctx, clientAddr, moved, 1, 2, nil); err != nil || lost() != 0 {
			t.Errorf("%v, and %d frames at the former holder", err, lost())
		}
		if got := r.lab.Host(hostA).neighbor(t, moved); got != "" {
			t.Errorf("a guest that never asked for the address has an entry with %x", got)
		}
	})
	t.Run("not announced", func(t *testing.T) {
		r, c, lost := warm(t)
		r.apply(spec.Delta{VNICs: atB})
		if _, err := c.Ping(r.brief(), clientAddr, moved, 1, 2, nil); err == nil || lost() == 0 || c.neighbor(t, moved) != mac(atA[0]) {
			t.Fatalf("%v, with %d frames at the former holder, whose MAC is not believed any more", err, lost())
		}
		// Its table ages in milliseconds from the next confirmation on, which is of the
		// former holder.
		if err := c.stack.SetNUDConfigurations(c.nics[0].id, ipv4.ProtocolNumber, stack.NUDConfigurations{
			BaseReachableTime: time.Millisecond, DelayFirstProbeTime: time.Millisecond,
		}); err != nil {
			t.Fatal(err)
		}
		r.apply(spec.Delta{VNICs: atA})
		if err := c.stack.RemoveNeighbor(c.nics[0].id, ipv4.ProtocolNumber, address(moved)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Ping(r.ctx, clientAddr, moved, 1, 3, nil); err != nil {
			t.Fatal(err)
		}
		r.apply(spec.Delta{VNICs: atB})
		seq := uint16(3)
		r.eventually("it has asked again, and takes the first answer", func() bool {
			seq++
			_, err := c.Ping(r.brief(), clientAddr, moved, 1, seq, nil)
			return err == nil
		})
	})
}
