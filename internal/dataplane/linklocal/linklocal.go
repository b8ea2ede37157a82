// Package linklocal knows where a VPC's network answers its guests itself, who
// answers there, and how much of it a guest may ask for. It has no service of
// its own: what answers sits behind dataplane.LinkLocal, above the data plane.
package linklocal

import "enilab/internal/dataplane/frame"

// Addresses that are the same in every VPC (VPC User Guide, "DNS attributes for
// your VPC"; EC2 User Guide, "Instance metadata", "Amazon Time Sync Service").
const (
	Metadata frame.IPv4 = 169<<24 | 254<<16 | 169<<8 | 254 // 169.254.169.254
	DNS      frame.IPv4 = 169<<24 | 254<<16 | 169<<8 | 253 // 169.254.169.253
	Time     frame.IPv4 = 169<<24 | 254<<16 | 169<<8 | 123 // 169.254.169.123
)

// PacketRate is how many packets a second the services take from one network
// interface (EC2 User Guide, "Amazon DNS quotas": 1,024 packets per second for
// each interface, to DNS, metadata and time together).
const PacketRate = 1024

// packetCost is the time that one packet uses up of an interface's allowance.
const packetCost = int64(1e9) / PacketRate

// Allowance is what one interface has left: a bucket of one second's packets,
// kept as the event time up to which they are paid for. The zero is full. It
// belongs to whoever owns the interface.
type Allowance struct{ paid int64 }

// Take takes one packet at now (Unix nanoseconds), if there is one left.
func (a *Allowance) Take(now int64) bool {
	paid := max(a.paid, now-PacketRate*packetCost) + packetCost
	if paid > now {
		return false
	}
	a.paid = paid
	return true
}
