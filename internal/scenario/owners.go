package scenario

import (
	"fmt"
	"net/netip"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
)

// CheckOwners reports whether a State breaks the invariant that a failover
// lives by: every private address of a VPC, every MAC and every device index of
// an instance has one network interface.
func CheckOwners(s *control.State) error {
	type address struct {
		vpc  string
		addr netip.Addr
	}
	type device struct {
		instance string
		index    int
	}
	addresses := map[address]string{}
	devices := map[device]string{}
	macs := map[frame.MAC]string{}
	for _, n := range s.NetworkInterfaces() {
		for _, a := range n.Addresses {
			key := address{n.VPC, a.Addr}
			if other, taken := addresses[key]; taken {
				return fmt.Errorf("address %s of %s belongs to %s and %s", a.Addr, n.VPC, other, n.ID)
			}
			addresses[key] = n.ID
		}
		if other, taken := macs[n.MAC]; taken {
			return fmt.Errorf("MAC %s belongs to %s and %s", n.MAC, other, n.ID)
		}
		macs[n.MAC] = n.ID
		if n.Attachment == nil {
			continue
		}
		key := device{n.Attachment.Instance, n.Attachment.DeviceIndex}
		if other, taken := devices[key]; taken {
			return fmt.Errorf("device index %d of %s belongs to %s and %s", key.index, key.instance, other, n.ID)
		}
		devices[key] = n.ID
	}
	return nil
}
