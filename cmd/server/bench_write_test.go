package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// writer asks the whole server, in this process, over loopback: what its
// profiles and allocations show is the server's but for a small client.
type writer struct {
	b      *testing.B
	http   *fasthttp.HostClient
	subnet string

	instances, enis []string // that enis are attached to, slots each
}

const (
	writeOwners = 16
	writeSlots  = 14 // interfaces of a c5.24xlarge besides its primary one
	writeTurn   = writeOwners * writeSlots
)

// newWriter serves a new laboratory in a directory until the benchmark ends.
func newWriter(b *testing.B) *writer {
	b.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	said, out := io.Pipe()
	ended := make(chan error, 1)
	s := &serveCmd{
		Listen: "127.0.0.1:0", Data: b.TempDir(), Scenario: "none", Region: "us-east-1", Timing: "fast", Quotas: "none",
		Sync: "normal", Seed: 1, LogLevel: "error",
	}
	go func() {
		err := s.Run(env{ctx, out})
		_ = out.CloseWithError(io.EOF)
		ended <- err
	}()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	var url string
	lines := bufio.NewScanner(said)
	for lines.Scan() && lines.Text() != "Ready." {
		url = strings.TrimPrefix(lines.Text(), "enilab is at http://")
	}
	w := &writer{b: b, http: &fasthttp.HostClient{Addr: strings.TrimSuffix(url, "/"), MaxConns: 8, MaxIdleConnDuration: patience}}
	vpc := w.must("Action=CreateVpc&CidrBlock=10.0.0.0/16", "vpcId")
	w.subnet = w.must("Action=CreateSubnet&CidrBlock=10.0.0.0/16&VpcId="+vpc, "subnetId")
	return w
}

// call returns what an element of the answer holds.
func (w *writer) call(form, element string) (string, error) {
	q, r := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(r)
	q.SetRequestURI("http://" + w.http.Addr + "/")
	q.Header.SetMethod(fasthttp.MethodPost)
	q.Header.SetContentType("application/x-www-form-urlencoded; charset=utf-8")
	q.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, "+
		"Signature=0000000000000000000000000000000000000000000000000000000000000000")
	q.SetBodyString(form + "&Version=2016-11-15")
	if err := w.http.Do(q, r); err != nil {
		return "", fmt.Errorf("%s: %w", form, err)
	}
	_, rest, ok := bytes.Cut(r.Body(), []byte("<"+element+">"))
	value, _, closed := bytes.Cut(rest, []byte("</"))
	if r.StatusCode() != fasthttp.StatusOK || !ok || !closed {
		return "", fmt.Errorf("%s: %d %s", form, r.StatusCode(), r.Body())
	}
	return string(value), nil
}

func (w *writer) must(form, element string) string {
	w.b.Helper()
	value, err := w.call(form, element)
	if err != nil {
		w.b.Fatal(err)
	}
	return value
}

// spread makes n calls of so many callers, and notes how long each took.
func (w *writer) spread(callers, n int, took []time.Duration, one func(k int) error) []time.Duration {
	times := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				begun := time.Now()
				if err := one(k); err != nil {
					w.b.Error(err)
					return
				}
				times[k] = time.Since(begun)
			}
		})
	}
	wg.Wait()
	if w.b.Failed() {
		w.b.FailNow()
	}
	return append(took, times...)
}

func (w *writer) create(callers, n int, took []time.Duration) (ids []string, _ []time.Duration) {
	ids = make([]string, n)
	took = w.spread(callers, n, took, func(k int) (err error) {
		ids[k], err = w.call("Action=CreateNetworkInterface&Description=bench&SubnetId="+w.subnet, "networkInterfaceId")
		return err
	})
	return ids, took
}

func (w *writer) remove(ids []string) {
	w.spread(8, len(ids), nil, func(k int) error {
		_, err := w.call("Action=DeleteNetworkInterface&NetworkInterfaceId="+ids[k], "return")
		return err
	})
}

func (w *writer) attach(callers, n int, took []time.Duration) (attachments []string, _ []time.Duration) {
	attachments = make([]string, n)
	took = w.spread(callers, n, took, func(k int) (err error) {
		attachments[k], err = w.call(fmt.Sprintf("Action=AttachNetworkInterface&NetworkInterfaceId=%s&InstanceId=%s&DeviceIndex=%d",
			w.enis[k], w.instances[k/writeSlots], k%writeSlots+1), "attachmentId")
		return err
	})
	return attachments, took
}

// detach returns when all can be attached again.
func (w *writer) detach(attachments []string) {
	w.spread(8, len(attachments), nil, func(k int) error {
		_, err := w.call("Action=DetachNetworkInterface&AttachmentId="+attachments[k], "return")
		return err
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for k := 0; k < len(attachments); <-tick.C {
		for k < len(attachments) && w.must("Action=DescribeNetworkInterfaces&NetworkInterfaceId.1="+w.enis[k], "status") == "available" {
			k++
		}
	}
}

func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(percentile(took, 50), "p50-ms")
	b.ReportMetric(percentile(took, 99), "p99-ms")
}

// BenchmarkWrite creates and attaches network interfaces through the API of the
// whole server, where so many are: HTTP, EC2, control plane, SQLite on disk, data
// plane and guests. Deleting and detaching is not in its figures.
func BenchmarkWrite(b *testing.B) {
	for _, present := range []int{10, 10_000} {
		for _, callers := range []int{1, 8} {
			b.Run(fmt.Sprintf("create/present=%d/callers=%d", present, callers), func(b *testing.B) {
				w := newWriter(b)
				w.create(8, present, nil)
				var took []time.Duration
				b.ReportAllocs()
				b.ResetTimer()
				for left := b.N; left > 0; left -= 400 {
					var ids []string
					ids, took = w.create(callers, min(left, 400), took)
					b.StopTimer()
					w.remove(ids)
					b.StartTimer()
				}
				b.StopTimer()
				percentiles(b, took)
			})
		}
	}
	for _, present := range []int{10, 10_000} {
		for _, callers := range []int{1, 8} {
			b.Run(fmt.Sprintf("attach/present=%d/callers=%d", present, callers), func(b *testing.B) {
				w := newWriter(b)
				w.create(8, present, nil)
				for range writeOwners {
					w.instances = append(w.instances, w.must(
						"Action=RunInstances&ImageId=ami-0123456789abcdef0&InstanceType=c5.24xlarge&MinCount=1&MaxCount=1&SubnetId="+w.subnet, "instanceId"))
				}
				w.enis, _ = w.create(8, writeTurn, nil)
				var took []time.Duration
				b.ReportAllocs()
				b.ResetTimer()
				for left := b.N; left > 0; left -= writeTurn {
					var attachments []string
					attachments, took = w.attach(callers, min(left, writeTurn), took)
					b.StopTimer()
					w.detach(attachments)
					b.StartTimer()
				}
				b.StopTimer()
				percentiles(b, took)
			})
		}
	}
}
