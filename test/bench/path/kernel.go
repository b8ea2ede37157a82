//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelPath sends frames from namespace 2i to namespace 2i+1 of a world that
// exists: the sender's output filter and connection tracking, its veth, the
// bridge, the receiver's veth, its input filter and connection tracking, and a
// socket whose own filter throws everything away, which is the cheapest end of
// a datagram that IP delivers. Senders write 64 packets a system call to a raw
// socket; with more than one flow there is one on each processor.
func kernelPath(prefix string) lane {
	return func(j job, begin func(), stop func() bool) (uint64, error) {
		w := &world{prefix: prefix}
		senders := 1
		if j.flows > 1 {
			senders = runtime.NumCPU()
		}
		streams := make([][]*stream, senders) // by sender
		var ends []*udpEnd
		for i := range j.pairs() {
			e, err := openEnd(w.name(2*i+1), (j.flows-1)/portsEach+1)
			if err != nil {
				return 0, err
			}
			ends = append(ends, e)
			share := j.flows / j.pairs()
			if j.pairs() >= senders { // each pair has its sender
				s, err := openStream(w, 2*i, 0, share, j.bytes)
				if err != nil {
					return 0, err
				}
				streams[i%senders] = append(streams[i%senders], s)
				continue
			}
			for k := range min(senders, share) { // senders divide the flows
				s, err := openStream(w, 2*i, k*share/senders, (k+1)*share/senders, j.bytes)
				if err != nil {
					return 0, err
				}
				streams[k] = append(streams[k], s)
			}
		}
		for _, list := range streams {
			for _, s := range list {
				if err := s.establish(w); err != nil {
					return 0, err
				}
			}
		}
		before, err := arrived(ends)
		if err != nil {
			return 0, err
		}
		begin()
		var wg sync.WaitGroup
		failed := make([]error, senders)
		for i, list := range streams {
			wg.Go(func() {
				runtime.LockOSThread()
				for failed[i] == nil && !stop() {
					for _, s := range list {
						if failed[i] = s.send(burst); failed[i] != nil {
							return
						}
					}
				}
			})
		}
		wg.Wait()
		for _, err := range failed {
			if err != nil {
				return 0, err
			}
		}
		after, err := arrived(ends)
		return after - before, err
	}
}

// inside runs f with the calling thread in a network namespace.
func inside(name string, f func() error) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		fd, err := unix.Open("/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			failed <- fmt.Errorf("opening namespace %s: %w", name, err)
			return
		}
		defer unix.Close(fd)
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			failed <- fmt.Errorf("entering namespace %s: %w", name, err)
			return
		}
		failed <- f()
	}()
	return <-failed
}

// udpEnd counts what arrives in a namespace.
type udpEnd struct{ snmp *os.File }

func openEnd(namespace string, ports int) (*udpEnd, error) {
	e := &udpEnd{}
	return e, inside(namespace, func() (err error) {
		for i := range ports {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
			if err != nil {
				return err
			}
			refuse := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
			if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &refuse}); err != nil {
				return err
			}
			if err := unix.Bind(fd, &unix.SockaddrInet4{Port: targetPort + i}); err != nil {
				return err
			}
		}
		e.snmp, err = os.Open("/proc/thread-self/net/snmp")
		return err
	})
}

// arrived sums the datagrams that reached their sockets: those that a socket's
// filter refused are the InErrors of UDP.
func arrived(ends []*udpEnd) (total uint64, err error) {
	for _, e := range ends {
		if _, err := e.snmp.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		text, err := io.ReadAll(e.snmp)
		if err != nil {
			return 0, err
		}
		var names, values []string
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); f[0] == "Udp:" {
				names, values = values, f
			}
		}
		for i, n := range names {
			if n == "InErrors" || n == "InDatagrams" {
				v, err := strconv.ParseUint(values[i], 10, 64)
				if err != nil {
					return 0, err
				}
				total += v
			}
		}
	}
	return total, nil
}

// mmsghdr is what sendmmsg(2) takes.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// stream is a raw socket and the packets that it sends over and over.
type stream struct {
	fd, from    int
	first, last int // flows of it, the last one excluded
	flow        int
	packets     [burst][]byte
	headers     [burst]mmsghdr
	vectors     [burst]unix.Iovec
	to          unix.RawSockaddrInet4
}

// openStream opens one from a namespace to its neighbour.
func openStream(w *world, from, first, last, frame int) (*stream, error) {
	s := &stream{from: from, first: first, last: max(last, first+1)}
	s.flow = s.first
	src, dst := guestIP(from), guestIP(from^1)
	s.to = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: dst}
	for i := range s.packets {
		s.packets[i] = packet(src, dst, frame-etherLen)
		s.vectors[i].Base = &s.packets[i][0]
		s.vectors[i].SetLen(len(s.packets[i]))
		h := &s.headers[i].hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&s.to)), unix.SizeofSockaddrInet4
		h.Iov = &s.vectors[i]
		h.SetIovlen(1)
	}
	return s, inside(w.name(from), func() (err error) {
		s.fd, err = rawSocket()
		return err
	})
}

func rawSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20)
	}
	return fd, err
}

// send sends n packets at most, the next flows in turn.
func (s *stream) send(n int) error {
	for i := range n {
		src, dst := ports(s.flow)
		setPorts(s.packets[i], src, dst)
		if s.flow++; s.flow == s.last {
			s.flow = s.first
		}
	}
	for sent := 0; sent < n; {
		k, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.headers[sent])), uintptr(n-sent), 0, 0, 0)
		switch {
		case errno == 0:
			sent += int(k)
		case errno == unix.EINTR || errno == unix.EAGAIN || errno == unix.ENOBUFS:
		default:
			return fmt.Errorf("sending: %w", errno)
		}
	}
	return nil
}

// establish sends a packet of each flow both ways: what has not been answered
// is new to nftables, and would meet all rules.
func (s *stream) establish(w *world) error {
	for left := s.last - s.first; left > 0; left -= burst {
		if err := s.send(min(left, burst)); err != nil {
			return err
		}
	}
	s.flow = s.first
	return inside(w.name(s.from^1), func() error {
		fd, err := rawSocket()
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		dst := guestIP(s.from)
		answer := packet(guestIP(s.from^1), dst, ipLen+udpLen)
		for flow := s.first; flow < s.last; flow++ {
			src, port := ports(flow)
			setPorts(answer, port, src)
			if err := unix.Sendto(fd, answer, 0, &unix.SockaddrInet4{Addr: dst}); err != nil && err != unix.ENOBUFS {
				return fmt.Errorf("answering flow %d: %w", flow, err)
			}
		}
		return nil
	})
}
