package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestTheImageNeedsNothing starts the binary as the container image does: a
// user without rights, in a directory tree that holds nothing else.
func TestTheImageNeedsNothing(t *testing.T) {
	if os.Getuid() != 0 {
		unchecked(t, "the empty chroot: only root may make one")
		return
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	bin, err := os.ReadFile(enilab(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "enilab"), bin, 0o755); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(root, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	const nobody = 65532
	if err := os.Chown(data, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	p := start(t, func(c *exec.Cmd) {
		c.Path, c.Dir, c.Env = "/enilab", "/", []string{}
		c.SysProcAttr = &syscall.SysProcAttr{
			Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody},
		}
	}, "serve", "--listen", "127.0.0.1:0", "--data", "/data", "--scenario", "demo")
	r, err := http.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Errorf("health is %s", r.Status)
	}
}
