//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// job is what every lane carries: UDP frames of so many bytes (Ethernet header
// included, no FCS), of so many flows between so many interfaces.
type job struct{ bytes, flows, enis int }

func (j job) String() string {
	return fmt.Sprintf("%d bytes, %d flows of %d interfaces", j.bytes, j.flows, j.enis)
}

// pairs of interfaces that the frames go between, and senders of them, as in
// BenchmarkPath of internal/dataplane.
func (j job) pairs() int { return j.enis / 2 }

// result is one turn of a lane.
type result struct {
	Frames uint64 // that arrived
	Wall   time.Duration
	CPU    time.Duration // of the lane, kernel threads that worked for it included
	Busy   time.Duration // of the whole machine, whoever
}

func (r result) rate() float64    { return float64(r.Frames) / r.Wall.Seconds() }
func (r result) perCore() float64 { return float64(r.Frames) / r.CPU.Seconds() }

// lane measures in this process: it carries frames until stop, and returns how
// many have arrived since begin was called.
type lane func(j job, begin func(), stop func() bool) (frames uint64, err error)

// measured runs a lane for a time.
func measured(l lane, j job, d time.Duration) (result, error) {
	var start time.Time
	var cpu, busy time.Duration
	begin := func() { start, cpu, busy = time.Now(), laneCPU(), machineBusy() }
	n, err := l(j, begin, func() bool { return time.Since(start) >= d })
	r := result{Frames: n, Wall: time.Since(start), CPU: laneCPU() - cpu, Busy: machineBusy() - busy}
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: no frame arrived", j)
	}
	return r, err
}

// realtime is what a turn's command is begun with, nothing by default.
var realtime []string

func command(args ...string) *exec.Cmd {
	args = append(slices.Clone(realtime), args...)
	return exec.Command(args[0], args[1:]...)
}

// inChild runs a lane of this program in a process of its own, so that no lane
// sees the heap of another.
func inChild(name string, j job, d time.Duration, args ...string) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := command(append([]string{self, "-lane", name, "-bytes", strconv.Itoa(j.bytes), "-flows", strconv.Itoa(j.flows), "-enis", strconv.Itoa(j.enis),
		"-time", d.String()}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return result{}, fmt.Errorf("%s, %s: %w\n%s", name, j, err, errs.Bytes())
	}
	var r result
	return r, json.Unmarshal(out, &r)
}

// tick is the unit of /proc's CPU times: USER_HZ, 100 on every architecture.
const tick = 10 * time.Millisecond

// laneCPU is the time of this process and of ksoftirqd, which takes over what
// is left of received frames when a processor has had too many of them. The
// other softirqs that a frame causes run in the sender's system calls, and count
// as its time.
func laneCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	total := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, stat := range ksoftirqd() {
		text, err := os.ReadFile(stat)
		if err != nil {
			panic(err)
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		for _, f := range fields[11:13] { // utime, stime: proc_pid_stat(5)
			n, _ := strconv.Atoi(f)
			total += time.Duration(n) * tick
		}
	}
	return total
}

var softirqThreads []string

// ksoftirqd returns the stat files of the kernel's threads of this name.
func ksoftirqd() []string {
	if softirqThreads != nil {
		return softirqThreads
	}
	names, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, n := range names {
		if text, err := os.ReadFile(n); err == nil && strings.HasPrefix(string(text), "ksoftirqd/") {
			softirqThreads = append(softirqThreads, filepath.Join(filepath.Dir(n), "stat"))
		}
	}
	return softirqThreads
}

// machineBusy is the time that all processors have worked, from /proc/stat:
// user, nice, system, irq and softirq.
func machineBusy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		panic(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line) // "cpu", user, nice, system, idle, iowait, irq, softirq
	var total time.Duration
	for _, i := range []int{1, 2, 3, 6, 7} {
		n, _ := strconv.Atoi(fields[i])
		total += time.Duration(n) * tick
	}
	return total
}

const (
	etherLen   = 14
	ipLen      = 20
	udpLen     = 8
	headersLen = etherLen + ipLen + udpLen

	firstPort  = 1024 // of senders
	portsEach  = 50_000
	targetPort = 5000 // and one more for each further 50,000 flows
)

// ports of a flow.
func ports(flow int) (src, dst uint16) {
	return uint16(firstPort + flow%portsEach), uint16(targetPort + flow/portsEach)
}

// packet is an IPv4 UDP packet of n bytes; its UDP checksum is 0, not used, so
// that the ports can change.
func packet(src, dst [4]byte, n int) []byte {
	p := make([]byte, n)
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(n))
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	sum := uint32(0)
	for i := 0; i < ipLen; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum))
	binary.BigEndian.PutUint16(p[ipLen+4:], uint16(n-ipLen))
	return p
}

func setPorts(ip []byte, src, dst uint16) {
	binary.BigEndian.PutUint16(ip[ipLen:], src)
	binary.BigEndian.PutUint16(ip[ipLen+2:], dst)
}
