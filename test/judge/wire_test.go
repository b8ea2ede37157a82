//go:build judge && linux

package judge

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// etherTypeProbe is that of the barrier's frames (IEEE 802, local experimental).
	etherTypeProbe = 0x88b5
	// crossings bounds how many links a frame of this judge crosses: no more than
	// its TTL, and those that bridges add.
	crossings = 80
	patience  = 20 * time.Second
)

// stage is the namespace where the guests' ends of all links are: frames are put
// on them there, and seen when they come out.
type stage struct {
	*namespace
	guests   map[string]int // interface index by ENI
	ofIndex  map[int]string
	inject   int // sockets
	sniff    int
	probe    int
	probeOut int // interface index
}

// open binds the sockets; the caller's thread is in the namespace. guests are the
// links' names by ENI.
func (s *stage) open(guests map[string]string) error {
	s.guests, s.ofIndex = map[string]int{}, map[int]string{}
	for id, link := range guests {
		i, err := net.InterfaceByName(link)
		if err != nil {
			return fmt.Errorf("the guest's link of %s: %w", id, err)
		}
		s.guests[id], s.ofIndex[i.Index] = i.Index, id
	}
	out, err := net.InterfaceByName("probe0")
	if err != nil {
		return err
	}
	in, err := net.InterfaceByName("probe1")
	if err != nil {
		return err
	}
	s.probeOut = out.Index
	if s.inject, err = packetSocket(0, 0); err != nil {
		return err
	}
	if s.sniff, err = packetSocket(unix.ETH_P_IP, 0); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(s.sniff, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20); err != nil {
		return err
	}
	if s.probe, err = packetSocket(etherTypeProbe, in.Index); err != nil {
		return err
	}
	t := unix.NsecToTimeval(int64(patience))
	return unix.SetsockoptTimeval(s.probe, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &t)
}

func (s *stage) close() {
	for _, fd := range []int{s.inject, s.sniff, s.probe} {
		if fd > 0 {
			unix.Close(fd)
		}
	}
}

func packetSocket(etherType uint16, link int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("opening a packet socket: %w", err)
	}
	if etherType == 0 {
		return fd, nil
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
		return 0, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: etherType<<8 | etherType>>8, Ifindex: link})
}

// send puts b on the link of the guest of an ENI and returns what guests get of it:
// when it has come to its end, or once they have got want frames. One that comes
// later than that comes with the next, and is known by its mark.
//
// The kernel carries a frame from link to link in the order of one processor's
// queue, mostly at once. The thread is pinned to that processor, so that a probe
// that comes out tells that all before it have gone one link further.
func (s *stage) send(from string, b []byte, want int) (out []arrival, err error) {
	if err := unix.Sendto(s.inject, b, 0, &unix.SockaddrLinklayer{Ifindex: s.guests[from]}); err != nil {
		return nil, fmt.Errorf("sending at %s: %w", from, err)
	}
	const few = 4
	for n := 0; n < few || len(out) < want && n < crossings; n++ {
		if err := s.pass(); err != nil {
			return nil, err
		}
		if out, err = s.receive(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// settle returns what guests get of frames that are still on their way.
func (s *stage) settle() (out []arrival, err error) {
	for range crossings {
		if err := s.pass(); err != nil {
			return nil, err
		}
	}
	return s.receive(nil)
}

// pass sends a probe and waits for it.
func (s *stage) pass() error {
	probe := make([]byte, 60)
	probe[12], probe[13] = etherTypeProbe>>8, etherTypeProbe&0xff
	for i := range probe[:6] {
		probe[i] = 0xff
	}
	if err := unix.Sendto(s.inject, probe, 0, &unix.SockaddrLinklayer{Ifindex: s.probeOut}); err != nil {
		return fmt.Errorf("sending a probe: %w", err)
	}
	for {
		_, _, err := unix.Recvfrom(s.probe, probe, 0)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) { // Go's own signals; a call with a timeout is not restarted
			return fmt.Errorf("a probe did not come out within %v: %w", patience, err)
		}
	}
}

// receive appends what has come out of the guests' links.
func (s *stage) receive(out []arrival) ([]arrival, error) {
	for {
		got := make([]byte, 2048)
		n, at, err := unix.Recvfrom(s.sniff, got, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("receiving: %w", err)
		}
		id, ok := s.ofIndex[at.(*unix.SockaddrLinklayer).Ifindex]
		if !ok {
			continue
		}
		a, err := arrived(id, got[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
}
