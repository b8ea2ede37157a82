package control

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// InternetHost is a machine on the modelled internet: what VPCs see beyond their
// internet gateways. It has one public address, no security groups, and belongs to
// no region and no account.
type InternetHost struct {
	ID      string // "inet-" and 8 digits
	Name    string // unique but for case, and one that DNS can serve
	Address netip.Addr
	// Fault is the injected failure. FaultStop is a loss of power.
	Fault     Fault
	FaultAt   time.Time
	Boot      uint64 // counts starts
	Workloads []spec.Workload
	Serve     []spec.ServedPort // beside what every guest serves
	CreatedAt time.Time
}

// Identity implements Row.
func (h *InternetHost) Identity() Identity { return Identity{h.ID, "", "", h.CreatedAt} }

// maxInternetHosts bounds what one laptop can be asked for.
const maxInternetHosts = 1000

// CreateInternetHostInput says what an internet host is to be.
type CreateInternetHostInput struct {
	Name      string
	Address   string // public, IPv4
	Workloads []spec.Workload
	Serve     []spec.ServedPort
}

// CreateInternetHost puts a host on the modelled internet. It runs when the call
// returns.
func (s *Service) CreateInternetHost(ctx context.Context, in CreateInternetHostInput) (*InternetHost, error) {
	return result(ctx, s, func(t *tx) (*InternetHost, error) { return t.createInternetHost(in) })
}

// DeleteInternetHost takes a host off the modelled internet.
func (s *Service) DeleteInternetHost(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteInternetHost(id) })
}

// SetInternetWorkloads replaces what runs in an internet host.
func (s *Service) SetInternetWorkloads(ctx context.Context, id string, ws []spec.Workload) (*InternetHost, error) {
	return result(ctx, s, func(t *tx) (*InternetHost, error) { return t.setInternetWorkloads(id, ws) })
}

// SetInternetServe replaces the ports that an internet host serves beside those
// that every one does.
func (s *Service) SetInternetServe(ctx context.Context, id string, ps []spec.ServedPort) (*InternetHost, error) {
	return result(ctx, s, func(t *tx) (*InternetHost, error) { return t.setInternetServe(id, ps) })
}

// FailInternetHost injects a fault in place of the one that there is.
func (s *Service) FailInternetHost(ctx context.Context, id string, f Fault) (*InternetHost, error) {
	return result(ctx, s, func(t *tx) (*InternetHost, error) { return t.failInternetHost(id, f) })
}

// RecoverInternetHost ends the injected fault. A host that had lost its power
// boots anew.
func (s *Service) RecoverInternetHost(ctx context.Context, id string) (*InternetHost, error) {
	return result(ctx, s, func(t *tx) (*InternetHost, error) { return t.recoverInternetHost(id) })
}

// InternetHost returns one host of the modelled internet.
func (s *State) InternetHost(id string) *InternetHost {
	return seek[InternetHost](s, TableInternetHost, byID, id)
}

// InternetHosts returns every host of the modelled internet.
func (s *State) InternetHosts() []*InternetHost {
	return all[*InternetHost](s, TableInternetHost, byCreation)
}

func (t *tx) internetHost(id string) (*InternetHost, error) {
	return find[InternetHost](t, InternetHostID, TableInternetHost, byID, "internetHostId", id)
}

// notPublic are the blocks that nobody on the internet has, and why (RFC 6890 and
// its registry; RFC 1918, RFC 6598).
var notPublic = []struct {
	block netip.Prefix
	what  string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "of this network only"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by carriers (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved for protocols"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
}

// internetAddress reads the address of an internet host that is to be.
func (t *tx) internetAddress(s string) (netip.Addr, error) {
	const want = "Give a public IPv4 address that nobody has, such as 192.0.2.10."
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return a, invalid("address", "Value (%.100s) for parameter address is invalid. %s", s, want)
	}
	for _, n := range notPublic {
		if n.block.Contains(a) {
			return a, invalid("address", "The address %s is %s (%s). %s", a, n.what, n.block, want)
		}
	}
	if h := get[*InternetHost](t, TableInternetHost, byPublicIP, a); h != nil {
		return a, invalid("address", "The address %s belongs to the internet host %s. %s", a, h.Name, want)
	}
	if e := get[*Address](t, TableAddress, byPublicIP, a); e != nil {
		return a, invalid("address", "The address %s is the Elastic IP %s. %s", a, e.AllocationID, want)
	}
	if n := get[*NetworkInterface](t, TableNetworkInterface, byPublicIP, a); n != nil {
		return a, invalid("address", "The address %s is the public address of %s. %s", a, n.ID, want)
	}
	return a, nil
}

// checkHostName refuses what DNS in the network could not serve as a name, in text
// and on the wire (RFC 1035, section 2.3.4: 63 bytes a label, 255 a name, of which
// 253 can be written; section 2.3.1, with digits first by RFC 1123 and underscores).
func checkHostName(name string) error {
	const (
		maxName, maxLabel = 253, 63
		want              = "An internet host's name is one for DNS, such as updates.example.com: 1 to 253 characters, " +
			"parts of 1 to 63 letters, digits, hyphens and underscores, with a dot between them."
	)
	if len(name) > maxName {
		return invalid("name", "The name of %d characters is too long. %s", len(name), want)
	}
	for part := range strings.SplitSeq(name, ".") {
		switch bad := strings.IndexFunc(part, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}); {
		case part == "":
			return invalid("name", "The name %q has an empty part. %s", name, want)
		case len(part) > maxLabel:
			return invalid("name", "The part of %d characters in the name %q is too long. %s", len(part), name, want)
		case bad >= 0:
			return invalid("name", "The part %q of the name %q has a character that is none of these. %s", part, name, want)
		}
	}
	return nil
}

func (t *tx) createInternetHost(in CreateInternetHostInput) (*InternetHost, error) {
	if err := checkHostName(in.Name); err != nil {
		return nil, err
	}
	hosts := list[*InternetHost](t, TableInternetHost, byCreation)
	if slices.ContainsFunc(hosts, func(h *InternetHost) bool { return strings.EqualFold(h.Name, in.Name) }) {
		return nil, invalid("name", "There is an internet host with the name '%s' already.", in.Name)
	}
	if len(hosts) >= maxInternetHosts {
		return nil, refuse("InternetHostLimitExceeded", "", "The maximum number of internet hosts (%d) has been reached.", maxInternetHosts)
	}
	address, err := t.internetAddress(in.Address)
	if err != nil {
		return nil, err
	}
	workloads, err := checkWorkloads(in.Workloads)
	if err != nil {
		return nil, err
	}
	serve, err := checkServe(in.Serve)
	if err != nil {
		return nil, err
	}
	id, err := t.mintShort(InternetHostID.Prefix, func(id string) bool { return exists(t, TableInternetHost, byID, id) })
	if err != nil {
		return nil, err
	}
	h := &InternetHost{ID: id, Name: in.Name, Address: address, Boot: 1, Workloads: workloads, Serve: serve, CreatedAt: t.now}
	t.put(TableInternetHost, h)
	t.emit("internet-host.created", id, "name", h.Name, "address", address.String())
	return h, nil
}

func (t *tx) deleteInternetHost(id string) error {
	h, err := t.internetHost(id)
	if err != nil {
		return err
	}
	t.loseProber(h.ID, "internet host")
	t.remove(TableInternetHost, h)
	t.emit("internet-host.deleted", h.ID, "name", h.Name, "address", h.Address.String())
	return nil
}

func (t *tx) setInternetWorkloads(id string, ws []spec.Workload) (*InternetHost, error) {
	h, err := t.internetHost(id)
	if err != nil {
		return nil, err
	}
	if ws, err = checkWorkloads(ws); err != nil {
		return nil, err
	}
	if slices.Equal(ws, h.Workloads) {
		return h, nil
	}
	c := *h
	c.Workloads = ws
	t.put(TableInternetHost, &c)
	t.emit("internet-host.workloads-changed", c.ID)
	return &c, nil
}

func (t *tx) setInternetServe(id string, ps []spec.ServedPort) (*InternetHost, error) {
	h, err := t.internetHost(id)
	if err != nil {
		return nil, err
	}
	if ps, err = checkServe(ps); err != nil {
		return nil, err
	}
	if slices.Equal(ps, h.Serve) {
		return h, nil
	}
	c := *h
	c.Serve = ps
	t.put(TableInternetHost, &c)
	t.emit("internet-host.served-ports-changed", c.ID)
	return &c, nil
}

func (t *tx) failInternetHost(id string, f Fault) (*InternetHost, error) {
	h, err := t.internetHost(id)
	if err != nil {
		return nil, err
	}
	switch f {
	case FaultFreeze, FaultLink, FaultStop:
	default:
		return nil, invalid("fault", "Value (%s) for parameter fault is invalid. Faults are freeze, link and stop.", f)
	}
	if h.Fault == f {
		return h, nil
	}
	c := *h
	if c.Fault == FaultStop {
		c.Boot++ // it comes up with the new fault
	}
	c.Fault, c.FaultAt = f, t.now
	t.put(TableInternetHost, &c)
	t.emit("internet-host.failed", c.ID, "fault", string(f))
	return &c, nil
}

func (t *tx) recoverInternetHost(id string) (*InternetHost, error) {
	h, err := t.internetHost(id)
	if err != nil || h.Fault == FaultNone {
		return h, err
	}
	c := *h
	if c.Fault == FaultStop {
		c.Boot++
	}
	c.Fault, c.FaultAt = FaultNone, time.Time{}
	t.put(TableInternetHost, &c)
	t.emit("internet-host.recovered", c.ID, "fault", string(h.Fault))
	return &c, nil
}

// InternetRouter is the address of the router through which hosts of the modelled
// internet reach everybody.
func InternetRouter() netip.Addr { return netip.AddrFrom4([4]byte{169, 254, 0, 1}) }

// InternetRouterMAC is the MAC of that router.
func InternetRouterMAC() frame.MAC { return InternetMAC(InternetRouter()) }

// InternetMAC is the MAC of an address of the internet. ENIs and the routers of
// subnets have others: theirs begin with 02.
func InternetMAC(a netip.Addr) frame.MAC {
	b := a.As4()
	return frame.MACAt([]byte{0x06, 0, b[0], b[1], b[2], b[3]})
}

// MAC is that of the host's one interface.
func (h *InternetHost) MAC() frame.MAC { return InternetMAC(h.Address) }

// InternetInhabited reports whether anybody stands in the modelled internet: a
// host, or a gateway endpoint for its service.
func (s *State) InternetInhabited() bool {
	return firstIn[*InternetHost](s.db, string(TableInternetHost), byCreation) != nil ||
		firstIn[*VPCEndpoint](s.db, string(TableVPCEndpoint), bySource) != nil
}

// boots copies h for a laboratory that begins anew after what it was.
func (h *InternetHost) boots(was *InternetHost) *InternetHost {
	c := *h
	if was != nil {
		c.Boot = max(c.Boot, was.Boot)
	}
	c.Boot++
	return &c
}
