package control

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// lab runs transitions one by one, without goroutines, store or clock.
type lab struct {
	t     testing.TB
	state *State
	now   time.Time
	rng   *rand.ChaCha8
	// source replaces rng, if a test wants certain numbers.
	source func([]byte)
	// commits holds what every successful transition changed.
	commits []Commit
	timing  Timing
	quotas  Quotas
}

func newLab(t testing.TB) *lab {
	return &lab{
		t: t, state: restore(Commit{}), now: time.Unix(1_800_000_000, 0).UTC(),
		rng: rand.NewChaCha8([32]byte{1}), timing: TimingFast,
	}
}

func (l *lab) random(b []byte) {
	if l.source != nil {
		l.source(b)
		return
	}
	_, _ = l.rng.Read(b)
}

// try runs f a millisecond later and keeps what it did unless it fails.
func (l *lab) try(f func(*tx) error) error {
	l.now = l.now.Add(time.Millisecond)
	t := &tx{Txn: l.state.db.Begin(), now: l.now, random: l.random, region: "us-east-1", timing: l.timing, quotas: l.quotas, next: l.state.next}
	if err := f(t); err != nil {
		return err
	}
	c := t.commit(l.state.revision + 1)
	if len(c.Changes) == 0 {
		if len(c.Events) > 0 {
			l.t.Errorf("nothing changed, but %v", c.Events)
		}
		return nil
	}
	l.state = &State{db: t.Version(), revision: c.Revision, next: t.next}
	l.commits = append(l.commits, c)
	return nil
}

func (l *lab) last() Commit { return l.commits[len(l.commits)-1] }

// must runs a transition that has to succeed.
func must[T any](l *lab, f func(*tx) (T, error)) T {
	l.t.Helper()
	var out T
	if err := l.try(func(t *tx) (err error) { out, err = f(t); return err }); err != nil {
		l.t.Fatalf("refused: %v", err)
	}
	return out
}

func (l *lab) ok(f func(*tx) error) {
	l.t.Helper()
	if err := l.try(f); err != nil {
		l.t.Fatalf("refused: %v", err)
	}
}

// refused runs a transition that has to be refused with EC2's code and text.
func refused[T any](l *lab, code, text string, f func(*tx) (T, error)) {
	l.t.Helper()
	l.refuses(code, text, func(t *tx) error { _, err := f(t); return err })
}

func (l *lab) refuses(code, text string, f func(*tx) error) {
	l.t.Helper()
	before := l.state
	err := l.try(f)
	var e *Error
	if !errors.As(err, &e) {
		l.t.Fatalf("got %v, want a refusal with %s", err, code)
	}
	if e.Code != code || e.Message != text {
		l.t.Errorf("refused with\n  %s: %s\nwant\n  %s: %s", e.Code, e.Message, code, text)
	}
	if l.state != before {
		l.t.Error("a refusal changed the State")
	}
}

// settle lets time pass until every transitional state has ended.
func (l *lab) settle() {
	l.now = l.now.Add(time.Minute)
	for _, c := range l.state.rows() {
		l.ok(func(t *tx) error { return t.finish(c.Table, c.ID) })
	}
}

// site is the topology most tests want: a VPC with a subnet in zone a and one
// in zone b, and instances that run.
type site struct {
	*lab
	vpc  *VPC
	a, b *Subnet
}

func newSite(t testing.TB) *site {
	l := newLab(t)
	s := &site{lab: l}
	s.vpc = must(l, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "192.168.0.0/16"}) })
	s.a = s.subnet("192.168.0.0/24", "us-east-1a")
	s.b = s.subnet("192.168.1.0/24", "us-east-1b")
	return s
}

func (s *site) subnet(cidr, zone string) *Subnet {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*Subnet, error) {
		return t.createSubnet(CreateSubnetInput{VPC: s.vpc.ID, CIDR: cidr, Zone: zone})
	})
}

// run launches an instance and waits until it runs.
func (s *site) run(sub *Subnet, typ string) *Instance {
	s.t.Helper()
	i := must(s.lab, func(t *tx) (*Instance, error) {
		return t.runInstance(RunInstanceInput{Subnet: sub.ID, Type: typ})
	})
	s.settle()
	return s.state.Instance(i.ID)
}

func (s *site) eni(sub *Subnet, ip string) *NetworkInterface {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID, PrivateIP: ip})
	})
}

func (s *site) attach(n *NetworkInterface, i *Instance, index int) *NetworkInterface {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.attach(AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: index})
	})
}

func (s *site) stop(i *Instance) {
	s.t.Helper()
	must(s.lab, func(t *tx) (*Instance, error) { return t.stopInstance(i.ID, false) })
	s.settle()
}

func (s *site) primary(i *Instance) *NetworkInterface { return s.state.InterfacesOf(i.ID)[0] }

// association is an associating call of the laboratory's own.
func association(allocation, eni, ip string, again bool) AssociateAddressInput {
	return AssociateAddressInput{Allocation: allocation, Interface: eni, PrivateIP: ip, AllowReassociation: again}
}
