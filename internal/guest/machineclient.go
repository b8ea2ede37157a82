package guest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// machineClient is one running workload of a machine.
type machineClient struct {
	m       *Machine
	spec    spec.Workload // as started; rate and pause are in control
	from    source
	id      uint32
	port    uint16 // of the socket
	control control
	lanes   []*lane
	finish  func() // ends the meter; nil if there is none
	ended   bool
	end     []func()
}

// lane sends at the client's rate: pace as a state machine.
type lane struct {
	c     *machineClient
	p     pacer
	phase float64
	send  func(n int)
	busy  bool // what was sent has yet to be answered or given up
	idle  bool
	round uint64
}

func (l *lane) now() int64 { return l.c.m.now() }

func (l *lane) turn() {
	switch {
	case l.c.ended || l.busy:
		return
	case l.c.control.idle():
		l.idle = true
		return
	case l.idle:
		l.idle, l.p = false, newPacer(l.c.control.rate, l.now(), l.phase)
	}
	if n := l.p.take(l.now()); n > 0 {
		l.send(n)
	}
	if !l.busy {
		l.sleep(l.p.wait())
	}
}

func (l *lane) sleep(d time.Duration) {
	l.round++
	round := l.round
	l.c.m.after(d, func() {
		if l.round == round {
			l.turn()
		}
	})
}

// free lets the lane go on after a pause.
func (l *lane) free(pause time.Duration) {
	l.busy = false
	l.sleep(pause + l.p.wait())
}

// set changes rate, pause or freeze of a running client.
func (c *machineClient) set(change func(*control)) {
	was := c.control
	change(&c.control)
	if c.control == was {
		return
	}
	for _, l := range c.lanes {
		l.p.setRate(c.control.rate, l.now())
		if !l.busy {
			l.round++
			l.turn()
		}
	}
}

func (c *machineClient) lane(phase float64, send func(n int)) *lane {
	l := &lane{c: c, p: newPacer(c.control.rate, c.m.now(), phase), phase: phase, send: send}
	c.lanes = append(c.lanes, l)
	return l
}

// setWorkloads makes the running clients those of specs; see Host.setWorkloads.
func (m *Machine) setWorkloads(specs []spec.Workload) error {
	var errs []error
	want := make(map[string]spec.Workload, len(specs))
	for _, s := range specs {
		w, err := defaults(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("host %s: %w", m.id, err))
			continue
		}
		want[w.Name] = w
	}
	m.stopClients(func(c *machineClient) bool {
		w, ok := want[c.spec.Name]
		from, reachable := m.source(w.Target)
		w.Rate, w.Paused = c.spec.Rate, c.spec.Paused
		return !ok || !reachable || from != c.from || w != c.spec
	})
	for _, s := range specs {
		w, ok := want[s.Name]
		if !ok {
			continue
		}
		if i := slices.IndexFunc(m.clients, func(c *machineClient) bool { return c.spec.Name == w.Name }); i >= 0 {
			m.clients[i].set(func(k *control) { k.rate, k.paused = w.Rate, w.Paused })
			continue
		}
		if from, reachable := m.source(w.Target); reachable {
			m.start(w, from)
		}
	}
	return errors.Join(errs...)
}

func (m *Machine) stopClients(f func(*machineClient) bool) {
	m.clients = slices.DeleteFunc(m.clients, func(c *machineClient) bool {
		if !f(c) {
			return false
		}
		c.ended = true
		for _, end := range c.end {
			end()
		}
		if c.finish != nil {
			c.finish()
		}
		return true
	})
}

func (m *Machine) start(w spec.Workload, from source) {
	m.all.starts++
	c := &machineClient{
		m: m, spec: w, from: from, id: flowID(m.all.seed, m.id, w.Name, m.all.starts),
		control: control{rate: w.Rate, paused: w.Paused, frozen: m.fault == spec.FaultFreeze},
	}
	flow := Flow{Host: m.id, VNIC: from.vnic, Workload: w.Name, Kind: w.Kind, Target: w.Target, Port: w.Port}
	switch w.Kind {
	case spec.WorkloadUDPEcho:
		c.port = m.ephemeral()
		c.lane(0, c.sendEcho())
	case spec.WorkloadPing:
		flow.Port = 0
		c.lane(0, c.sendPing())
	case spec.WorkloadHTTP:
		to := netip.AddrPortFrom(w.Target, w.Port)
		for i := range w.Connections {
			lane := &webLane{request: []byte("GET / HTTP/1.1\r\nHost: " + to.String() + "\r\nUser-Agent: enilab\r\n\r\n")}
			lane.lane = c.lane(float64(i)/float64(w.Connections), func(int) { lane.send() })
			c.end = append(c.end, lane.close)
		}
	case spec.WorkloadFrames:
		c.lane(0, c.sendFrames())
	}
	if w.Kind != spec.WorkloadFrames {
		c.finish = m.all.measure(flow, measure{kind: w.Kind, local: from.addr, target: w.Target, port: w.Port, id: c.id,
			rate: w.Rate * float64(w.Connections)})
		m.all.keepUp()
	}
	m.clients = append(m.clients, c)
	for _, l := range c.lanes {
		l.sleep(0) // behind the Delta that starts it
	}
}

func (c *machineClient) sendEcho() func(int) {
	var seq uint64
	payload := make([]byte, c.spec.Size)
	return func(n int) {
		for range n {
			seq++
			echo{kind: echoRequest, flow: c.id, seq: seq, sent: c.m.now()}.put(payload)
			c.m.emit(c.from.addr, c.spec.Target, func(b []byte, h frame.Header) []byte {
				return frame.AppendUDP(b, h, c.port, c.spec.Port, payload)
			})
		}
	}
}

func (c *machineClient) sendPing() func(int) {
	var seq uint16
	payload := make([]byte, c.spec.Size)
	return func(n int) {
		for range n {
			seq++
			c.m.emit(c.from.addr, c.spec.Target, func(b []byte, h frame.Header) []byte {
				return frame.AppendICMPEcho(b, h, false, pingID(c.id), seq, payload)
			})
		}
	}
}

// sendFrames is runFrames.
func (c *machineClient) sendFrames() func(int) {
	src, _ := frame.IPv4From(c.from.addr)
	to, _ := frame.IPv4From(c.spec.Target)
	i := slices.IndexFunc(c.m.nics, func(n *machineNIC) bool { return n.at.vnic == c.from.vnic })
	n := c.m.nics[i]
	g := generator{
		header:  frame.Header{Src: n.mac, SrcIP: src, DstIP: to, DontFrag: true},
		srcPort: generatorPort, dstPort: c.spec.Port, flow: c.id, payload: make([]byte, c.spec.Size),
	}
	near := n.at.subnet.Contains(c.spec.Target)
	return func(due int) {
		g.header.Dst = n.at.routerMAC
		if near {
			if mac, ok := c.m.all.macOf(n.at.subnetID, c.spec.Target); ok {
				g.header.Dst = mac
			}
		}
		for due > 0 {
			burst := g.burst(min(due, generatorBurst), c.m.now())
			for _, b := range burst {
				c.m.put(n, b)
			}
			due -= len(burst)
		}
	}
}
