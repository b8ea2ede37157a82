package tap

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane/verdict"
)

// TestCutKeepsWhatIsInTheWindow, and all that the file says of it: cut wide, a file is
// what it was, byte for byte.
func TestCutKeepsWhatIsInTheWindow(t *testing.T) {
	var whole bytes.Buffer
	w, err := NewNgWriter(&whole, names{}, 0, "of the test")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(20) {
		m := Meta{At: 1_700_000_000_000_000_000 + i, VNIC: uint32(1 + i%3), Point: verdict.GuestTX, Verdict: verdict.Accept}
		if err := w.Packet(Packet{Meta: m, Length: 90, Data: bytes.Repeat([]byte{byte(i)}, 60+int(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Statistics(1_700_000_000_000_000_020, 3); err != nil {
		t.Fatal(err)
	}
	var wide, narrow bytes.Buffer
	if err := Cut(bytes.NewReader(whole.Bytes()), &wide, 0, math.MaxInt64); err != nil || !bytes.Equal(wide.Bytes(), whole.Bytes()) {
		t.Errorf("cut wide: %v, %d bytes of %d", err, wide.Len(), whole.Len())
	}
	if err := Cut(bytes.NewReader(whole.Bytes()), &narrow, 1_700_000_000_000_000_005, 1_700_000_000_000_000_008); err != nil {
		t.Fatal(err)
	}
	var at []int64
	err = ReadStored(&narrow, func(s Stored) error {
		i := s.At - 1_700_000_000_000_000_000
		at = append(at, i)
		if s.Number != len(at) || s.Length != 90 || !bytes.Equal(s.Data, bytes.Repeat([]byte{byte(i)}, 60+int(i))) ||
			s.Interface == "" || !strings.HasPrefix(s.Comment, "verdict=accept point=guest_tx") {
			t.Errorf("frame %d is %+v", i, s)
		}
		return nil
	})
	if err != nil || !slices.Equal(at, []int64{5, 6, 7, 8}) {
		t.Errorf("%v: left are %v", err, at)
	}
	if err := Cut(strings.NewReader("no capture"), &narrow, 0, 1); err == nil {
		t.Error("what is no pcapng was cut")
	}
	for n := range whole.Len() - 1 { // a file that ends early is told of, and nothing panics
		_ = Cut(bytes.NewReader(whole.Bytes()[:n]), &bytes.Buffer{}, 0, math.MaxInt64)
		_ = ReadStored(bytes.NewReader(whole.Bytes()[:n]), func(Stored) error { return nil })
	}
}
