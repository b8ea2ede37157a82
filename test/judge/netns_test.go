//go:build judge && linux

package judge

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace without a name: it lives as long as this
// process holds it, and ends with all that is in it however the process ends.
type namespace struct {
	name string // for errors
	file *os.File
	ip   strings.Builder // a batch of ip(8), run inside
	nft  strings.Builder // a ruleset of nft(8), loaded inside

	takes  []string // links by which frames with labels come in
	labels []string // rules of nft(8) for these links
	strict bool     // a connection begins with its first segment
}

// path is by what another process reaches the namespace while this one lives.
func (n *namespace) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd())
}

func (n *namespace) ipf(format string, args ...any)  { fmt.Fprintf(&n.ip, format+"\n", args...) }
func (n *namespace) nftf(format string, args ...any) { fmt.Fprintf(&n.nft, format+"\n", args...) }

// sysctls make of a namespace a router that says nothing itself and forgets
// nothing while a topology is judged.
var sysctls = map[string]string{
	"ipv4/ip_forward":                  "1",
	"ipv4/conf/all/rp_filter":          "0",
	"ipv4/conf/default/rp_filter":      "0",
	"ipv4/conf/all/send_redirects":     "0",
	"ipv4/conf/default/send_redirects": "0",
	"ipv6/conf/all/disable_ipv6":       "1",
	"ipv6/conf/default/disable_ipv6":   "1",
}

// trackers are the settings of connection tracking, where there is any. Windows
// are not checked: AWS describes tracking by the five-tuple (EC2 User Guide,
// "Security group connection tracking").
var trackers = map[string]string{
	"netfilter/nf_conntrack_tcp_be_liberal":        "1",
	"netfilter/nf_conntrack_tcp_loose":             "1",
	"netfilter/nf_conntrack_tcp_timeout_close":     "3600",
	"netfilter/nf_conntrack_tcp_timeout_syn_sent":  "3600",
	"netfilter/nf_conntrack_tcp_timeout_syn_recv":  "3600",
	"netfilter/nf_conntrack_tcp_timeout_time_wait": "3600",
	"netfilter/nf_conntrack_udp_timeout":           "3600",
	"netfilter/nf_conntrack_udp_timeout_stream":    "3600",
	"netfilter/nf_conntrack_icmp_timeout":          "3600",
}

// newNamespace makes one with the caller's thread, which must be locked; the
// thread is in it when newNamespace returns.
func newNamespace(name string) (*namespace, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		return nil, fmt.Errorf("holding the network namespace %s: %w", name, err)
	}
	n := &namespace{name: name, file: f}
	if err := set(sysctls); err != nil {
		f.Close()
		return nil, fmt.Errorf("namespace %s: %w", name, err)
	}
	// With no address of its own at all a namespace takes no next hop.
	n.ipf("link set lo up")
	// What a namespace would say by itself (errors of ICMP) is no frame's fate.
	n.nftf("table ip quiet {\n chain output {\n type filter hook output priority 0; policy drop;\n }\n}")
	return n, nil
}

// set writes sysctls of the namespace in which the caller's thread is.
func set(values map[string]string) error {
	for key, value := range values {
		if err := os.WriteFile(filepath.Join("/proc/sys/net", key), []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

// enter moves the caller's thread into n; programs that it starts run there.
func (n *namespace) enter() error {
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering the network namespace %s: %w", n.name, err)
	}
	return nil
}

// configure runs what has been collected for n.
func (n *namespace) configure() error {
	if err := n.enter(); err != nil {
		return err
	}
	if err := run(n.ip.String(), "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("namespace %s: %w", n.name, err)
	}
	if err := run(n.nft.String()+labelled(n), "nft", "-f", "-"); err != nil {
		return fmt.Errorf("namespace %s: %w", n.name, err)
	}
	if err := set(trackers); err != nil || !n.strict {
		return err
	}
	return set(map[string]string{"netfilter/nf_conntrack_tcp_loose": "0"})
}

// running returns when every link of n carries frames: with both its ends up it
// does so a little later.
func (n *namespace) running() error {
	if err := n.enter(); err != nil {
		return err
	}
	for begun := time.Now(); ; runtime.Gosched() {
		links, err := net.Interfaces()
		if err != nil {
			return fmt.Errorf("namespace %s: listing the links: %w", n.name, err)
		}
		idle := slices.IndexFunc(links, func(l net.Interface) bool { return l.Flags&net.FlagRunning == 0 })
		if idle < 0 {
			return nil
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("namespace %s: link %s does not run after %v", n.name, links[idle].Name, patience)
		}
	}
}

func run(stdin string, name string, args ...string) error {
	if stdin == "" {
		return nil
	}
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s\n%s", name, strings.Join(args, " "), err, out.String(), numbered(stdin))
	}
	return nil
}

func numbered(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i := range lines {
		lines[i] = fmt.Sprintf("%3d  %s", i+1, lines[i])
	}
	return strings.Join(lines, "\n")
}

// homeNamespace locks the caller to its thread and returns how to bring that
// back to where it was.
func homeNamespace() (back func(), err error) {
	runtime.LockOSThread()
	f, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return func() {
		if unix.Setns(int(f.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread() // else the thread ends with its goroutine
		}
		f.Close()
	}, nil
}
