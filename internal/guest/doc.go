// Package guest is what sits behind a vNIC: hosts with a real TCP/IP stack
// (gVisor netstack), the servers and clients that run in them, light frame
// generators, a replayer of capture files, and the meters that measure clients
// from the frames at their vNIC. It knows Ports and Deltas, not the control
// plane, and it decides nothing about a frame: addresses, rules and faults are
// the data plane's.
//
// # Servers
//
// Every running host answers on all its addresses: ping, UDP echo on port 7,
// and HTTP on port 80, where GET / returns the instance id and a newline, and
// the header X-Instance-Id.
//
// # Echo payload
//
// A client of the UDP echo service sends this payload (integers big endian);
// the server returns the same bytes with kind and responder filled in, so that
// any capture tells which instance answered. The responder has a fixed offset
// in front of the padding because captures cut long frames.
//
//	offset  size  field
//	0       4     magic "ENL1"
//	4       1     version, 1
//	5       1     kind: 1 request, 2 reply
//	6       2     zero
//	8       4     flow id, one per client and start
//	12      8     sequence number, from 1
//	20      8     time sent, Unix nanoseconds of the client
//	28      19    responder: instance id in ASCII, zero padded; zero in a request
//	47      -     padding up to the payload size (default 64)
//
// A datagram to port 7 that is no such request is echoed unchanged (RFC 862).
//
// # Measuring
//
// A meter takes times and matches from the tap points guest_tx and guest_rx of
// the client's vNIC. Its numbers are therefore those that anybody finds in an
// exported capture, and a request that a security group refused counts as sent.
package guest
