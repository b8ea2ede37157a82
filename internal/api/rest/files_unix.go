//go:build unix

package rest

import "syscall"

// openFiles is how many files this process may have open, 0 if that is not
// known. Go's runtime has raised the soft limit to the hard one by now.
func openFiles() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	return uint64(r.Cur) // signed on some systems
}
