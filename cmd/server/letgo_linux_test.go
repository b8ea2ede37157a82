package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestLetGo(t *testing.T) {
	resident := func() (kib int) {
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "RssFile:")
		if _, err := fmt.Sscan(rest, &kib); err != nil {
			t.Fatal(err)
		}
		return kib
	}
	before := resident()
	if err := letGo(); err != nil {
		t.Fatal(err)
	}
	if after := resident(); after >= before {
		t.Errorf("%d KiB of files are resident, %d before", after, before)
	}
}

// What has been changed, or can be, or is of another file, is kept.
func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00500000 r-xp 00000000 fe:00 12 /opt/my lab/enilab
Size:               1024 kB
Private_Dirty:       900 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
00500000-00600000 r--p 00100000 fe:00 12 /opt/my lab/enilab
Private_Dirty:         4 kB
Anonymous:             4 kB
00600000-00700000 r--p 00200000 fe:00 12 /opt/my lab/enilab
Anonymous:             0 kB
Swap:                  8 kB
00700000-00800000 rw-p 00300000 fe:00 12 /opt/my lab/enilab
Anonymous:             0 kB
00800000-00900000 r--p 00400000 fe:00 12 /opt/my lab/enilab
Anonymous:             0 kB
7f0000000000-7f0000100000 r-xp 00000000 fe:00 13 /lib/libc.so
Anonymous:             0 kB
7f0000200000-7f0000300000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0x500000}, {0x800000, 0x900000}}
	if got := unchanged([]byte(smaps), "/opt/my lab/enilab"); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
