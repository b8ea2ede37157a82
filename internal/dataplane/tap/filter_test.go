package tap

import (
	"errors"
	"strings"
	"testing"
)

func TestFilterErrorNamesColumnAndWord(t *testing.T) {
	for expr, want := range map[string]string{
		"tcp and gateway foo":      `filter column 9, "gateway": not supported; supported are host,`,
		"host www.example.com":     `filter column 6, "www.example.com": want an address such as 192.168.0.42`,
		"port http":                `filter column 6, "http": want a port number`,
		"tcp port 80 and":          `filter column 16: want a primitive here`,
		"ip host 10.0.0.1/8":       `filter column 17, "/": a host has no prefix length`,
		"net 10.0.0.1/8":           `filter column 5, "10.0.0.1": has bits behind its prefix length 8; 10.0.0.0/8 would be the network`,
		"(tcp or udp":              `filter column 12: want ")" here`,
		"tcp[13] & 2":              `filter column 12: want a comparison here`,
		"tcp ü":                    `filter column 5, "ü": not part of a filter`,
		"inbound":                  `filter column 1, "inbound": not supported`,
		"port 70000":               `filter column 6, "70000": larger than 65535`,
		"10.0.0.1":                 `filter column 1, "10.0.0.1": an address or number needs a word before it`,
		strings.Repeat("(", 200):   `nested deeper than 64 levels`,
		strings.Repeat("a", 5000):  `longer than 4096 bytes`,
		strings.Repeat("not ", 99): `nested deeper than 64 levels`,
	} {
		_, err := CompileFilter(expr)
		var place *FilterError
		if !errors.As(err, &place) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v\nwant %s", expr, err, want)
		}
	}
}

func TestEmptyFilterMatchesAll(t *testing.T) {
	for _, expr := range []string{"", "  \t\n"} {
		f, err := CompileFilter(expr)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Match(nil, nil) || !f.Match(nil, make([]byte, 60)) || f.String() != expr {
			t.Errorf("%q does not match all", expr)
		}
	}
}

// TestFilterIsMoreGenerous: what only we accept, as FilterHelp says.
func TestFilterIsMoreGenerous(t *testing.T) {
	for _, expr := range []string{"ip proto tcp", "ether proto arp", "ip6 proto icmp6"} {
		if _, err := CompileFilter(expr); err != nil {
			t.Error(err)
		}
	}
}

func TestFilterHelpNamesEveryWord(t *testing.T) {
	words := []string{"not", "and", "or", "src", "dst", "less", "greater", "vlan", "broadcast", "multicast", "len", "mask"}
	for w := range protoWords {
		words = append(words, w)
	}
	for w := range kindWords {
		words = append(words, w)
	}
	for w := range constants {
		words = append(words, w)
	}
	for w := range operators {
		words = append(words, w)
	}
	for _, w := range words {
		if w != "==" && !strings.Contains(FilterHelp, w) {
			t.Errorf("FilterHelp does not name %q", w)
		}
	}
}

// TestLongestFilterCompiles: the bound on the expression keeps the program
// within its 16-bit jumps.
func TestLongestFilterCompiles(t *testing.T) {
	expr := "port 1" + strings.Repeat(" or 1", (maxExpr-6)/5)
	f, err := CompileFilter(expr)
	if err != nil {
		t.Fatal(err)
	}
	if f.Match(nil, builtFrames(t)[0]) {
		t.Error("port 80 matches port 1")
	}
}

func FuzzCompileFilter(f *testing.F) {
	frames := append(builtFrames(f), nil, []byte{1})
	for _, expr := range agreed {
		f.Add(expr, frames[0])
	}
	f.Add("tcp[tcp[tcp[0]]:4] / ip[0:4] % len = 1 | ether[4294967295:4]", frames[1])
	f.Fuzz(func(t *testing.T, expr string, frame []byte) {
		c, err := CompileFilter(expr)
		if err != nil {
			var place *FilterError
			if !errors.As(err, &place) || place.Column < 1 || place.Column > len(expr)+1 {
				t.Fatalf("%q: %v", expr, err)
			}
			return
		}
		c.Match(nil, frame)
		for _, b := range frames {
			got := c.Match(nil, b)
			// A negation never matches the same frame; both refuse it if a load fails.
			if n, err := CompileFilter("not (" + expr + ")"); err == nil && got && n.entry > atAccept && n.Match(nil, b) && !strings.Contains(expr, "vlan") {
				t.Fatalf("%q matches %x, and so does its negation", expr, b)
			}
		}
	})
}
