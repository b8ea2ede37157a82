package imds

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// HttpEndpoint, HttpTokens and HttpPutResponseHopLimit are asked for at every
// request.
func TestMetadataOptions(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("")
	hops := func() int {
		return New(l, Options{}).Answer(Request{
			Instance: one, Method: http.MethodPut, Path: "latest/api/token",
			Header: http.Header{http.CanonicalHeaderKey(headerTokenTTL): {"60"}}.Values,
		}).HopLimit
	}
	status := func(method string) int {
		path := map[string]string{"GET": "/latest/meta-data/", "PUT": "/latest/api/token"}[method]
		return l.do(method, "/imds/"+one+path, headerTokenTTL, "60").status
	}
	if n := hops(); n != 1 {
		t.Errorf("the hop limit is %d, want EC2's default of 1", n)
	}
	for _, n := range []int{1, 2, 64} {
		l.options(one, func(m *control.MetadataOptions) { m.HopLimit = n })
		if got := hops(); got != n {
			t.Errorf("the hop limit is %d, want %d", got, n)
		}
	}
	get := New(l, Options{}).Answer(Request{Instance: one, Method: http.MethodGet, Path: "latest", Header: http.Header{}.Values})
	if get.HopLimit != 0 || get.Status != http.StatusOK {
		t.Errorf("a GET is answered with %d and hop limit %d, want the usual one", get.Status, get.HopLimit)
	}
	for _, c := range []struct {
		endpoint, tokens string
		get, put         int
	}{
		{"", "", 200, 200},
		{"enabled", "optional", 200, 200},
		{"enabled", "required", 401, 200},
		{"disabled", "optional", 403, 403},
		{"disabled", "required", 403, 403},
	} {
		l.options(one, func(m *control.MetadataOptions) { m.HTTPEndpoint, m.HTTPTokens = c.endpoint, c.tokens })
		if get, put := status("GET"), status("PUT"); get != c.get || put != c.put {
			t.Errorf("endpoint %q, tokens %q: GET %d, PUT %d; want %d, %d", c.endpoint, c.tokens, get, put, c.get, c.put)
		}
	}
}

// What a launch sets shows in the tree.
func TestLaunchSettings(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("192.168.0.21")
	const script = "#!/bin/sh\necho \x00\xff hi\n"
	alter(l, control.TableInstance, one, func(i *control.Instance) {
		i.ImageID, i.ReservationID, i.LaunchIndex, i.KeyName, i.Monitoring = "ami-0abcdef1234567890", "r-0123456789abcdef0", 3, "ops", true
		i.PublicKey = "ssh-ed25519 AAAA"
		i.UserData = base64.StdEncoding.EncodeToString([]byte(script))
		i.HostnameType = "resource-name"
		i.Tags = control.Tags{"Name": "web", "a:b": "two\nlines", "with/slash": "x", "with space": "x"}
	})
	for path, want := range map[string]string{
		"meta-data/ami-id":                    "ami-0abcdef1234567890",
		"meta-data/ami-launch-index":          "3",
		"meta-data/reservation-id":            "r-0123456789abcdef0",
		"meta-data/hostname":                  one + ".ec2.internal",
		"meta-data/local-hostname":            one + ".ec2.internal",
		"meta-data/public-keys/":              "0=ops",
		"meta-data/public-keys/0":             "openssh-key", // though there is no such key pair any more
		"meta-data/public-keys/0/openssh-key": "ssh-ed25519 AAAA",
		"meta-data/tags/instance/":            "", // not unless the options say so
		"user-data":                           script,
		"dynamic/fws/instance-monitoring":     "enabled",
		"meta-data/iam/":                      "",
		"meta-data/iam/info":                  "",
		"meta-data/identity-credentials/":     "",
		"meta-data/spot/instance-action":      "",
		"meta-data/public-hostname":           "",
		"dynamic/instance-identity/pkcs7":     "",
		"meta-data/placement/host-id":         "",
		"meta-data/network/interfaces/":       "macs/",
		"meta-data/public-keys/0=ops":         "",
		"meta-data/block-device-mapping//":    "ami\nroot",
	} {
		if got := l.get(one, path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if a := l.do("GET", "/imds/"+one+"/latest/user-data"); a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("user data is of type %q", a.header.Get("Content-Type"))
	}
	if got := l.get(one, ""); got != "dynamic\nmeta-data\nuser-data" {
		t.Errorf("the root lists %q", got)
	}
	if got := l.get(one, "dynamic/instance-identity/document"); !strings.Contains(got, `"imageId": "ami-0abcdef1234567890"`) {
		t.Errorf("the identity document is %s", got)
	}
	alter(l, control.TableInstance, one, func(i *control.Instance) { i.HostID = "h-0123456789abcdef0" })
	if got := l.get(one, "meta-data/placement/") + " " + l.get(one, "meta-data/placement/host-id"); got != "availability-zone\navailability-zone-id\nhost-id\nregion h-0123456789abcdef0" {
		t.Errorf("on a Dedicated Host the placement is %q", got)
	}
	l.options(one, func(m *control.MetadataOptions) { m.InstanceMetadataTags = "enabled" })
	for path, want := range map[string]string{
		"meta-data/tags/": "instance/", "meta-data/tags/instance/": "Name\na:b",
		"meta-data/tags/instance/Name": "web", "meta-data/tags/instance/a:b": "two\nlines",
		"meta-data/tags/instance/a%3Ab": "two\nlines", "meta-data/tags/instance/with/slash": "",
	} {
		if got := l.get(one, path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

// Undecodable user data, which no API takes, is none.
func TestBadUserDataIsNone(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("")
	for _, data := range []string{"", "*", "AAA"} {
		alter(l, control.TableInstance, one, func(i *control.Instance) { i.UserData = data })
		if a := l.do("GET", "/imds/"+one+"/latest/user-data"); a.status != 404 {
			t.Errorf("%q: %d, want 404", data, a.status)
		}
	}
}

// The whole tree of an interface, with what the VPC and its subnet have.
func TestInterfaceSettings(t *testing.T) {
	for _, c := range []struct{ region, publicHost, publicSecond string }{
		{"us-east-1", "ec2-203-0-113-25.compute-1.amazonaws.com", "ec2-203-0-113-26.compute-1.amazonaws.com"},
		{"eu-central-1", "ec2-203-0-113-25.eu-central-1.compute.amazonaws.com", "ec2-203-0-113-26.eu-central-1.compute.amazonaws.com"},
		{"cn-north-1", "ec2-203-0-113-25.cn-north-1.compute.amazonaws.com.cn", ""},
	} {
		l := newLab(t, c.region)
		one := l.run("192.168.0.21")
		n := l.State().InterfacesOf(one)[0]
		prefix := netip.MustParsePrefix
		alter(l, control.TableNetworkInterface, n.ID, func(n *control.NetworkInterface) {
			n.Addresses = append(n.Addresses[:1:1], control.PrivateAddress{Addr: netip.MustParseAddr("192.168.0.22")})
			n.PublicIP = netip.MustParseAddr("203.0.113.25")
			n.IPv6 = []control.IPv6Address{{Addr: netip.MustParseAddr("2001:db8:0:1::a")}, {Addr: netip.MustParseAddr("2001:db8:0:1::b")}}
			n.Prefixes = []netip.Prefix{prefix("192.168.0.64/28"), prefix("192.168.0.80/28")}
			n.IPv6Prefixes = []netip.Prefix{prefix("2001:db8:0:1:8000::/80")}
		})
		alter(l, control.TableVPC, l.vpc.ID, func(v *control.VPC) {
			v.CIDRs = []control.CIDRAssociation{{CIDR: v.CIDR}, {CIDR: prefix("100.64.0.0/16")}}
			v.IPv6CIDRs = []control.CIDRAssociation{{CIDR: prefix("2001:db8::/56")}}
		})
		alter(l, control.TableSubnet, l.subnet.ID, func(s *control.Subnet) {
			s.IPv6CIDRs = []control.CIDRAssociation{{CIDR: prefix("2001:db8:0:1::/64")}}
		})
		mac := "meta-data/network/interfaces/macs/" + n.MAC.String() + "/"
		for path, want := range map[string]string{
			"meta-data/ipv6":                            "2001:db8:0:1::a",
			"meta-data/public-ipv4":                     "203.0.113.25",
			mac + "ipv4-associations/" + "203.0.113.25": "192.168.0.21",
			mac + "ipv4-prefix":                         "192.168.0.64/28\n192.168.0.80/28",
			mac + "ipv6-prefix":                         "2001:db8:0:1:8000::/80",
			mac + "ipv6s":                               "2001:db8:0:1::a\n2001:db8:0:1::b",
			mac + "local-ipv4s":                         "192.168.0.21\n192.168.0.22",
			mac + "public-ipv4s":                        "203.0.113.25",
			mac + "public-hostname":                     "", // enableDnsHostnames is off
			mac + "subnet-ipv6-cidr-blocks":             "2001:db8:0:1::/64",
			mac + "vpc-ipv4-cidr-block":                 "192.168.0.0/16",
			mac + "vpc-ipv4-cidr-blocks":                "192.168.0.0/16\n100.64.0.0/16",
			mac + "vpc-ipv6-cidr-blocks":                "2001:db8::/56",
			mac: "device-number\ninterface-id\nipv4-associations/\nipv4-prefix\nipv6-prefix\nipv6s\nlocal-hostname\nlocal-ipv4s\n" +
				"mac\nnetwork-card\nowner-id\npublic-ipv4s\nsecurity-group-ids\nsecurity-groups\nsubnet-id\n" +
				"subnet-ipv4-cidr-block\nsubnet-ipv6-cidr-blocks\nvpc-id\nvpc-ipv4-cidr-block\nvpc-ipv4-cidr-blocks\nvpc-ipv6-cidr-blocks",
		} {
			if got := l.get(one, path); got != want {
				t.Errorf("%s: %s is %q, want %q", c.region, path, got, want)
			}
		}
		alter(l, control.TableVPC, l.vpc.ID, func(v *control.VPC) { v.DNSHostnames = true })
		for _, path := range []string{"meta-data/public-hostname", mac + "public-hostname"} {
			if got := l.get(one, path); got != c.publicHost {
				t.Errorf("%s is %q, want %q", path, got, c.publicHost)
			}
		}
	}
}

// Interfaces are listed by network card, then by device index; index 0 of
// another card is no primary interface.
func TestNetworkCards(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("192.168.0.21")
	eth0, eth1 := l.State().InterfacesOf(one)[0], l.eni(one, "192.168.0.42")
	alter(l, control.TableNetworkInterface, eth0.ID, func(n *control.NetworkInterface) {
		a := *n.Attachment
		a.DeviceIndex = 5
		n.Attachment = &a
	})
	alter(l, control.TableNetworkInterface, eth1.ID, func(n *control.NetworkInterface) {
		a := *n.Attachment
		a.NetworkCard = 1
		n.Attachment = &a
	})
	if got, want := l.get(one, "meta-data/network/interfaces/macs"), eth0.MAC.String()+"/\n"+eth1.MAC.String()+"/"; got != want {
		t.Errorf("the interfaces are %q, want %q", got, want)
	}
	if got := l.get(one, "meta-data/network/interfaces/macs/"+eth1.MAC.String()+"/network-card"); got != "1" {
		t.Errorf("the card of eth1 is %q", got)
	}
	if got := l.get(one, "meta-data/mac"); got != "" {
		t.Errorf("the instance's MAC is %q without a primary interface", got)
	}
}

// What is told lags behind; whether anything is told does not.
func TestLag(t *testing.T) {
	l := newLab(t, "us-east-1")
	one, two := l.run("192.168.0.21"), l.run("192.168.0.22")
	n := l.eni(one, "192.168.0.42")
	must(l.SetMetadataLag(t.Context(), one, time.Hour))(t)
	must(l.Move(t.Context(), control.MoveInput{Interface: n.ID, Instance: two, DeviceIndex: 1, Force: true}))(t)
	path := "meta-data/network/interfaces/macs/" + n.MAC.String() + "/interface-id"
	for _, id := range []string{one, two} { // the API knows one owner, metadata two
		if got := l.get(id, path); got != n.ID {
			t.Errorf("%s knows %q, want %s", id, got, n.ID)
		}
	}
	must(l.SetMetadataLag(t.Context(), one, 0))(t)
	if got := l.get(one, path); got != "" {
		t.Errorf("without lag %s still knows %s", one, got)
	}
	must(l.SetMetadataLag(t.Context(), one, time.Hour))(t)
	must(l.StopInstance(t.Context(), one, false))(t)
	if a := l.do("GET", "/imds/"+one+"/latest/"); a.status != 404 {
		t.Errorf("a stopped instance is answered %d, want 404 at once", a.status)
	}
}
