package filter

import (
	"math/rand/v2"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

func TestAt(t *testing.T) {
	// | is the caret.
	for _, c := range []struct {
		text  string
		field string
		typed string
		whole string // what a completion takes the place of
	}{
		{"|", "", "", ""},
		{"ver|", "", "ver", "ver"},
		{"-ver|", "", "ver", "ver"},
		{"verdict:|", "verdict", "", ""},
		{"verdict:lo|st -inst:x", "verdict", "lo", "lost"},
		{"-verdict:lo|", "verdict", "lo", "lo"},
		{"verdict:lost |", "", "", ""},
		{"verdict:lost in|", "", "in", "in"},
		{"port:(80,4|", "port", "4", "4"},
		{"port:(80, 4|43, 1) sg:web", "port", "4", "443"},
		{"port:(80,443) s|", "", "s", "s"},
		{"(verdict:lost or ins|)", "", "ins", "ins"},
		{"len > 1|", "len", "1", "1"},
		{"len>=1|", "len", "1", "1"},
		{"dst: 192|", "dst", "192", "192"},
		{"rule:\"implicit d|", "rule", "\"implicit d", "\"implicit d"},
		{"instance:|", "inst", "", ""},
		{"웹 or inst:웹|", "inst", "웹", "웹"},
	} {
		all := []rune(c.text)
		caret := 0
		for all[caret] != '|' {
			caret++
		}
		text := string(all[:caret]) + string(all[caret+1:])
		p := At(text, caret)
		if whole := string([]rune(text)[p.From:p.To]); p.Field != c.field || p.Typed != c.typed || whole != c.whole {
			t.Errorf("%s: %+v takes the place of %q", c.text, p, whole)
		}
	}
}

// Whatever is completed can be read.
func FuzzAt(f *testing.F) {
	f.Add("port:(80,4", 10)
	f.Add("\"", 1)
	f.Fuzz(func(t *testing.T, text string, caret int) {
		p := At(text, caret)
		c := NewCensus(p, newTown())
		r := rand.New(rand.NewPCG(1, 1))
		for range 8 {
			rec := someRecord(r)
			c.Add(&rec)
		}
		for _, b := range c.Best() {
			if p.Field == "" || b.Kind != "value" {
				continue
			}
			if _, fault := Parse(p.Field+":"+b.Text, 0); fault != nil {
				t.Fatalf("%s:%s: %v", p.Field, b.Text, fault)
			}
		}
	})
}

func TestCompletions(t *testing.T) {
	w := newTown()
	records := []dataplane.Record{
		{SrcVNIC: 1, DstVNIC: 2, EtherType: frame.EtherTypeIPv4, Proto: frame.ProtoTCP, SrcIP: 0xC0A8000A, DstIP: 0xC0A8002A, SrcPort: 40000, DstPort: 80, TCPFlags: 2, Rule: verdict.RuleImplicitDeny, Verdict: verdict.Reject, Reason: verdict.IngressDenied},
		{SrcVNIC: 2, DstVNIC: 1, EtherType: frame.EtherTypeIPv4, Proto: frame.ProtoTCP, SrcIP: 0xC0A8002A, DstIP: 0xC0A8000A, SrcPort: 80, DstPort: 40000, Verdict: verdict.Accept},
		{SrcVNIC: 3, DstVNIC: 2, EtherType: frame.EtherTypeARP, SrcIP: 1, DstIP: 2, Verdict: verdict.Accept},
	}
	best := func(text string) map[string]uint64 {
		c := NewCensus(At(text, len(text)), w)
		for i := range records {
			c.Add(&records[i])
		}
		got := map[string]uint64{}
		for _, b := range c.Best() {
			got[b.Text] = b.Count
		}
		return got
	}
	for _, c := range []struct {
		text, want string
		count      uint64
	}{
		{"verdict:", "accept", 2},
		{"verdict:", "lost", 0},
		{"reason:ingress", "ingress_denied", 1},
		{"inst:", "EC2-1", 3},
		{"inst:i-1", "client", 2}, // by its id
		{"rule:", `"implicit deny"`, 1},
		{"dst:", "192.168.0.42", 1},
		{"src:cust", "customer", 1},
		{"port:", "80", 2},
		{"flags:", "syn", 1},
		{"flow:", "192.168.0.10:40000-192.168.0.42:80/tcp", 2},
		{"proto:", "arp", 1},
		{"we", "sg:web", 2},
		{"ver", "verdict:", 0},
	} {
		if n, ok := best(c.text)[c.want]; !ok || n != c.count {
			t.Errorf("%s: %s has %d, want %d, of %v", c.text, c.want, n, c.count, best(c.text))
		}
	}
}
