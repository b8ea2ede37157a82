//go:build !linux && !darwin

package store

// bootID would name the time since the machine was started, which this system
// does not tell.
func bootID() string { return "" }
