package predict

import (
	"enilab/internal/dataplane/verdict"
)

// maxGuests bounds how many guests send a packet on, one after the other.
const maxGuests = 8

// passes reports whether the guest behind v is taken to send on what is not for it:
// it has its interface without source/destination check for that (VPC User Guide,
// "Middlebox routing").
func (w *walk) passes(v *vnic) bool {
	return w.n.Appliances && v.spec.NAT == nil && !v.check && !v.net.vpc.internet && v.fate == verdict.Delivered && !w.ownedBy(v)
}

// ownedBy reports whether the packet is for v's guest: by any of its interfaces.
func (w *walk) ownedBy(v *vnic) bool {
	if v.owns(w.f.DstIP) {
		return true
	}
	for _, a := range v.spec.Overlay {
		if a == w.f.DstIP.Addr() {
			return true
		}
	}
	for _, id := range w.n.src.VNICsOf(v.spec.Host) {
		if o := w.n.vnic(id); o != nil && o.owns(w.f.DstIP) {
			return true
		}
	}
	return false
}

// onward is the interface by which the guest behind v sends the packet on: one in
// whose subnet the destination is, else its first.
func (w *walk) onward(v *vnic) *vnic {
	first := v
	for i, id := range w.n.src.VNICsOf(v.spec.Host) {
		o := w.n.vnic(id)
		if o == nil {
			continue
		}
		if o.net.spec.CIDR.Contains(w.f.DstIP.Addr()) {
			return o
		}
		if i == 0 {
			first = o
		}
	}
	return first
}

// appliance has the guest behind v send the packet on as it came. Its groups are
// asked as of anybody who sends; what a rule says of a group no longer means the
// packet's first sender.
func (w *walk) appliance(v *vnic) *vnic {
	by := w.onward(v)
	w.sender = by
	w.address(by)
	w.path.Guests++
	return by
}
