package frame

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

const captures = "../../../testdata/captures"

// captured returns the frames of one capture file, by its name without suffix.
func captured(t testing.TB, name string) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join(captures, name+".pcap"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for {
		b, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, b)
	}
}

// allCaptured returns the frames of every capture file by its name.
func allCaptured(t testing.TB) map[string][][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(captures, "*.pcap"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures in %s (%v)", captures, err)
	}
	all := map[string][][]byte{}
	for _, p := range paths {
		name := filepath.Base(p)
		name = name[:len(name)-len(".pcap")]
		all[name] = captured(t, name)
	}
	return all
}
