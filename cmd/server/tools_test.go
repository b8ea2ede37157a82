package main

import (
	"os"
	"os/exec"
	"testing"
)

// unchecked says loudly that something was not checked here. Where CI is set
// it is a failure: there, everything is there.
func unchecked(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("NOT CHECKED: " + what)
	}
	t.Log("NOT CHECKED: " + what)
}

// tool returns the path of an outside judge, false (said loudly) if it is not installed.
func tool(t *testing.T, name string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		unchecked(t, name+" is not installed")
		return "", false
	}
	return path, true
}
