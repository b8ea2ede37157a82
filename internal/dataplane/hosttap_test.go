package dataplane

import (
	"testing"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// A tap on a host sees an ENI from its first frame there, and no longer than
// it is there.
func TestAHostTapFollowsAttachments(t *testing.T) {
	l := newLab(t, Options{})
	client, one := eni(1, 10), eni(1, 42)
	two := eni(1, 22)
	l.add(client, one, two)
	recorder := func() *tap.Tap { return tap.New(tap.Config{Points: verdict.GuestRX, Workers: l.Workers()}) }
	atOne, atTwo, everywhere := recorder(), recorder(), recorder()
	l.AddHostTap(atOne, one.Host)
	l.AddHostTap(atTwo, two.Host)
	l.AddTap(everywhere, nil)
	moved := one
	moved.Host, moved.DeviceIndex = two.Host, 1
	read := func(r *tap.Tap) (n int) {
		r.Read(func(p tap.Packet) {
			if id, _ := l.VNICName(p.VNIC); id == one.ID {
				n++
			}
		})
		return n
	}
	expect := func(when string, atFirst, atSecond, all int) {
		t.Helper()
		if a, b, c := read(atOne), read(atTwo), read(everywhere); a != atFirst || b != atSecond || c != all {
			t.Errorf("%s: %d, %d and %d frames, want %d, %d and %d", when, a, b, c, atFirst, atSecond, all)
		}
	}
	ask := func(to VNICSpec) {
		l.send(client, udp(client, one, 1024, 7, "x"))
		l.received(to)
	}
	ask(one)
	expect("before the move", 1, 0, 1)
	l.apply(Delta{VNICs: []VNICSpec{moved}})
	ask(moved)
	expect("after the move", 0, 1, 1)
	l.RemoveTap(atTwo)
	l.apply(Delta{VNICs: []VNICSpec{one}})
	ask(one)
	expect("back again", 1, 0, 1)
	l.RemoveTap(atOne)
	ask(one)
	expect("without taps", 0, 0, 1)
}
