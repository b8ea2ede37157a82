package bench

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// parallel is how many call at once, where they do.
const parallel = 8

// turn is what one measurement gave.
type turn struct {
	rate     float64 // calls a second
	p50, p99 time.Duration
}

// measure makes n calls, of which each of the callers makes its share.
func measure(b *testing.B, callers, n int, one func(i int) error) turn {
	b.Helper()
	took := make([]time.Duration, n)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begun := time.Now()
	for range callers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				t := time.Now()
				if err := one(i); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				took[i] = time.Since(t)
			}
		})
	}
	wg.Wait()
	all := time.Since(begun)
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	slices.Sort(took)
	return turn{rate: float64(n) / all.Seconds(), p50: took[(n-1)/2], p99: took[(n-1)*99/100]}
}

// world makes the subnet and the instances that interfaces are attached to.
func (e *emulator) world(b *testing.B) {
	b.Helper()
	must := func(form, want string) string {
		b.Helper()
		answer, err := e.call(form)
		if err != nil {
			b.Fatal(err)
		}
		id := field(answer, want)
		if id == "" {
			b.Fatalf("%s: no %s in %s", e.name, want, answer)
		}
		return id
	}
	vpc := must("Action=CreateVpc&CidrBlock=10.77.0.0/16", "vpcId")
	e.subnet = must("Action=CreateSubnet&CidrBlock=10.77.0.0/17&VpcId="+vpc, "subnetId")
	for range owners {
		e.instances = append(e.instances, must("Action=RunInstances&ImageId=ami-0123456789abcdef0&InstanceType=c5.24xlarge&MinCount=1&MaxCount=1&SubnetId="+
			e.subnet, "instanceId"))
	}
}

// create makes one interface and writes down its id.
func (e *emulator) create(id *string) error {
	answer, err := e.call("Action=CreateNetworkInterface&Description=bench&SubnetId=" + e.subnet)
	*id = field(answer, "networkInterfaceId")
	return err
}

// fill brings the number of interfaces that are not primary ones to n.
func (e *emulator) fill(b *testing.B, n int) {
	b.Helper()
	missing := n - e.count(b)
	if missing <= 0 {
		return
	}
	made := make([]string, missing)
	measure(b, parallel, missing, func(i int) error { return e.create(&made[i]) })
	e.enis = append(e.enis, made...)
}

// count counts in pages, as a client would.
func (e *emulator) count(b *testing.B) (n int) {
	b.Helper()
	for token := ""; ; {
		answer, err := e.call("Action=DescribeNetworkInterfaces&MaxResults=1000&NextToken=" + token)
		if err != nil {
			b.Fatal(err)
		}
		n += countOf(answer, "<interfaceType>")
		if token = field(answer, "nextToken"); token == "" {
			return n - len(e.instances)
		}
	}
}

// attach attaches interface i of those that are for it, and returns the id of
// the attachment.
func (e *emulator) attach(i int) (string, error) {
	answer, err := e.call(fmt.Sprintf("Action=AttachNetworkInterface&NetworkInterfaceId=%s&InstanceId=%s&DeviceIndex=%d",
		e.enis[i], e.instances[i/slots], i%slots+1))
	return field(answer, "attachmentId"), err
}

// detach lets go of them all, and returns when each can be attached again.
func (e *emulator) detach(b *testing.B, attachments []string) {
	b.Helper()
	for _, id := range attachments {
		if _, err := e.call("Action=DetachNetworkInterface&AttachmentId=" + id); err != nil {
			b.Fatal(err)
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(patience); ; <-tick.C {
		// Not by a filter: moto's on attachments would take a second.
		answer, err := e.call("Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=" + e.enis[len(attachments)-1])
		if err != nil {
			b.Fatal(err)
		}
		if field(answer, "status") == "available" {
			return
		}
		if time.Now().After(late) {
			b.Fatalf("%s: not detached: %s", e.name, answer)
		}
	}
}
