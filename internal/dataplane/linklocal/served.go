package linklocal

import "enilab/internal/dataplane/frame"

// Names of the services of a network.
const (
	NameDHCP     = "DHCP"
	NameDNS      = "DNS"
	NameTime     = "time"
	NameMetadata = "metadata"
)

// Served is where the services of a network answer, each once: what serves them
// registers there, and what predicts asks there.
func Served() map[string][]Endpoint {
	const (
		dhcpServer = 67  // RFC 2131, section 4.1
		dnsServer  = 53  // RFC 1035, section 4.2
		ntpServer  = 123 // RFC 5905, section 7.2
	)
	return map[string][]Endpoint{
		NameDHCP: {{Place: Router, Proto: frame.ProtoUDP, Port: dhcpServer}},
		NameDNS: {
			{Place: Fixed, Addr: DNS, Proto: frame.ProtoUDP, Port: dnsServer}, {Place: Fixed, Addr: DNS, Proto: frame.ProtoTCP, Port: dnsServer},
			{Place: Resolver, Proto: frame.ProtoUDP, Port: dnsServer}, {Place: Resolver, Proto: frame.ProtoTCP, Port: dnsServer},
		},
		NameTime: {{Place: Fixed, Addr: Time, Proto: frame.ProtoUDP, Port: ntpServer}},
		// Any port: others than HTTP's are refused by RST.
		NameMetadata: {{Place: Fixed, Addr: Metadata, Proto: frame.ProtoTCP}},
	}
}

// ByName is a Registry of Served, by the services' names.
func ByName() *Registry[string] {
	var r *Registry[string]
	for name, at := range Served() {
		r, _ = r.With(name, at...)
	}
	return r
}
