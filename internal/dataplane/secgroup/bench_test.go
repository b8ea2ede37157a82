package secgroup

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// n rules for one port of one network each, of which only the last tried allows
// the frame: the port rules none out, so every address is compared.
func lastOf(n int) ([]Rule, seen) {
	rules := make([]Rule, n)
	for i := range rules {
		rules[i] = cidr(verdict.RuleFirst+verdict.RuleID(i), pTCP, 443, 443, fmt.Sprintf("10.%d.0.0/16", i))
	}
	return rules, tcp(in, fmt.Sprintf("10.%d.0.1", n-1), 443)
}

func TestMatchDoesNotAllocate(t *testing.T) {
	rules, f := lastOf(60)
	rules = append(rules, group(100, pTCP, 443, 443, 7))
	p := Compile(rules, rules)
	groups := []uint32{1, 7}
	if n := testing.AllocsPerRun(100, func() {
		p.Match(f.dir, &f.view, groups)
		p.Match(out, &f.view, nil)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// A flow's first frame. netip is the same scan over the rules as given.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 60, 250} {
		rules, f := lastOf(n)
		p := Compile(rules, nil)
		b.Run(fmt.Sprintf("last/rules=%d", n), func(b *testing.B) {
			for b.Loop() {
				if !p.Match(f.dir, &f.view, nil).Allowed {
					b.Fatal("denied")
				}
			}
		})
	}
	rules, f := lastOf(60)
	p := Compile(rules, nil)
	b.Run("random/rules=60", func(b *testing.B) {
		frames := make([]seen, 4096)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range frames {
			k := r.IntN(60)
			frames[i] = tcp(in, fmt.Sprintf("10.%d.0.1", k), 443)
		}
		i := 0
		for b.Loop() {
			p.Match(in, &frames[i&4095].view, nil)
			i++
		}
	})
	b.Run("deny/rules=60", func(b *testing.B) {
		f := tcp(in, "192.0.2.1", 443)
		for b.Loop() {
			p.Match(f.dir, &f.view, nil)
		}
	})
	b.Run("netip/rules=60", func(b *testing.B) {
		for b.Loop() {
			if !netipMatch(rules, f.dir, &f.view) {
				b.Fatal("denied")
			}
		}
	})
}

func netipMatch(rules []Rule, dir conntrack.Direction, v *frame.View) bool {
	peer, port := v.SrcIP.Addr(), int32(v.DstPort)
	if dir == out {
		peer = v.DstIP.Addr()
	}
	for i := range rules {
		if r := &rules[i]; r.Proto == int16(v.Proto) && r.From <= port && port <= r.To && r.Prefix.Contains(peer) {
			return true
		}
	}
	return false
}

func BenchmarkCompile(b *testing.B) {
	rules := make([]Rule, 60)
	for i := range rules {
		rules[i] = Rule{ID: verdict.RuleID(i + 16), Proto: pTCP, From: int32(i), To: int32(i), Prefix: netip.MustParsePrefix("10.0.0.0/8")}
	}
	b.ReportAllocs()
	for b.Loop() {
		Compile(rules, rules)
	}
}
