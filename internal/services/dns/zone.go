// Package dns answers as the DNS server of a VPC does: EC2's names of instances
// and addresses out of the committed State, and whatever else from a resolver of
// the machine's, if there is one (VPC User Guide, "DNS attributes for your VPC";
// EC2 User Guide, "EC2 instance hostnames and domains").
package dns

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"enilab/internal/control"
	"enilab/internal/dataplane/linklocal"
)

// ttl is how long an answer may be kept, in seconds, as of Amazon's.
const ttl = 60

// zone is what the names mean to one VPC.
type zone struct {
	st  *control.State
	vpc *control.VPC
}

// answer is what is known of a name.
type answer struct {
	apex  string       // the domain that it is in, "" if it is not ours
	addrs []netip.Addr // of both families
	names []string     // that the address of a PTR question has
	found bool         // the name exists, with whatever records
}

// lookup tells what a name is; it is in lower case and without the last dot.
func (z zone) lookup(name string) answer {
	if a, ok := reverseAddr(name); ok {
		return z.reverse(a)
	}
	if label, apex, region, ok := z.private(name); ok {
		return z.internal(label, apex, region)
	}
	if a, region, ok := publicAddr(name); ok {
		return z.public(a, region)
	}
	return answer{}
}

// private splits a name of EC2's private domains. region is "" where no VPC that
// can be seen from here is in the region of the domain.
func (z zone) private(name string) (label, apex, region string, ok bool) {
	for _, r := range z.regions() {
		if label, ok = under(name, control.InternalDomain(r)); ok {
			return label, control.InternalDomain(r), r, true
		}
	}
	for _, domain := range []string{"ec2.internal", "compute.internal"} {
		if label, ok = under(name, domain); ok {
			return label, domain, "", true
		}
	}
	return "", "", "", false
}

// under splits a name that is in a domain; label is "" for the domain itself.
func under(name, domain string) (label string, ok bool) {
	if name == domain {
		return "", true
	}
	return strings.CutSuffix(name, "."+domain)
}

// visible are the VPC itself and those that a peering connects with it.
func (z zone) visible() []string {
	ids := []string{z.vpc.ID}
	for _, p := range z.st.Peerings() {
		if p.State != control.PeeringActive {
			continue
		}
		switch z.vpc.ID {
		case p.Requester.VPC:
			ids = append(ids, p.Accepter.VPC)
		case p.Accepter.VPC:
			ids = append(ids, p.Requester.VPC)
		}
	}
	return ids
}

// regions are those of the visible VPCs, the own one first.
func (z zone) regions() []string {
	list := []string{z.vpc.Region}
	for _, id := range z.visible()[1:] {
		if v := z.st.VPC(id); v != nil && !slices.Contains(list, v.Region) {
			list = append(list, v.Region)
		}
	}
	return list
}

// internal is what a label in the private domain of a region stands for.
func (z zone) internal(label, apex, region string) answer {
	a := answer{apex: apex}
	switch addr, isIP := addrOf("ip-", label); {
	case label == "":
		a.found = true
	case region == "":
	case label == "instance-data":
		a.addrs, a.found = []netip.Addr{linklocal.Metadata.Addr()}, true
	case isIP:
		if n := z.holder(addr); n != nil && n.Region == region {
			a.addrs, a.found = []netip.Addr{addr}, true
		}
	default:
		a.addrs, a.found = z.resource(label, region)
	}
	return a
}

// holder is the ENI that holds a private address, as seen from the VPC.
func (z zone) holder(a netip.Addr) *control.NetworkInterface {
	for _, vpc := range z.visible() {
		if n := z.st.InterfaceByAddr(vpc, a); n != nil {
			return n
		}
	}
	return nil
}

// resource is what the id of an instance resolves to, as far as its subnet asked
// for such records at launch.
func (z zone) resource(id, region string) (addrs []netip.Addr, found bool) {
	i := z.st.Instance(id)
	if i == nil || i.Region != region || i.State == control.InstanceTerminated || !slices.Contains(z.visible(), i.VPC) {
		return nil, false
	}
	n := z.st.PrimaryInterface(id)
	if n == nil {
		return nil, false
	}
	if i.RecordA {
		addrs = append(addrs, n.PrimaryAddress())
	}
	if i.RecordAAAA && len(n.IPv6) > 0 {
		addrs = append(addrs, n.IPv6[0].Addr)
	}
	return addrs, i.RecordA || i.RecordAAAA
}

// public is what the name of a public address stands for: within the VPC that it
// leads to the private address, from elsewhere the public one.
func (z zone) public(a netip.Addr, region string) answer {
	n, private := z.st.InterfaceByPublicIP(a)
	if !z.hasPublicName(n) || n.Region != region {
		return answer{}
	}
	if n.VPC == z.vpc.ID {
		a = private
	}
	return answer{apex: control.PublicDomain(region), addrs: []netip.Addr{a}, found: true}
}

// hasPublicName reports whether the VPC of an ENI gives public addresses names.
func (z zone) hasPublicName(n *control.NetworkInterface) bool {
	if n == nil {
		return false
	}
	v := z.st.VPC(n.VPC)
	return v != nil && v.DNSHostnames && v.DNSSupport
}

// reverse is the name of an address.
func (z zone) reverse(a netip.Addr) answer {
	if n := z.holder(a); n != nil {
		return answer{apex: "in-addr.arpa", names: []string{z.nameOf(n, a)}, found: true}
	}
	if n, _ := z.st.InterfaceByPublicIP(a); z.hasPublicName(n) {
		return answer{apex: "in-addr.arpa", names: []string{control.PublicName(a, n.Region)}, found: true}
	}
	if a.IsPrivate() || a.IsLinkLocalUnicast() || z.within(a) {
		return answer{apex: "in-addr.arpa"} // nobody else's to tell
	}
	return answer{}
}

func (z zone) within(a netip.Addr) bool {
	return slices.ContainsFunc(z.vpc.CIDRs, func(c control.CIDRAssociation) bool { return c.CIDR.Contains(a) })
}

// nameOf is the name of an instance for its primary address, and else that of the
// address.
func (z zone) nameOf(n *control.NetworkInterface, a netip.Addr) string {
	if a == n.PrimaryAddress() && n.Attachment != nil && n.Attachment.Primary() {
		if i := z.st.Instance(n.Attachment.Instance); i != nil {
			return i.HostName(a)
		}
	}
	return control.PrivateName(a, n.Region)
}

// addrOf reads an address as host names have it behind a prefix. It takes no
// second way to write one.
func addrOf(prefix, label string) (netip.Addr, bool) {
	rest, ok := strings.CutPrefix(label, prefix)
	if !ok || strings.Contains(rest, ".") {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.ReplaceAll(rest, "-", "."))
	return a, err == nil && a.Is4()
}

// publicAddr reads the name of a public address of any region.
func publicAddr(name string) (a netip.Addr, region string, ok bool) {
	label, domain, _ := strings.Cut(name, ".")
	if a, ok = addrOf("ec2-", label); !ok {
		return a, "", false
	}
	region, _, _ = strings.Cut(domain, ".")
	if region == "compute-1" {
		region = "us-east-1"
	}
	return a, region, control.PublicDomain(region) == domain
}

// reverseAddr reads the name that a PTR question has for an IPv4 address.
func reverseAddr(name string) (netip.Addr, bool) {
	rest, ok := strings.CutSuffix(name, ".in-addr.arpa")
	if !ok {
		return netip.Addr{}, false
	}
	labels := strings.Split(rest, ".")
	if len(labels) != 4 {
		return netip.Addr{}, false
	}
	slices.Reverse(labels)
	a, err := netip.ParseAddr(strings.Join(labels, "."))
	return a, err == nil && a.Is4()
}

// records are those of an answer that a type of question asks for.
func (a answer) records(name string, qtype uint16) (rrs []dns.RR) {
	header := func(t uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET, Ttl: ttl}
	}
	wants := func(t uint16) bool { return qtype == t || qtype == dns.TypeANY }
	for _, addr := range a.addrs {
		switch {
		case addr.Is4() && wants(dns.TypeA):
			rrs = append(rrs, &dns.A{Hdr: header(dns.TypeA), A: net.IP(addr.AsSlice())})
		case addr.Is6() && wants(dns.TypeAAAA):
			rrs = append(rrs, &dns.AAAA{Hdr: header(dns.TypeAAAA), AAAA: net.IP(addr.AsSlice())})
		}
	}
	for _, n := range a.names {
		if wants(dns.TypePTR) {
			rrs = append(rrs, &dns.PTR{Hdr: header(dns.TypePTR), Ptr: dns.Fqdn(n)})
		}
	}
	return rrs
}

// authority is the record by which a negative answer says how long it is good for
// (RFC 2308).
func (a answer) authority(revision uint64) dns.RR {
	apex := dns.Fqdn(a.apex)
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "ns." + apex, Mbox: "hostmaster." + apex, Serial: uint32(revision),
		Refresh: 3600, Retry: 900, Expire: 604800, Minttl: ttl,
	}
}
