package scenario

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"enilab/internal/control"
)

// undoTime bounds how long a failed load may take to take back what it made, one
// after the other: with the timing of AWS an instance needs half a minute to
// terminate, an attachment of a transit gateway minutes.
const undoTime = 30 * time.Minute

// Loaded maps the names of a scenario to the ids they have got.
type Loaded struct {
	VPCs, Subnets, Groups, Instances, Addresses map[string]string
	// Interfaces holds the file's network interfaces, and each instance's
	// primary one as INSTANCE/eth0.
	Interfaces map[string]string

	InternetGateways, NATGateways, RouteTables, InternetHosts map[string]string

	Peerings, TransitGateways, TransitAttachments, TransitTables, Endpoints, NetworkACLs map[string]string
	// Policies are by the name of the network interface they guard.
	Policies map[string]string

	first map[string]*control.NetworkInterface // as after loading, by name
}

func newLoaded() *Loaded {
	return &Loaded{
		VPCs: map[string]string{}, Subnets: map[string]string{}, Groups: map[string]string{},
		Instances: map[string]string{}, Addresses: map[string]string{}, Interfaces: map[string]string{},
		InternetGateways: map[string]string{}, NATGateways: map[string]string{}, RouteTables: map[string]string{},
		Peerings: map[string]string{}, TransitGateways: map[string]string{}, TransitAttachments: map[string]string{},
		TransitTables: map[string]string{}, Endpoints: map[string]string{}, NetworkACLs: map[string]string{},
		InternetHosts: map[string]string{}, Policies: map[string]string{}, first: map[string]*control.NetworkInterface{},
	}
}

// host is the id of an instance or internet host.
func (l *Loaded) host(name string) string {
	if id, ok := l.InternetHosts[name]; ok {
		return id
	}
	return l.Instances[name]
}

// target is the address that a name stands for now, or that is written out;
// invalid if there is none any more.
func (l *Loaded) target(s *control.State, to string) netip.Addr {
	if id, ok := l.InternetHosts[to]; ok {
		if h := s.InternetHost(id); h != nil {
			return h.Address
		}
		return netip.Addr{}
	}
	if id, ok := l.Addresses[to]; ok {
		if a := s.Address(id); a != nil {
			return a.PublicIP
		}
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(to) // checked by Parse
	return a
}

// Load builds the scenario's network, and returns when every instance runs and
// every attachment is attached. It returns ErrNotEmpty, and changes nothing, if
// there is anything in the database; while it runs, nobody else may make
// anything there. Should a call fail half-way, everything
// made before is taken back; terminated instances stay visible, as on EC2.
func (s *Scenario) Load(ctx context.Context, svc Service) (*Loaded, error) {
	b, err := s.load(ctx, svc, nil)
	if err != nil && b != nil {
		// Whoever cancelled the load still wants no half of it.
		undoCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		if undone := b.takeBack(undoCtx); undone != nil {
			return nil, fmt.Errorf("%w\nand taking back what had been made: %w", err, undone)
		}
	}
	if err != nil {
		return nil, err
	}
	return b.loaded, nil
}

// LoadForGood is Load, but leaves what it has made if it does not get to its end:
// for whoever throws all of it away then, as a start that finds the store's mark.
func (s *Scenario) LoadForGood(ctx context.Context, svc Service) (*Loaded, error) {
	return s.LoadTold(ctx, svc, nil)
}

// LoadTold is LoadForGood, and tells what it waits for, such as "every instance
// runs", and "" when it waits for nothing: with the timing of AWS it takes minutes.
func (s *Scenario) LoadTold(ctx context.Context, svc Service, told func(what string)) (*Loaded, error) {
	b, err := s.load(ctx, svc, told)
	if err != nil {
		return nil, err
	}
	return b.loaded, nil
}

// load returns a builder with what it has made, also with an error.
func (s *Scenario) load(ctx context.Context, svc Service, told func(string)) (*builder, error) {
	if err := s.NoSnapshot("only enilab run starts from a snapshot: a server does by enilab serve --from"); err != nil {
		return nil, err
	}
	if !Empty(svc.State()) {
		return nil, fmt.Errorf("loading %s: %w", s.Name, ErrNotEmpty)
	}
	b := &builder{sc: s, svc: svc, loaded: newLoaded(), told: told}
	if err := b.build(ctx); err != nil {
		return b, err
	}
	b.remember()
	return b, nil
}

// remember notes how the interfaces are once all is built.
func (b *builder) remember() {
	state := b.svc.State()
	for name, id := range b.loaded.Interfaces {
		b.loaded.first[name] = state.NetworkInterface(id)
	}
}

// Empty reports whether nothing is stored that somebody could miss. Terminated
// instances and deleted transit gateways are nothing: they vanish by themselves.
func Empty(s *control.State) bool {
	for _, i := range s.Instances() {
		if i.State != control.InstanceTerminated {
			return false
		}
	}
	for _, g := range s.TransitGateways() {
		if g.State != control.TransitDeleted {
			return false
		}
	}
	return len(s.VPCs()) == 0 && len(s.InternetHosts()) == 0 && len(s.Addresses()) == 0 && len(s.Failovers()) == 0
}
