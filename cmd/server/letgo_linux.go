package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// letGo takes the binary's own pages, code and constants, out of this process's
// memory. What a start touches once, with what the kernel maps around it, is most of
// what is resident of an idle server. They stay in the page cache, from which what is
// used again comes back 64 KiB at a time; nothing is read from the disk for it.
func letGo() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range unchanged(text, exe) {
		if _, _, e := syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED); e != 0 {
			return fmt.Errorf("letting go of %x-%x: %w", m.start, m.end, e)
		}
	}
	return nil
}

type mapping struct{ start, end uintptr }

// unchanged are the mappings of a file that nobody can write and that are all as in
// the file: to drop a page that has been changed, by a relocation or a breakpoint,
// would undo that. Such pages are anonymous; dirty ones may be the file's own, not
// written to the disk yet.
func unchanged(smaps []byte, file string) (all []mapping) {
	var m mapping
	of := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) == 0 {
			continue
		}
		if !strings.HasSuffix(f[0], ":") {
			n, err := fmt.Sscanf(f[0], "%x-%x", &m.start, &m.end)
			of = err == nil && n == 2 && len(f) >= 6 && strings.Join(f[5:], " ") == file && (f[1] == "r--p" || f[1] == "r-xp")
			if of {
				all = append(all, m)
			}
			continue
		}
		switch f[0] {
		case "Anonymous:", "Swap:":
			if of && (len(f) < 2 || f[1] != "0") {
				all, of = all[:len(all)-1], false
			}
		}
	}
	return all
}
