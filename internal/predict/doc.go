// Package predict says what the data plane would do with a packet without sending
// it: from what the data plane is told (package spec), by the filters that the
// data plane compiles it to, and with all that is in the way, not the first thing
// alone. It moves nothing, remembers nothing of any engine, and knows no resource
// of EC2's.
//
// That it agrees with the engine is tested beside the engine's own model, on the
// same random networks: `make answers` asks 10,000 questions, sends each packet
// and compares verdict, reason, place, route, ACL entry, rule and translation.
package predict
