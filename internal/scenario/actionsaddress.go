package scenario

import (
	"context"
	"fmt"
	"strings"

	"enilab/internal/control"
)

// associating gives an Elastic IP to a private address (AssociateAddress).
type associating struct {
	ElasticIP          string `yaml:"elasticIp"`
	NetworkInterface   string `yaml:"networkInterface"`
	IP                 string `yaml:"ip"` // "": the primary one
	AllowReassociation bool   `yaml:"allowReassociation"`
}

func (a *associating) String() string {
	return fmt.Sprintf("associate %s with %s", a.ElasticIP, a.NetworkInterface)
}

func (a *associating) check(c *checker, at string) {
	c.ref(at+".elasticIp", "Elastic IP", a.ElasticIP, c.names.addresses)
	c.interfaceRef(at+".networkInterface", a.NetworkInterface)
	if a.IP != "" {
		c.address(at+".ip", a.IP)
	}
}

func (a *associating) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "AssociateAddress", func(ctx context.Context) error {
		_, err := r.Service.Associate(ctx, control.AssociateAddressInput{
			Allocation: r.loaded.Addresses[a.ElasticIP], Interface: r.loaded.Interfaces[a.NetworkInterface], PrivateIP: a.IP,
			AllowReassociation: a.AllowReassociation, NeedsGateway: true,
		})
		return err
	})
}

// disassociating takes an Elastic IP, by name, from its private address
// (DisassociateAddress).
type disassociating string

func (d *disassociating) String() string { return "disassociate " + string(*d) }

func (d *disassociating) check(c *checker, at string) {
	c.ref(at, "Elastic IP", string(*d), c.names.addresses)
}

func (d *disassociating) do(ctx context.Context, r *Session) error {
	a := r.Service.State().Address(r.loaded.Addresses[string(*d)])
	if a == nil || a.AssociationID == "" {
		return fmt.Errorf("%s is associated with nothing", *d)
	}
	return r.call(ctx, "DisassociateAddress", func(ctx context.Context) error {
		return r.Service.DisassociateAddress(ctx, a.AssociationID)
	})
}

// assigning gives secondary private addresses to a network interface
// (AssignPrivateIpAddresses).
type assigning struct {
	NetworkInterface  string   `yaml:"networkInterface"`
	IPs               []string `yaml:"ips"`
	AllowReassignment bool     `yaml:"allowReassignment"`
	Announce          *bool    `yaml:"announce"` // nil: as the server says
}

func (a *assigning) String() string {
	return fmt.Sprintf("assign %s to %s", strings.Join(a.IPs, ", "), a.NetworkInterface)
}

func (a *assigning) check(c *checker, at string) {
	c.interfaceRef(at+".networkInterface", a.NetworkInterface)
	c.ips(at, a.IPs)
}

// ips checks a list of private addresses.
func (c *checker) ips(at string, ips []string) {
	if len(ips) == 0 {
		c.fail(at, "want ips, a list of at least one address")
	}
	for k, ip := range ips {
		c.address(fmt.Sprintf("%s.ips[%d]", at, k), ip)
	}
}

func (a *assigning) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "AssignPrivateIpAddresses", func(ctx context.Context) error {
		_, _, err := r.Service.AssignAddresses(ctx, control.AssignAddressesInput{
			ID: r.loaded.Interfaces[a.NetworkInterface], IPs: a.IPs, AllowReassignment: a.AllowReassignment, Announce: a.Announce,
		})
		return err
	})
}

// unassigning takes secondary private addresses away (UnassignPrivateIpAddresses).
type unassigning struct {
	NetworkInterface string   `yaml:"networkInterface"`
	IPs              []string `yaml:"ips"`
}

func (u *unassigning) String() string {
	return fmt.Sprintf("unassign %s from %s", strings.Join(u.IPs, ", "), u.NetworkInterface)
}

func (u *unassigning) check(c *checker, at string) {
	c.interfaceRef(at+".networkInterface", u.NetworkInterface)
	c.ips(at, u.IPs)
}

func (u *unassigning) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "UnassignPrivateIpAddresses", func(ctx context.Context) error {
		_, err := r.Service.UnassignAddresses(ctx, r.loaded.Interfaces[u.NetworkInterface], u.IPs)
		return err
	})
}

// checkingSourceDest switches the source/destination check of a network interface
// (ModifyNetworkInterfaceAttribute).
type checkingSourceDest struct {
	NetworkInterface string `yaml:"networkInterface"`
	Enabled          *bool  `yaml:"enabled"`
}

func (s *checkingSourceDest) String() string {
	if s.Enabled != nil && *s.Enabled {
		return "source/destination check of " + s.NetworkInterface + " on"
	}
	return "source/destination check of " + s.NetworkInterface + " off"
}

func (s *checkingSourceDest) check(c *checker, at string) {
	c.interfaceRef(at+".networkInterface", s.NetworkInterface)
	if s.Enabled == nil {
		c.fail(at, "want enabled, true or false")
	}
}

func (s *checkingSourceDest) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "ModifyNetworkInterfaceAttribute", func(ctx context.Context) error {
		_, err := r.Service.ModifyInterface(ctx, control.ModifyInterfaceInput{
			ID: r.loaded.Interfaces[s.NetworkInterface], SourceDestCheck: s.Enabled,
		})
		return err
	})
}
