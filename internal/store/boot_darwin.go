package store

import (
	"sync"
	"syscall"
)

// bootID names the time since the machine was started, "" if that is not known.
var bootID = sync.OnceValue(func() string {
	id, err := syscall.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
})
