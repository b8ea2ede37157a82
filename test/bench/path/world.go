//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const (
	namespaces = 64
	// kernelMTU lets frames of 9,000 bytes pass.
	kernelMTU = 9100
	// tracked connections that the kernel may have, and buckets for them: so
	// that 100,000 flows at both ends are neither refused nor in long chains.
	tracked = 1 << 20
)

// world is what the kernel's path runs through: namespaces, each with a veth to
// one bridge and a stateful nftables filter of 60 rules both ways.
type world struct {
	prefix string   // of the namespaces' names
	undo   []func() // last first
}

func (w *world) name(i int) string { return w.prefix + strconv.Itoa(i) }
func (w *world) bridge() string    { return w.prefix + "br" }

// guestIP and guestMAC of namespace i.
func guestIP(i int) [4]byte { return [4]byte{10, 77, 0, byte(i + 1)} }
func guestMAC(i int) string { return fmt.Sprintf("02:00:00:00:77:%02x", i+1) }

func dotted(ip [4]byte) string { return fmt.Sprintf("%d.%d.%d.%d", ip[0], ip[1], ip[2], ip[3]) }

// filter is what each namespace judges by: what is established passes at once,
// a new flow meets 60 rules of which the last one allows it.
func filter() string {
	var b strings.Builder
	b.WriteString("table inet enilab {\n")
	for _, way := range []struct{ hook, addr string }{{"input", "saddr"}, {"output", "daddr"}} {
		fmt.Fprintf(&b, " chain %s { type filter hook %s priority filter; policy drop;\n  ct state established,related accept\n", way.hook, way.hook)
		for i := range 59 {
			fmt.Fprintf(&b, "  ip %s 172.16.%d.0/24 udp dport %d accept\n", way.addr, i, 20000+i)
		}
		fmt.Fprintf(&b, "  ip %s 10.0.0.0/8 meta l4proto udp accept\n }\n", way.addr)
	}
	b.WriteString("}\n")
	return b.String()
}

// build makes the world. What it changes outside its namespaces, the size of
// the table of connections, end restores.
func build() (w *world, err error) {
	w = &world{prefix: fmt.Sprintf("enilab-path-%d-", os.Getpid())}
	defer func() {
		if err != nil {
			w.end()
		}
	}()
	for path, least := range map[string]int{
		"/proc/sys/net/netfilter/nf_conntrack_max":     tracked,
		"/sys/module/nf_conntrack/parameters/hashsize": tracked / 4,
		"/proc/sys/net/core/netdev_max_backlog":        10_000,
	} {
		if err := w.raise(path, least); err != nil {
			return w, err
		}
	}
	if err := w.namespace(w.bridge()); err != nil {
		return w, err
	}
	br := []string{
		fmt.Sprintf("link add br0 mtu %d type bridge", kernelMTU),
		"link set br0 up",
	}
	for i := range namespaces {
		if err := w.namespace(w.name(i)); err != nil {
			return w, err
		}
		br = append(br,
			fmt.Sprintf("link add p%d mtu %d type veth peer name eth0 mtu %d address %s netns %s", i, kernelMTU, kernelMTU, guestMAC(i), w.name(i)),
			fmt.Sprintf("link set p%d master br0 up", i))
	}
	if err := run(strings.Join(br, "\n"), "ip", "-n", w.bridge(), "-batch", "-"); err != nil {
		return w, err
	}
	// A bridge in a namespace asks the IP filters too unless told otherwise.
	if err := run("echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables || true\n", "ip", "netns", "exec", w.bridge(), "sh"); err != nil {
		return w, err
	}
	for i := range namespaces {
		guest := []string{"link set lo up", fmt.Sprintf("addr add %s/24 dev eth0", dotted(guestIP(i))), "link set eth0 up"}
		peer := i ^ 1
		guest = append(guest, fmt.Sprintf("neigh add %s lladdr %s dev eth0 nud permanent", dotted(guestIP(peer)), guestMAC(peer)))
		if err := run(strings.Join(guest, "\n"), "ip", "-n", w.name(i), "-batch", "-"); err != nil {
			return w, err
		}
		if err := run(filter(), "ip", "netns", "exec", w.name(i), "nft", "-f", "-"); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *world) end() {
	for i := len(w.undo) - 1; i >= 0; i-- {
		w.undo[i]()
	}
	w.undo = nil
}

func (w *world) namespace(name string) error {
	if err := run("", "ip", "netns", "add", name); err != nil {
		return err
	}
	w.undo = append(w.undo, func() {
		if err := run("", "ip", "netns", "del", name); err != nil {
			fmt.Fprintln(os.Stderr, "bench-path: left behind:", err)
		}
	})
	return run("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true\n", "ip", "netns", "exec", name, "sh")
}

// raise writes a number to a setting that is lower, until end.
func (w *world) raise(path string, least int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w: is the kernel built with connection tracking (nf_conntrack)?", err)
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if now >= least {
		return nil
	}
	w.undo = append(w.undo, func() { _ = os.WriteFile(path, text, 0o644) })
	return os.WriteFile(path, []byte(strconv.Itoa(least)), 0o644)
}

func run(in, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
