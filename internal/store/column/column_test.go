package column

import (
	"database/sql"
	"database/sql/driver"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// scanner is what every column type's pointer is.
type scanner interface {
	sql.Scanner
	driver.Valuer
}

func TestValuesComeBack(t *testing.T) {
	for _, tc := range []struct {
		value  driver.Valuer
		stored any // nil: NULL
	}{
		{ID(""), nil},
		{ID("eni-1"), "eni-1"},
		{Time{}, nil},
		{Time(time.Unix(0, 0).UTC()), int64(0)},
		{Time(time.Unix(0, -1).UTC()), int64(-1)},
		{Time(time.Unix(0, math.MaxInt64).UTC()), int64(math.MaxInt64)},
		{Time(time.Unix(0, math.MinInt64).UTC()), int64(math.MinInt64)},
		{Addr{}, nil},
		{Addr(netip.MustParseAddr("192.168.0.42")), "192.168.0.42"},
		{Addr(netip.MustParseAddr("::ffff:10.0.0.1")), "::ffff:10.0.0.1"},
		{Addr(netip.MustParseAddr("fe80::1%eth0")), "fe80::1%eth0"},
		{Prefix{}, nil},
		{Prefix(netip.MustParsePrefix("10.0.0.0/16")), "10.0.0.0/16"},
		{Prefix(netip.MustParsePrefix("10.0.0.9/0")), "10.0.0.9/0"}, // as given, host bits included
		{Tags{}, nil},
		{Tags{V: control.Tags{}}, "{}"},
		{Tags{V: control.Tags{"Name": "EC2-1"}}, `{"Name":"EC2-1"}`},
		{Strings{}, nil},
		{Strings{V: []string{}}, "[]"},
		{Strings{V: []string{"\ufffd", `\ufffd`, `\\ufffd`, "\x00", "\u2028"}}, "[\"\ufffd\",\"\\\\ufffd\",\"\\\\\\\\ufffd\",\"\\u0000\",\"\\u2028\"]"},
	} {
		got, err := tc.value.Value()
		if err != nil || got != tc.stored {
			t.Errorf("%#v is stored as %#v, %v; want %#v", tc.value, got, err, tc.stored)
			continue
		}
		back := reflect.New(reflect.TypeOf(tc.value))
		if err := back.Interface().(scanner).Scan(got); err != nil {
			t.Errorf("%#v: %v", tc.value, err)
		}
		if !reflect.DeepEqual(back.Elem().Interface(), tc.value) {
			t.Errorf("%#v comes back as %#v", tc.value, back.Elem().Interface())
		}
	}
}

func TestTimeLosesZoneAndMonotonicReading(t *testing.T) {
	now := time.Now().In(time.FixedZone("here", 3600))
	stored, err := Time(now).Value()
	if err != nil {
		t.Fatal(err)
	}
	var back Time
	if err := back.Scan(stored); err != nil {
		t.Fatal(err)
	}
	if time.Time(back) != now.UTC().Round(0) {
		t.Errorf("%v comes back as %v", now, time.Time(back))
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for want, v := range map[string]driver.Valuer{
		"does not fit":       Time(time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC)),
		"64 bits":            Time(time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)),
		"not valid UTF-8":    Tags{V: control.Tags{"a": "b\xff"}},
		"UTF-8":              Strings{V: []string{`\`, "\xc0"}},
		"unsupported value:": JSON[float64]{V: math.NaN()},
	} {
		if got, err := v.Value(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%#v is stored as %#v, %v; want %q", v, got, err, want)
		}
	}
}

func TestStoredValuesThatAreRefused(t *testing.T) {
	for _, tc := range []struct {
		into sql.Scanner
		src  any
	}{
		{new(ID), int64(1)},
		{new(Time), "2026-11-23"},
		{new(Addr), "10.0.0.0/8"},
		{new(Addr), int64(1)},
		{new(Prefix), "10.0.0.0"},
		{new(Prefix), int64(1)},
		{new(Tags), int64(1)},
		{new(Tags), ""},
		{new(Tags), "{} {}"},
		{new(Tags), `{"a":1}`},
		{new(Probe), `{"Former":1}`},
	} {
		if err := tc.into.Scan(tc.src); err == nil {
			t.Errorf("%T took %#v", tc.into, tc.src)
		}
	}
}

// FuzzText stores any text as JSON: it comes back as it was or is refused.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "\xff", "\ufffd", `\ufffd`, `\\`, "\"", "\x00", "\xed\xa0\x80", "🦆"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		in := Tags{V: control.Tags{key: text}}
		valid := strings.ToValidUTF8(key, "") == key && strings.ToValidUTF8(text, "") == text
		stored, err := in.Value()
		if (err == nil) != valid {
			t.Fatalf("%q: %q gives %v", key, text, err)
		}
		if err != nil {
			return
		}
		var out Tags
		if err := out.Scan(stored); err != nil || !reflect.DeepEqual(in, out) {
			t.Fatalf("%#v comes back as %#v, %v", in, out, err)
		}
	})
}

// FuzzScan reads any stored text: what is taken is stored again as an equal value.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.1", "10.0.0.0/8", "fe80::1%25", "{}", "null", `{"Name":"x"}`, `{"Interval":1e3}`, "[]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, into := range []scanner{new(ID), new(Addr), new(Prefix), new(Tags), new(Strings), new(Probe), new(Findings)} {
			if into.Scan(text) != nil {
				continue
			}
			stored, err := into.Value()
			if err != nil {
				t.Fatalf("%T of %q: %v", into, text, err)
			}
			again := reflect.New(reflect.TypeOf(into).Elem())
			if err := again.Interface().(scanner).Scan(stored); err != nil || !reflect.DeepEqual(again.Interface(), into) {
				t.Fatalf("%T of %q is stored as %q, which reads as %#v, %v", into, text, stored, again.Interface(), err)
			}
		}
	})
}
