package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// urls are where a listener can be reached, with the token that they need, if
// any. One on every address is at loopback first, and at the addresses that the
// machine has now, which may be nil.
func urls(listening net.Addr, token string, machine []net.Addr) (all []string) {
	hosts := []string{listening.String()}
	if t, ok := listening.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		hosts = nil
		port := strconv.Itoa(t.Port)
		for _, a := range append([]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, reachable(machine)...) {
			hosts = append(hosts, net.JoinHostPort(a.String(), port))
		}
	}
	for _, h := range hosts {
		u := "http://" + h + "/"
		if token != "" {
			u += "?token=" + token
		}
		all = append(all, u)
	}
	return all
}

// reachable are the addresses that others can reach the machine by, IPv4 first.
func reachable(machine []net.Addr) (out []netip.Addr) {
	for _, a := range machine {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if ip := p.Addr().Unmap(); ip.IsGlobalUnicast() {
			out = append(out, ip)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// checkUpstream takes the address and port of a resolver, or "".
func checkUpstream(address string) error {
	if address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || host == "" {
		return fmt.Errorf("--dns-upstream %s: want the address and port of a resolver, such as 127.0.0.53:53", address)
	}
	return nil
}
