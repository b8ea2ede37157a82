// Package enilabtest gives a Go test an AWS VPC of its own, with packets in it: in
// the test's process, without root, Docker, network or a file. Any AWS SDK can use
// its EC2, STS and FIS; the test lets instances fail, moves network interfaces,
// waits for replies, and asserts what clients saw, measured from frames.
//
//	func TestFailover(t *testing.T) {
//		t.Parallel()
//		lab := enilabtest.Start(t, enilabtest.Scenario("demo"))
//		lab.WaitForReplies("client", "requests", "EC2-1")
//		lab.Fail("EC2-1", enilabtest.Freeze)
//		lab.WaitForReplies("client", "requests", "EC2-2")
//		lab.Assert("outage: {client: client, workload: requests, max: 3s}", "unchanged: [ip, mac, groups, eni]")
//	}
//
// Every laboratory is one by itself: tests run in parallel, and what one does no
// other sees. It ends with its test. Whatever goes wrong fails the test with what
// is wrong, where, and what would be right; a failed test also gets the
// laboratory's events and log.
//
// Names are those of the scenario; what the test has made by itself, with an SDK
// for one, is named by its Name tag, or by its id where there is none or two have
// the same. Methods may be called by the goroutine of the test only.
//
// It does not depend on an SDK, and has no clock but the machine's: times are
// measured, and a machine that is too slow to know makes an assertion
// inconclusive, which is never a pass.
package enilabtest
