package filter

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

func TestProgramsMeanWhatTheirTextSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	matched := 0
	for range 3000 {
		matched += compareOne(t, r)
	}
	if matched < 3000 || matched > 57_000 {
		t.Errorf("%d of 60,000 records match: the filters ask for nothing, or for everything", matched)
	}
}

// compareOne makes a filter and asks it and its meaning of twenty records.
func compareOne(t *testing.T, r *rand.Rand) (matched int) {
	t.Helper()
	w, c := newTown(), someClause(r, 3)
	q, fault := Parse(c.text, 1<<60)
	if fault != nil {
		t.Fatalf("%s\n%v", c.text, fault)
	}
	p, again := Compile(q, w), Compile(q, w)
	counts := make([]uint64, len(q.Terms))
	for seq := range uint64(20) {
		rec := someRecord(r)
		// Twice: the second time by what is remembered.
		got, want := p.Match(&rec, seq), c.means(plainly(w, &rec, seq))
		if got != want || p.Match(&rec, seq) != want || again.Count(&rec, seq, counts) != want {
			t.Fatalf("%s\nis %v, want %v, of %s\n%v", c.text, got, want, showRecord(&rec), plainly(w, &rec, seq))
		}
		if got {
			matched++
		}
	}
	return matched
}

func FuzzProgram(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { compareOne(t, rand.New(rand.NewPCG(a, b))) })
}

// Any text is read or refused with a place in it, and what is read can be asked.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`dst:192.168.0.42 flags:syn -verdict:accept`, `sg:web reason:ingress_denied`, `phase:detach and len>1000`, `(a or "b\"" ) not t>=-5s`,
		`ip!=(10.0.0.0/8, 192.168.0.1..192.168.0.9,web)`, `flow:1.2.3.4:5-6.7.8.9:10/tcp`, `port:(80`, `한국 or -`, `fe80::1`, `t:2026-01-31T12:00:00.25Z`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, fault := Parse(text, time.Now().UnixNano())
		if fault != nil {
			n := utf8.RuneCountInString(text)
			if fault.At < 0 || fault.At > n || fault.Length < 1 || fault.Problem == "" || fault.Hint == "" {
				t.Fatalf("%q of %d characters: %+v", text, n, fault)
			}
			if strings.Contains(fault.Problem+fault.Hint, "{") && !strings.Contains(text, "{") {
				t.Fatalf("%q: words are missing: %v", text, fault)
			}
			return
		}
		for _, term := range q.Terms {
			if term.At < 0 || term.Length < 1 || term.At+term.Length > utf8.RuneCountInString(text) {
				t.Fatalf("%q: a condition at %d of length %d", text, term.At, term.Length)
			}
		}
		p := Compile(q, newTown())
		for seq := range uint64(4) {
			rec := someRecord(rand.New(rand.NewPCG(seq, 1)))
			if p.Match(&rec, seq) != p.Count(&rec, seq, make([]uint64, len(q.Terms))) {
				t.Fatalf("%q: counting differs from matching", text)
			}
		}
	})
}

func TestNoAllocationARecord(t *testing.T) {
	q, fault := Parse(`(src:client or sg~web or rule:sgr-17 or via:igw-1) port:(80,443) -verdict:lost flags:syn len>50 hop>=sender`, 0)
	if fault != nil {
		t.Fatal(fault)
	}
	p, r := Compile(q, newTown()), rand.New(rand.NewPCG(3, 4))
	records := make([]dataplane.Record, 500)
	for i := range records {
		records[i] = someRecord(r)
	}
	all := func() {
		for i := range records {
			p.Match(&records[i], uint64(i))
		}
	}
	all()
	if n := testing.AllocsPerRun(10, all); n != 0 {
		t.Errorf("%v allocations for 500 records", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	q, _ := Parse(`dst:192.168.0.42 (inst:EC2-1 or sg:web) -verdict:accept`, 0)
	p, r := Compile(q, newTown()), rand.New(rand.NewPCG(3, 4))
	records := make([]dataplane.Record, 1024)
	for i := range records {
		records[i] = someRecord(r)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Match(&records[i&1023], uint64(i))
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		text       string
		at, length int
		code       string
		says       string
	}{
		{"prot:tcp", 0, 4, "unknown_field", "did you mean proto?"},
		{"한국 and xyzzy:1", 7, 5, "unknown_field", "there are ip, src"},
		{"ttl:64", 0, 3, "not_recorded", "records hold no TTL"},
		{"len>10 vlan=3", 7, 4, "not_recorded", "VLAN"},
		{"phase:detach", 0, 5, "not_recorded", "only once it is over"},
		{"run:1", 0, 3, "not_recorded", "t: with"},
		{"dir:in", 0, 3, "not_recorded", "src: or dst:"},
		{"verdict:acept", 8, 5, "bad_verdict", "accept, reject, lost or control"},
		{"reason:no_rule", 7, 7, "bad_reason", "did you mean no_route?"},
		{"hop:group_in", 4, 8, "bad_hop", "did you mean groups_in?"},
		{"port:http", 5, 4, "bad_port", "0 to 65535"},
		{"port:(80,66000)", 9, 5, "bad_port", "66000"},
		{"port:90..80", 5, 6, "bad_range", "the smaller comes first"},
		{"dst:192.168.0.300", 4, 13, "bad_address", "192.168.0.42"},
		{"dst:10.0.0.0/33", 4, 11, "bad_address", ""},
		{"dst:fe80::1", 4, 7, "ipv6_address", "proto:ipv6"},
		{"fe80::1/64", 0, 10, "ipv6_address", ""},
		{"ip:web..db", 3, 7, "bad_address", ""},
		{"verdict>lost", 7, 1, "bad_operator", "it takes : = !="},
		{"len>(1,2)", 4, 1, "compared_list", "compares with one"},
		{"len>1..2", 4, 4, "compared_list", ""},
		{"flags:syn..ack", 6, 8, "range_not_here", ""},
		{"flags:sny", 6, 3, "bad_flags", "syn+ack"},
		{"flow:1.2.3.4", 5, 7, "bad_flow", "for instance"},
		{"t:noon", 2, 4, "bad_time", "-5s"},
		{"len:x", 4, 1, "bad_number", ""},
		{"dst:", 3, 1, "no_value", "for instance dst:192.168.0.0/24"},
		{"(dst: )", 4, 1, "no_value", ""},
		{"port:()", 5, 2, "empty_list", ""},
		{"port:(80 443)", 9, 1, "list_separator", "comma"},
		{"port:(80,", 5, 1, "open_list", ""},
		{"port:(,80)", 6, 1, "no_value", ""},
		{"rule:\"implicit", 5, 1, "open_quote", ""},
		{"(a or b", 0, 1, "open_paren", ""},
		{"a or b)", 6, 1, "close_paren", ""},
		{"()", 0, 2, "empty_parens", ""},
		{"a or", 2, 2, "nothing_after", "a condition follows"},
		{"a and", 2, 3, "nothing_after", ""},
		{"not", 0, 3, "nothing_after", ""},
		{"a or or b", 5, 2, "nothing_before", ""},
		{"and b", 0, 3, "nothing_before", "on both sides"},
		{"a && b", 2, 2, "symbol", "write and"},
		{"a | b", 2, 1, "symbol", "write or"},
		{"!a", 0, 1, "symbol", "write not"},
		{">100", 0, 1, "no_field", "for instance len>100"},
		{"\"\"", 0, 2, "value_not_a_name", ""},
		{strings.Repeat("(", 65) + "a", 64, 1, "too_deep", ""},
		{strings.Repeat("-", 66) + "a", 64, 1, "too_deep", ""},
		{strings.Repeat("a ", 101), 200, 1, "too_many_terms", ""},
		{strings.Repeat("a", 2001), 2000, 1, "too_long", "2000"},
	} {
		_, fault := Parse(c.text, 1<<60)
		if fault == nil {
			t.Errorf("%q is read", c.text)
			continue
		}
		if fault.At != c.at || fault.Length != c.length || fault.Code != c.code || !strings.Contains(fault.Problem+"; "+fault.Hint, c.says) {
			t.Errorf("%q: %d+%d %s: %v", c.text, fault.At, fault.Length, fault.Code, fault)
		}
		if strings.Contains(fault.Problem+fault.Hint, "{") {
			t.Errorf("%q: words are missing: %v", c.text, fault)
		}
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 10, 0, time.UTC).UnixNano()
	at := func(s string) int64 {
		x, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return x.UnixNano()
	}
	for _, c := range []struct {
		filter, instant string
		want            bool
	}{
		{"t:2026-01-31T12:00:00Z", "2026-01-31T12:00:00.999Z", true},
		{"t:2026-01-31T12:00:00.9Z", "2026-01-31T12:00:00.899Z", false},
		{"t:2026-01-31T12:00:00.9Z", "2026-01-31T12:00:00.999Z", true},
		{"t:2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z", true},
		{"t>=-5s", "2026-01-31T12:00:05Z", true},
		{"t>=-5s", "2026-01-31T12:00:04.9Z", false},
		{"t:-5s..now", "2026-01-31T12:00:07Z", true},
		{"t<1769860800", "2026-01-31T11:59:59.9Z", true},
		{"t:1769860800.25", "2026-01-31T12:00:00.255Z", true},
		{"t:1769860800000..1769860801000", "2026-01-31T12:00:01Z", true},
		{"t:1769860800000000000", "2026-01-31T12:00:00.000000001Z", false},
	} {
		q, fault := Parse(c.filter, now)
		if fault != nil {
			t.Errorf("%s: %v", c.filter, fault)
			continue
		}
		if got := Compile(q, newTown()).Match(&dataplane.Record{At: at(c.instant)}, 1); got != c.want {
			t.Errorf("%s of %s: %v", c.filter, c.instant, got)
		}
	}
}

// Names are those of a record's time.
func TestNamesOfTheirTime(t *testing.T) {
	q, _ := Parse("inst:EC2-1", 0)
	p := Compile(q, newTown())
	for at, want := range map[int64]bool{0: true, 999: true, 1000: false} {
		if got := p.Match(&dataplane.Record{At: at, DstVNIC: 2, Verdict: verdict.Accept}, 1); got != want {
			t.Errorf("at %d: %v", at, got)
		}
	}
}
