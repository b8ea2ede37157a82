package ec2

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"enilab/internal/control"
)

// BenchmarkDescribeNetworkInterfaces answers without a network: what a listing
// costs the server itself.
func BenchmarkDescribeNetworkInterfaces(b *testing.B) {
	for _, size := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("interfaces=%d", size), func(b *testing.B) {
			l := newLab(b)
			vpc := l.must("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpc.vpcId")
			subnet := l.must("CreateSubnet", "VpcId="+vpc, "CidrBlock=10.0.0.0/17").text("subnet.subnetId")
			for range size {
				if _, err := l.svc.CreateInterface(b.Context(), control.CreateInterfaceInput{Subnet: subnet}); err != nil {
					b.Fatal(err)
				}
			}
			r := request{
				id: "00000000-0000-0000-0000-000000000000", method: "POST", body: form("DescribeNetworkInterfaces").Encode(),
				header: func(string) []string { return nil },
			}
			var buffer []byte
			b.ReportAllocs()
			for b.Loop() {
				status, body := l.api.answer(context.Background(), &r, buffer[:0])
				if n := bytes.Count(body, []byte("<interfaceType>")); status != 200 || n < size {
					b.Fatalf("%d, %d interfaces", status, n)
				}
				buffer = body
			}
			b.SetBytes(int64(len(buffer)))
		})
	}
}

// BenchmarkCreateNetworkInterface creates durably, without a network: store,
// control plane and data plane as they are in the server.
func BenchmarkCreateNetworkInterface(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := newLab(b)
			vpc := l.must("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpc.vpcId")
			body := form("CreateNetworkInterface", "SubnetId="+l.must("CreateSubnet", "VpcId="+vpc, "CidrBlock=10.0.0.0/16").text("subnet.subnetId")).Encode()
			var wg sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for n := range callers {
				wg.Go(func() {
					r := request{id: "00000000-0000-0000-0000-000000000000", method: "POST", body: body, header: func(string) []string { return nil }}
					for range (b.N - n + callers - 1) / callers {
						if status, answer := l.api.answer(context.Background(), &r, nil); status != 200 {
							b.Errorf("%d %s", status, answer)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
