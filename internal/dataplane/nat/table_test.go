package nat

import (
	"testing"

	"enilab/internal/dataplane/frame"
)

func TestOutcomes(t *testing.T) {
	const elsewhere = server + 1
	tests := []struct {
		name    string
		out     bool
		v       frame.View
		want    Outcome
		opening bool
	}{
		{"a SYN", true, tcp(client, 1, server, 80, syn), Translated, true},
		{"a SYN with ECN", true, tcp(client, 1, server, 80, syn|0xc0), Translated, true},
		{"a segment out of the blue", true, tcp(client, 1, server, 80, ack), NoConnection, false},
		{"an answer to a SYN that was not seen", true, tcp(client, 1, server, 80, syn|ack), NoConnection, false},
		{"a reset out of the blue", true, tcp(client, 1, server, 80, rst), NoConnection, false},
		{"a SYN that resets", true, tcp(client, 1, server, 80, syn|rst), NoConnection, false},
		{"UDP", true, udp(client, 1, server, 53), Translated, true},
		{"an echo request", true, icmp(8, client, server, 7), Translated, true},
		{"an echo reply that nobody asked for", true, icmp(0, client, server, 7), Unsupported, false},
		{"a timestamp request", true, icmp(13, client, server, 7), Unsupported, false},
		{"GRE", true, datagram(47, client, server, 0, 0), Unsupported, false},
		{"IPv6", true, frame.View{Kind: frame.KindIPv6, Proto: frame.ProtoUDP, HasL4: true}, Unsupported, false},
		{"a frame that was not parsed", true, frame.View{}, Unsupported, false},
		{"the first fragment of UDP", true, piece(udp(client, 1, server, 53), true, 1), Translated, true},
		{"a later fragment alone", true, piece(udp(client, 1, server, 53), false, 1), NoFirstFragment, false},
		{"the first fragment of TCP", true, piece(tcp(client, 1, server, 80, syn), true, 1), Fragmented, false},
		{"a fragment of TCP", true, piece(tcp(client, 1, server, 80, 0), false, 1), Fragmented, false},
		{"the first fragment of an echo", true, piece(icmp(8, client, server, 7), true, 1), Fragmented, false},

		{"a SYN from outside", false, tcp(server, 80, gateway, 4000, syn), NoConnection, false},
		{"UDP from outside", false, udp(elsewhere, 53, gateway, 4000), NoConnection, false},
		{"an echo request from outside", false, icmp(8, server, gateway, 4000), Unsupported, false},
		{"an echo reply from outside", false, icmp(0, server, gateway, 4000), NoConnection, false},
		{"a fragment of TCP from outside", false, piece(tcp(server, 80, gateway, 4000, ack), true, 1), Fragmented, false},
		{"a later fragment from outside", false, piece(udp(server, 53, gateway, 4000), false, 1), NoFirstFragment, false},
	}
	for _, tt := range tests {
		table := one()
		call := table.In
		if tt.out {
			call = table.Out
		}
		ip, port, o := call(&tt.v, 1)
		if o != tt.want || (o == Translated) != (ip == gateway && port >= FirstPort) || (table.Len() == 1) != tt.opening {
			t.Errorf("%s: %v to %v:%d, %d connections", tt.name, o, ip, port, table.Len())
		}
	}
}

func TestOnlyTheDestinationAnswers(t *testing.T) {
	table := one()
	_, tcpPort := table.mustOut(t, tcp(client, 40000, server, 80, syn), 0)
	_, udpPort := table.mustOut(t, udp(client, 40000, server, 53), 0)
	_, id := table.mustOut(t, icmp(8, client, server, 7), 0)
	tests := []struct {
		name string
		v    frame.View
		port uint16 // of the client; 0: none
	}{
		{"the server", tcp(server, 80, gateway, tcpPort, syn|ack), 40000},
		{"its other port", tcp(server, 81, gateway, tcpPort, syn|ack), 0},
		{"another host", tcp(server+1, 80, gateway, tcpPort, syn|ack), 0},
		{"another port of the gateway", tcp(server, 80, gateway, tcpPort+1, syn|ack), 0},
		{"another address of the gateway", tcp(server, 80, gateway+1, tcpPort, syn|ack), 0},
		{"by UDP", udp(server, 80, gateway, tcpPort), 0},
		{"the name server", udp(server, 53, gateway, udpPort), 40000},
		{"its other port", udp(server, 54, gateway, udpPort), 0},
		{"an echo", icmp(0, server, gateway, id), 7},
		{"an echo of another host", icmp(0, server+1, gateway, id), 0},
		{"a request under the identifier", icmp(8, server, gateway, id), 0},
	}
	for _, tt := range tests {
		ip, port, o := table.In(&tt.v, 1)
		if (o == Translated) != (tt.port != 0) || port != tt.port || o == Translated && ip != client {
			t.Errorf("%s: %v to %v:%d", tt.name, o, ip, port)
		}
	}
	table.check(t)
}

func TestSameConnectionKeepsItsPort(t *testing.T) {
	table := one()
	_, port := table.mustOut(t, udp(client, 1, server, 53), 0)
	for n := range int64(100) {
		if ip, again := table.mustOut(t, udp(client, 1, server, 53), n*300*second); ip != gateway || again != port {
			t.Fatalf("datagram %d left by %v:%d, want port %d", n, ip, again, port)
		}
	}
	if table.Len() != 1 || table.Stats().Opened != 1 {
		t.Errorf("%d connections, %+v", table.Len(), table.Stats())
	}
}

// step is one datagram of a connection between client and server, or a wait.
type step struct {
	out  bool
	wait int64 // seconds before it
	v    uint8 // TCP flags
	want Outcome
}

func TestConnectionEnds(t *testing.T) {
	open := []step{{true, 0, syn, Translated}, {false, 0, syn | ack, Translated}, {true, 0, ack, Translated}}
	closed := append(open[:3:3], step{true, 0, fin | ack, Translated}, step{false, 0, fin | ack, Translated}, step{true, 0, ack, Translated})
	tests := []struct {
		name  string
		steps []step
		state State // in the end, 0: none
	}{
		{"established", open, TCPEstablished},
		{"never answered", open[:1], TCPOpening},
		{"answered and not acknowledged", open[:2], TCPOpening},
		{"idle just short of 350 s", append(open[:3:3], step{true, 349, ack, Translated}), TCPEstablished},
		{"idle for 350 s", append(open[:3:3], step{true, 350, ack, NoConnection}), 0},
		{"idle for 350 s, seen from outside", append(open[:3:3], step{false, 350, ack, NoConnection}), 0},
		{"kept alive from outside", append(open[:3:3], step{false, 349, ack, Translated}, step{true, 349, ack, Translated}), TCPEstablished},
		{"half closed is kept", append(open[:3:3], step{true, 0, fin | ack, Translated}, step{false, 349, ack, Translated}), TCPEstablished},
		{"closed", closed, TCPClosing},
		{"closed, and the last acknowledgement again", append(closed[:6:6], step{true, 9, ack, Translated}), TCPClosing},
		{"closed for 10 s", append(closed[:6:6], step{true, 10, ack, NoConnection}), 0},
		{"reset from outside", append(open[:1:1], step{false, 0, rst | ack, Translated}), TCPClosing},
		{"reset from inside", append(open[:3:3], step{true, 0, rst, Translated}, step{false, 10, ack, NoConnection}), 0},
		{"opened again", append(closed[:6:6], step{true, 1, syn, Translated}), TCPOpening},
		{"opened again from outside", append(closed[:6:6], step{false, 1, syn, NoConnection}), TCPClosing},
		{"both call at once", []step{{true, 0, syn, Translated}, {false, 0, syn, Translated}, {true, 0, syn | ack, Translated}}, TCPEstablished},
	}
	for _, tt := range tests {
		table := one()
		now, port := int64(0), uint16(0)
		for n, s := range tt.steps {
			now += s.wait * second
			var o Outcome
			if s.out {
				v := tcp(client, 40000, server, 80, s.v)
				var p uint16
				if _, p, o = table.Out(&v, now); o == Translated {
					port = p
				}
			} else {
				v := tcp(server, 80, gateway, port, s.v)
				_, _, o = table.In(&v, now)
			}
			if o != s.want {
				t.Errorf("%s: step %d is %v, want %v", tt.name, n, o, s.want)
			}
		}
		state := State(0)
		table.Flows(now, func(f Flow) { state = f.State })
		if state != tt.state {
			t.Errorf("%s: ended as %v, want %v", tt.name, state, tt.state)
		}
		table.check(t)
	}
}

func TestPortsOfADestination(t *testing.T) {
	const second = gateway + 1
	table := one(gateway, second)
	seen := map[frame.IPv4]map[uint16]bool{gateway: {}, second: {}}
	last := gateway
	for n := range 2 * PerDestination {
		ip, port := table.mustOut(t, udp(client+frame.IPv4(n>>16), uint16(n), server, 53), 0)
		if seen[ip][port] || port < FirstPort || ip < last {
			t.Fatalf("connection %d left by %v:%d", n, ip, port)
		}
		seen[ip][port], last = true, ip
	}
	if len(seen[gateway]) != PerDestination || len(seen[second]) != PerDestination {
		t.Errorf("%d and %d connections", len(seen[gateway]), len(seen[second]))
	}
	v := udp(client+9, 1, server, 53)
	if _, _, o := table.Out(&v, 0); o != NoPort || table.Stats().NoPort != 1 {
		t.Errorf("one more is %v, %+v", o, table.Stats())
	}
	// Each of address, port and protocol makes another destination.
	for _, v := range []frame.View{udp(client, 1, server+1, 53), udp(client, 1, server, 54), tcp(client, 1, server, 53, syn), icmp(8, client, server, 1)} {
		if ip, _, o := table.Out(&v, 0); o != Translated || ip != gateway {
			t.Errorf("%+v is %v by %v", v, o, ip)
		}
	}
	// Those whose time is over give room without Expire.
	if ip, _ := table.mustOut(t, v, int64(DefaultIdle)); ip != gateway {
		t.Errorf("left by %v", ip)
	}
	table.check(t)
}

func TestFullTable(t *testing.T) {
	table := New(Config{Addresses: []frame.IPv4{gateway}, MaxEntries: 3})
	for n := range 3 {
		table.mustOut(t, nth(n), int64(n)*second)
	}
	v := nth(3)
	if _, _, o := table.Out(&v, 3*second); o != Full || table.Len() != 3 {
		t.Errorf("one more is %v, %d connections", o, table.Len())
	}
	table.mustOut(t, nth(1), 3*second)
	table.mustOut(t, v, int64(DefaultIdle)) // the first has ended
	if table.check(t); table.Len() != 3 {
		t.Errorf("%d connections", table.Len())
	}
}

func TestWithoutAddress(t *testing.T) {
	table := New(Config{})
	v := udp(client, 1, server, 53)
	if _, _, o := table.Out(&v, 0); o != NoPort {
		t.Errorf("%v", o)
	}
}

func TestAddressesChange(t *testing.T) {
	table := one()
	_, port := table.mustOut(t, udp(client, 1, server, 53), 0)
	table.SetAddresses([]frame.IPv4{gateway + 1})
	if ip, again := table.mustOut(t, udp(client, 1, server, 53), 1); ip != gateway || again != port {
		t.Errorf("a connection moved to %v:%d", ip, again)
	}
	if ip, _ := table.mustOut(t, udp(client, 2, server, 53), 1); ip != gateway+1 {
		t.Errorf("a new connection leaves by %v", ip)
	}
	if n := table.Drop(gateway); n != 1 || table.Len() != 1 {
		t.Errorf("dropped %d, %d left", n, table.Len())
	}
	table.check(t)
	if ip, _ := table.mustOut(t, udp(client, 1, server, 53), 2); ip != gateway+1 {
		t.Errorf("dropped, and leaves by %v", ip)
	}
}

func TestFragments(t *testing.T) {
	table := one()
	sent := udp(client, 1, server, 53)
	_, port := table.mustOut(t, piece(sent, true, 7), 0)
	if ip, p := table.mustOut(t, piece(sent, false, 7), second); ip != gateway || p != 0 {
		t.Errorf("a later fragment leaves by %v:%d", ip, p)
	}
	answer := udp(server, 53, gateway, port)
	for _, tt := range []struct {
		name string
		out  bool
		v    frame.View
		at   int64
		want Outcome
	}{
		{"another datagram", true, piece(sent, false, 8), 1, NoFirstFragment},
		{"another protocol", true, piece(icmp(8, client, server, 1), false, 7), 1, Fragmented},
		{"the other way", false, piece(answer, false, 7), 1, NoFirstFragment},
		{"two seconds later", true, piece(sent, false, 7), 2 * second, NoFirstFragment},
		{"an answer", false, piece(answer, true, 9), 3 * second, Translated},
		{"the rest of it", false, piece(answer, false, 9), 3 * second, Translated},
	} {
		call, want := table.In, client
		if tt.out {
			call, want = table.Out, gateway
		}
		if ip, _, o := call(&tt.v, tt.at); o != tt.want || o == Translated && ip != want {
			t.Errorf("%s: %v to %v", tt.name, o, ip)
		}
	}
	// A flood of first fragments is forgotten, not hoarded, and stops nobody.
	for n := range 100_000 {
		table.mustOut(t, piece(sent, true, uint16(n)), 4*second+int64(n))
		table.mustOut(t, piece(sent, false, uint16(n)), 4*second+int64(n))
	}
	if table.Len() != 1 {
		t.Errorf("%d connections", table.Len())
	}
	if table.Expire(10*second, 1); table.fragments.sets != nil {
		t.Error("fragments keep memory")
	}
}

func TestFlows(t *testing.T) {
	table := one()
	_, port := table.mustOut(t, tcp(client, 40000, server, 80, syn), 0)
	v := tcp(server, 80, gateway, port, syn|ack)
	table.In(&v, second)
	table.mustOut(t, tcp(client, 40000, server, 80, ack), 2*second)
	table.mustOut(t, icmp(8, client, server, 7), -400*second) // its time is over
	var got []Flow
	table.Flows(3*second, func(f Flow) { got = append(got, f) })
	want := Flow{
		Inside: client.Addr(), Outside: gateway, Remote: server, InsidePort: 40000, OutsidePort: port, RemotePort: 80,
		Proto: frame.ProtoTCP, State: TCPEstablished, PacketsOut: 2, PacketsIn: 1, BytesOut: 200, BytesIn: 100, Expires: DefaultIdle - 1e9,
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s := table.Stats(); s != (Stats{Opened: 2, Established: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{"invalid": true}
	for o := Outcome(0); o <= NoFirstFragment; o++ {
		if seen[o.String()] {
			t.Errorf("%d is %q again", o, o)
		}
		seen[o.String()] = true
	}
	for s := State(0); s <= Echo; s++ {
		if s.String() == "invalid" {
			t.Errorf("state %d has no name", s)
		}
	}
	if (NoFirstFragment+1).String() != "invalid" || (Echo+1).String() != "invalid" {
		t.Error("names of nothing")
	}
}
