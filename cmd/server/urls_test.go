package main

import (
	"net"
	"slices"
	"testing"
)

func TestPrintedAddressesCanBeUsed(t *testing.T) {
	addr := func(s string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	var machine []net.Addr
	for _, s := range []string{"127.0.0.1/8", "::1/128", "fe80::1/64", "2001:db8::5/64", "172.17.0.2/16", "172.17.0.2/16"} {
		ip, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		n.IP = ip
		machine = append(machine, n)
	}
	for _, c := range []struct {
		listening, token string
		want             []string
	}{
		{"127.0.0.1:4566", "", []string{"http://127.0.0.1:4566/"}},
		{"[::1]:4566", "", []string{"http://[::1]:4566/"}},
		{"172.17.0.2:80", "t", []string{"http://172.17.0.2:80/?token=t"}},
		{"[::]:4566", "t", []string{"http://127.0.0.1:4566/?token=t", "http://172.17.0.2:4566/?token=t", "http://[2001:db8::5]:4566/?token=t"}},
		{"0.0.0.0:4566", "", []string{"http://127.0.0.1:4566/", "http://172.17.0.2:4566/", "http://[2001:db8::5]:4566/"}},
	} {
		if got := urls(addr(c.listening), c.token, machine); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.listening, got, c.want)
		}
	}
	if got := urls(addr("0.0.0.0:1"), "", nil); !slices.Equal(got, []string{"http://127.0.0.1:1/"}) {
		t.Errorf("with no address known: %q", got)
	}
}

func TestUpstreamHasAnAddressAndAPort(t *testing.T) {
	for address, ok := range map[string]bool{
		"": true, "127.0.0.53:53": true, "[::1]:5353": true, "resolver.example:53": true,
		"127.0.0.53": false, ":53": false, "127.0.0.53:": false, "127.0.0.53:0": false, "127.0.0.53:domain": false, "127.0.0.53:65536": false,
	} {
		if err := checkUpstream(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}
