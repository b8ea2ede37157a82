package frame

import (
	"bytes"
	"testing"
)

const (
	clientMAC MAC  = 0x020000000010
	serverMAC MAC  = 0x020000000042
	clientIP  IPv4 = 192<<24 | 168<<16 | 10
	serverIP  IPv4 = 192<<24 | 168<<16 | 42
)

var testHeader = Header{Dst: serverMAC, Src: clientMAC, SrcIP: clientIP, DstIP: serverIP, ID: 1, DontFrag: true}

// addSeeds adds captured frames (of each distinct length, to keep the corpus
// small) and built ones.
func addSeeds(f *testing.F) {
	f.Helper()
	for name, frames := range allCaptured(f) {
		seen := map[int]bool{}
		for _, b := range frames {
			if name == "malformed" || name == "odd" || !seen[len(b)] && len(b) < 300 {
				f.Add(b)
			}
			seen[len(b)] = true
		}
	}
	f.Add(AppendARPReply(nil, serverMAC, serverIP, clientMAC, clientIP))
	f.Add(AppendICMPEcho(nil, testHeader, false, 7, 1, []byte("abcd")))
	f.Add(AppendUDP(nil, testHeader, 40000, 53, []byte("query")))
	f.Add(AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80, Flags: TCPSyn}, nil))
	for _, b := range disputed() {
		f.Add(b)
	}
	f.Add([]byte{})
}

// disputed returns frames that gopacket and Parse judge differently and that
// no capture leads to (see differences).
func disputed() [][]byte {
	udp := AppendUDP(nil, testHeader, 1, 2, nil)
	optionOfTwo := append(bytes.Clone(udp[:34]), 7, 2, 0, 0)
	optionOfTwo = append(optionOfTwo, udp[34:]...)
	optionOfTwo[14], optionOfTwo[17] = 0x46, 32
	udpLengthZero := bytes.Clone(udp)
	udpLengthZero[39] = 0
	taggedLength := AppendEthernet(nil, serverMAC, clientMAC, EtherTypeVLAN)
	return [][]byte{
		AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2, Options: []byte{2, 40, 0, 0}}, nil),
		optionOfTwo,
		udpLengthZero,
		append(taggedLength, 0, 1, 4, 0, 0xaa),
	}
}
