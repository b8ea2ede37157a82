//go:build linux

package main

import (
	"fmt"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const burst = 64

// gvisorForward is gVisor's TCP/IP stack as a router between two NICs, in this
// process: connection tracking, and a FORWARD chain of 60 rules of which the
// last accepts. It does less than a VPC (one filter for two, no layer 2) and
// without a system call. It is one stack with one sender, as its hot locks are.
func gvisorForward(j job, begin func(), stop func() bool) (uint64, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{udp.NewProtocol},
	})
	defer s.Destroy()
	in, out := channel.New(burst, 9216, ""), channel.New(burst, 9216, "")
	for id, ep := range map[tcpip.NICID]*channel.Endpoint{1: in, 2: out} {
		if err := s.CreateNIC(id, ep); err != nil {
			return 0, fmt.Errorf("creating NIC: %v", err)
		}
		addr := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddrFrom4([4]byte{10, byte(id), 0, 1}).WithPrefix()}
		if err := s.AddProtocolAddress(id, addr, stack.AddressProperties{}); err != nil {
			return 0, fmt.Errorf("adding address: %v", err)
		}
	}
	var routes []tcpip.Route
	for id := tcpip.NICID(1); id <= 2; id++ {
		net, err := tcpip.NewSubnet(tcpip.AddrFrom4([4]byte{10, byte(id), 0, 0}), tcpip.MaskFromBytes([]byte{255, 255, 0, 0}))
		if err != nil {
			return 0, err
		}
		routes = append(routes, tcpip.Route{Destination: net, NIC: id})
	}
	s.SetRouteTable(routes)
	if err := s.SetForwardingDefaultAndAllNICs(ipv4.ProtocolNumber, true); err != nil {
		return 0, fmt.Errorf("forwarding: %v", err)
	}
	s.IPTables().ForceReplaceTable(stack.FilterID, sixtyRules(), false)

	ip := packet([4]byte{10, 1, 0, 10}, [4]byte{10, 2, 0, 10}, j.bytes-etherLen)
	flow := 0
	arrived := uint64(0)
	carry := func() {
		for range burst {
			src, dst := ports(flow)
			setPorts(ip, src, dst)
			if flow++; flow == j.flows {
				flow = 0
			}
			p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(ip)})
			in.InjectInbound(header.IPv4ProtocolNumber, p)
			p.DecRef()
		}
		for p := out.Read(); p != nil; p = out.Read() {
			arrived++
			p.DecRef()
		}
	}
	for range max(2*j.flows/burst, 100) {
		carry()
	}
	begin()
	arrived = 0
	for !stop() {
		carry()
	}
	return arrived, nil
}

// sixtyRules is the filter table with 60 rules for what is forwarded.
func sixtyRules() stack.Table {
	accept := &stack.AcceptTarget{NetworkProtocol: header.IPv4ProtocolNumber}
	drop := &stack.DropTarget{NetworkProtocol: header.IPv4ProtocolNumber}
	rule := func(net, mask [4]byte) stack.Rule {
		return stack.Rule{Target: accept, Filter: stack.IPHeaderFilter{
			Protocol: header.UDPProtocolNumber, CheckProtocol: true,
			Src: tcpip.AddrFrom4(net), SrcMask: tcpip.AddrFrom4(mask),
			Dst: tcpip.AddrFrom4([4]byte{}), DstMask: tcpip.AddrFrom4([4]byte{}),
		}}
	}
	t := stack.Table{Rules: []stack.Rule{{Filter: stack.EmptyFilter4(), Target: accept}}} // INPUT
	for i := range 59 {
		t.Rules = append(t.Rules, rule([4]byte{172, 16, byte(i), 0}, [4]byte{255, 255, 255, 0}))
	}
	t.Rules = append(t.Rules, rule([4]byte{10, 0, 0, 0}, [4]byte{255, 0, 0, 0}))
	last := len(t.Rules)
	t.Rules = append(t.Rules, stack.Rule{Filter: stack.EmptyFilter4(), Target: drop},
		stack.Rule{Filter: stack.EmptyFilter4(), Target: accept}, // OUTPUT
		stack.Rule{Filter: stack.EmptyFilter4(), Target: &stack.ErrorTarget{NetworkProtocol: header.IPv4ProtocolNumber}})
	chains := [stack.NumHooks]int{
		stack.Prerouting: stack.HookUnset, stack.Input: 0, stack.Forward: 1, stack.Output: last + 1, stack.Postrouting: stack.HookUnset,
	}
	t.BuiltinChains, t.Underflows = chains, chains
	t.Underflows[stack.Forward] = last
	return t
}
