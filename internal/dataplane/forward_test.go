package dataplane

import (
	"bytes"
	"testing"

	"enilab/internal/dataplane/frame"
)

func TestForwardWithinSubnet(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	want := udp(a, b, 1000, 2000, "hello")
	if n := l.send(a, want); n != 1 {
		t.Fatalf("took %d frames, want 1", n)
	}
	got := l.received(b)
	if len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Fatalf("received %x, want %x; %+v", got, want, l.Totals())
	}
}

func TestRouterRewritesMACsAndKeepsTTL(t *testing.T) {
	for _, workers := range []int{1, 2, 3} {
		l := newLab(t, Options{Workers: workers})
		a, b := eni(1, 10), eni(2, 11)
		l.add(a, b)
		l.send(a, udp(a, b, 1000, 2000, "hello"))
		got := l.received(b)
		if len(got) != 1 {
			t.Fatalf("%d workers: received %d frames, want 1; %+v", workers, len(got), l.Totals())
		}
		var v frame.View
		v.Parse(got[0])
		if v.Dst != b.MAC || v.Src != routerB || v.TTL != 64 {
			t.Errorf("%d workers: %s > %s TTL %d, want %s > %s TTL 64", workers, v.Src, v.Dst, v.TTL, routerB, b.MAC)
		}
	}
}
