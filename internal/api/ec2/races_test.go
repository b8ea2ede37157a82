package ec2

import (
	"net/http"
	"sync"
	"testing"
)

// parallel performs one request a goroutine, as many at once as there are, and
// returns the answers in order.
func (l *lab) parallel(n, workers int, request func(i int) (action string, params []string)) []*reply {
	replies := make([]*reply, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				action, params := request(i)
				replies[i] = l.ask(action, params...)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return replies
}

// Of 100 parallel attachments of one ENI exactly one wins, and every other is
// told that it is in use.
func TestOneOfManyAttachmentsWins(t *testing.T) {
	l := newLab(t)
	w := l.world()
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	won := ""
	for i, r := range l.parallel(100, 100, func(i int) (string, []string) {
		return "AttachNetworkInterface", []string{"NetworkInterfaceId=" + eni, "InstanceId=" + []string{w.a, w.b}[i%2], "DeviceIndex=1"}
	}) {
		switch {
		case r.status == http.StatusOK && won == "":
			won = r.text("attachmentId")
		case r.status == http.StatusOK:
			t.Errorf("call %d won too", i)
		case r.code() != "InvalidParameterValue" || r.message() != "Network interface '"+eni+"' is currently in use.":
			t.Errorf("call %d lost with %s: %s", i, r.code(), r.message())
		}
	}
	if got := l.must("DescribeNetworkInterfaces", "NetworkInterfaceId.1="+eni).text("networkInterfaceSet.1.attachment.attachmentId"); won == "" || got != won {
		t.Errorf("the attachment is %s, %q was answered", got, won)
	}
}

// Of 1,000 parallel creates no address and no MAC is given twice.
func TestManyCreatesShareNoAddress(t *testing.T) {
	l := newLab(t)
	w := l.world()
	wide := l.must("CreateSubnet", "VpcId="+w.vpc, "CidrBlock=10.0.16.0/20").text("subnet.subnetId")
	seen := make(map[string]bool)
	for i, r := range l.parallel(1000, 50, func(int) (string, []string) {
		return "CreateNetworkInterface", []string{"SubnetId=" + wide, "SecondaryPrivateIpAddressCount=1"}
	}) {
		if r.status != http.StatusOK {
			t.Fatalf("create %d: %s", i, r.raw)
		}
		for _, path := range []string{
			"networkInterface.networkInterfaceId", "networkInterface.macAddress",
			"networkInterface.privateIpAddressesSet.1.privateIpAddress", "networkInterface.privateIpAddressesSet.2.privateIpAddress",
		} {
			if v := r.text(path); v == "-" || seen[v] {
				t.Errorf("create %d: %s %s is given twice or not at all", i, path, v)
			} else {
				seen[v] = true
			}
		}
	}
	if got := l.must("DescribeSubnets", "SubnetId.1="+wide).text("subnetSet.1.availableIpAddressCount"); got != "2091" {
		t.Errorf("%s addresses left of 4091 after 2000", got)
	}
}
