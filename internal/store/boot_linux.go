package store

import (
	"os"
	"strings"
	"sync"
)

// bootID names the time since the machine was started, "" if that is not known
// (proc(5), /proc/sys/kernel/random/boot_id).
var bootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})
