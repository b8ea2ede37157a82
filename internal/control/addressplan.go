package control

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
)

// Limits of what the roomiest instance types take on one ENI. An ENI with more
// could never be attached to anything.
var (
	mostAddresses = sync.OnceValue(func() int {
		return mostOf(func(t InstanceType) int { return t.AddressesPerInterface })
	})
	mostIPv6 = sync.OnceValue(func() int {
		return mostOf(func(t InstanceType) int { return t.IPv6PerInterface })
	})
)

func mostOf(of func(InstanceType) int) int {
	most := 0
	for _, t := range instanceTypes() {
		most = max(most, of(t))
	}
	return most
}

// takes tells why a type cannot take an ENI with what it has.
func (t *InstanceType) takes(n *NetworkInterface) error {
	switch {
	case len(n.Addresses)+len(n.Prefixes) > t.AddressesPerInterface:
		return errAddressLimit()
	case len(n.IPv6)+len(n.IPv6Prefixes) > t.IPv6PerInterface:
		return errIPv6Limit()
	case len(n.Prefixes)+len(n.IPv6Prefixes) > 0 && !t.Nitro():
		return errNitroOnly(t.Name)
	case n.efa() && !t.EFA:
		return refuse(codeUnsupported, "instanceType", "Interfaces of type %s are not supported on %s.", n.Type, t.Name) // unverified: code and text
	}
	return nil
}

// carries tells why a type's network cards cannot take so many ENIs each.
func (t *InstanceType) carries(onCard map[int]int) error {
	for _, card := range slices.Sorted(maps.Keys(onCard)) {
		if card < 0 || card >= len(t.Cards) {
			return errNoCard(t, card)
		}
		if onCard[card] > t.Cards[card] {
			return refuse("AttachmentLimitExceeded", "networkInterface", "Interface count %d exceeds the limit for %s", onCard[card], t.Name)
		}
	}
	return nil
}

func errNoCard(t *InstanceType, card int) error {
	return invalid("networkCardIndex", // unverified: text
		"Value (%d) for parameter networkCardIndex is invalid. The network cards of %s are 0 to %d.", card, t.Name, len(t.Cards)-1)
}

func errNitroOnly(typ string) error {
	return refuse(codeUnsupported, "instanceType", "Prefixes are supported on instances built on the Nitro System only, which %s is not.", typ) // unverified: code and text
}

// check refuses numbers and combinations that no ENI can have.
func (in *CreateInterfaceInput) check() error {
	v4 := one(len(in.SecondaryIPs) > 0) + one(in.SecondaryCount != 0) + one(len(in.Prefixes) > 0) + one(in.PrefixCount != 0)
	count6 := 0
	if in.IPv6Count != nil {
		count6 = *in.IPv6Count
	}
	switch {
	case len(in.SecondaryIPs) > 0 && in.SecondaryCount != 0:
		return refuse(codeCombination, "secondaryPrivateIpAddressCount", // unverified: the text
			"You may specify secondary addresses or their count, but not both.")
	case v4 > 1:
		return errOneOfFour()
	case len(in.IPv6) > 0 && count6 != 0:
		return refuse(codeCombination, "ipv6AddressCount", "You may specify IPv6 addresses or their count, but not both.") // unverified: the text
	case len(in.IPv6Prefixes) > 0 && in.IPv6PrefixCount != 0:
		return refuse(codeCombination, "ipv6PrefixCount", "You may specify IPv6 prefixes or their count, but not both.") // unverified: the text
	}
	for _, c := range []struct {
		name  string
		count int
	}{
		{"secondaryPrivateIpAddressCount", in.SecondaryCount}, {"ipv4PrefixCount", in.PrefixCount},
		{"ipv6AddressCount", count6}, {"ipv6PrefixCount", in.IPv6PrefixCount},
	} {
		if c.count < 0 {
			return errNegative(c.name, c.count)
		}
	}
	if most := mostAddresses() - 1; len(in.SecondaryIPs) > most || in.SecondaryCount > most || len(in.Prefixes) > most || in.PrefixCount > most {
		return errAddressLimit()
	}
	if most := mostIPv6(); len(in.IPv6) > most || count6 > most || len(in.IPv6Prefixes) > most || in.IPv6PrefixCount > most {
		return errIPv6Limit()
	}
	switch in.Type {
	case "", TypeInterface, TypeEFA, TypeEFAOnly, TypeTrunk, TypeBranch:
	default:
		return invalid("interfaceType", "Value (%s) for parameter interfaceType is invalid. It must be %s, %s, %s, %s or %s.", // unverified: the text
			in.Type, TypeInterface, TypeEFA, TypeEFAOnly, TypeTrunk, TypeBranch)
	}
	if err := in.Tracking.check(); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return checkDescription(in.Description)
}

func errNegative(parameter string, count int) error {
	return invalid(parameter, "Value (%d) for parameter %s is invalid.", count, parameter)
}

func errOneOfFour() error {
	return refuse(codeCombination, "privateIpAddresses",
		"You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them.") // unverified: the text
}

// check refuses timeouts outside the ranges of EC2's
// ConnectionTrackingSpecificationRequest.
func (c ConnectionTracking) check() error {
	for _, f := range []struct {
		name            string
		given, min, max int
	}{
		{"tcpEstablishedTimeout", int(c.TCPEstablished.Seconds()), 60, 432_000},
		{"udpStreamTimeout", int(c.UDPStream.Seconds()), 60, 180},
		{"udpTimeout", int(c.UDP.Seconds()), 30, 60},
	} {
		if f.given != 0 && (f.given < f.min || f.given > f.max) {
			return invalid(f.name, "Value (%d) for parameter %s is invalid. It must be between %d and %d seconds.", f.given, f.name, f.min, f.max) // unverified: the text
		}
	}
	return nil
}

// taken are addresses that one request has chosen already.
type taken map[netip.Addr]bool

// choose gives n the addresses that in asks for, of the subnet's free ones.
// Chance chooses last, so that it cannot hit what the same request names.
// Launching names addresses in its refusals, other calls do not.
func (t *tx) choose(n *NetworkInterface, sub *Subnet, in *CreateInterfaceInput, launch bool) error {
	had := make(taken)
	wanted := append(append([]string{in.PrivateIP}, in.SecondaryIPs...), make([]string, in.SecondaryCount)...)
	n.Addresses = make([]PrivateAddress, len(wanted))
	n.Addresses[0].Primary = true
	for k, want := range wanted {
		if want == "" {
			continue
		}
		a, err := t.namedAddress(sub, want, launch)
		if err != nil {
			return err
		}
		if had[a] {
			return invalid("privateIpAddresses", "Address %s is given more than once.", a) // unverified: the text
		}
		had[a], n.Addresses[k].Addr = true, a
	}
	var err error
	if n.Prefixes, err = t.namedPrefixes(sub, in.Prefixes, had); err != nil {
		return err
	}
	for k, want := range wanted {
		if want != "" {
			continue
		}
		a, err := t.pickAddress(sub, had)
		if err != nil {
			return err
		}
		had[a], n.Addresses[k].Addr = true, a
	}
	for range in.PrefixCount {
		p, err := t.pickPrefix(sub, had)
		if err != nil {
			return err
		}
		n.Prefixes = append(n.Prefixes, p)
	}
	return t.chooseIPv6(n, sub, in)
}

// namedAddress is a private address that a request names, if the subnet has it
// to give.
func (t *tx) namedAddress(sub *Subnet, want string, launch bool) (netip.Addr, error) {
	a, err := parseAddress(want, sub, launch)
	if err != nil {
		return a, err
	}
	if t.holder(sub.VPC, a) != nil {
		if launch {
			return a, refuse(codeAddressInUse, "privateIpAddress", "Address %s is in use.", a)
		}
		return a, refuse(codeAddressInUse, "privateIpAddress", "The specified address is already in use.")
	}
	return a, nil
}

// efa reports whether an ENI is an Elastic Fabric Adapter.
func (n *NetworkInterface) efa() bool { return n.Type == TypeEFA || n.Type == TypeEFAOnly }

// holds reports whether a private address is one of an ENI's, or in one of its
// prefixes.
func holds(n *NetworkInterface, a netip.Addr) bool {
	return slices.ContainsFunc(n.Addresses, func(p PrivateAddress) bool { return p.Addr == a }) ||
		slices.ContainsFunc(n.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}
