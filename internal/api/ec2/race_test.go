package ec2

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// atOnce sends n requests that wait for each other, and returns their answers.
func (l *lab) atOnce(n int, body func(i int) string) [][]byte {
	l.t.Helper()
	answers, errs := make([][]byte, n), make([]error, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			answers[i], errs[i] = func() ([]byte, error) {
				r, err := l.client.Post(l.url+"/", "application/x-www-form-urlencoded; charset=utf-8", strings.NewReader(body(i)))
				if err != nil {
					return nil, err
				}
				defer r.Body.Close()
				return io.ReadAll(r.Body)
			}()
		})
	}
	close(begin)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			l.t.Fatal(err)
		}
	}
	return answers
}

// Of a hundred that want an interface at once, one gets it; the others hear
// what EC2 says of an interface in use.
func TestOneOfManyAttachesWins(t *testing.T) {
	l := newLab(t)
	w := l.world()
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	answers := l.atOnce(100, func(i int) string {
		return form("AttachNetworkInterface", "NetworkInterfaceId="+eni, "InstanceId="+[]string{w.a, w.b}[i%2],
			fmt.Sprintf("DeviceIndex=%d", 1+i/2%2)).Encode()
	})
	won, refused := 0, 0
	for _, a := range answers {
		switch {
		case bytes.Contains(a, []byte("<attachmentId>")):
			won++
		case bytes.Contains(a, []byte("<Code>InvalidParameterValue</Code><Message>Network interface &apos;"+eni+"&apos; is currently in use.")):
			refused++
		default:
			t.Errorf("answered %s", a)
		}
	}
	if won != 1 || refused != 99 {
		t.Errorf("%d won and %d were told that it is in use, want 1 and 99", won, refused)
	}
	r := l.must("DescribeNetworkInterfaces", "Filter.1.Name=network-interface-id", "Filter.1.Value.1="+eni)
	if got := r.text("networkInterfaceSet.1.attachment.instanceId"); got != w.a && got != w.b {
		t.Errorf("attached to %s, want one of the two", got)
	}
}

var privateAddress = regexp.MustCompile(`<privateIpAddress>([0-9.]+)</privateIpAddress><privateIpAddressesSet>`)

// A thousand interfaces created at once have a thousand addresses, none of
// them of the subnet's reserved five.
func TestNoAddressIsGivenTwice(t *testing.T) {
	const n = 1000
	l := newLab(t)
	l.client.Transport = &http.Transport{MaxConnsPerHost: 64}
	vpc := l.must("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpc.vpcId")
	// 1024 addresses less the reserved ones: nearly all are needed.
	subnet := l.must("CreateSubnet", "VpcId="+vpc, "CidrBlock=10.0.4.0/22").text("subnet.subnetId")
	owner := make(map[string]int)
	for i, a := range l.atOnce(n, func(int) string { return form("CreateNetworkInterface", "SubnetId="+subnet).Encode() }) {
		m := privateAddress.FindSubmatch(a)
		if m == nil {
			t.Fatalf("call %d answered %s", i, a)
		}
		addr := string(m[1])
		if other, taken := owner[addr]; taken {
			t.Errorf("calls %d and %d were both given %s", other, i, addr)
		}
		owner[addr] = i
	}
	for _, reserved := range []string{"10.0.4.0", "10.0.4.1", "10.0.4.2", "10.0.4.3", "10.0.7.255"} {
		if i, taken := owner[reserved]; taken {
			t.Errorf("call %d was given %s, which is the subnet's own", i, reserved)
		}
	}
	if got := l.must("DescribeSubnets", "SubnetId.1="+subnet).text("subnetSet.1.availableIpAddressCount"); got != "19" {
		t.Errorf("%s addresses are left, want 1024 - 5 - %d = 19", got, n)
	}
}
