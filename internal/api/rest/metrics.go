package rest

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"enilab/internal/dataplane/verdict"
)

// metrics answers /metrics from a registry of its own: the default one is the
// whole process's, and two servers in one test would collide in it.
func (s *Server) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{s})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// collector reads counters that others keep, at the moment of the scrape.
type collector struct{ s *Server }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("enilab_"+name, help, labels, nil)
}

var (
	framesSent      = desc("frames_sent_total", "Frames handed over by guests or made by the network.")
	framesDelivered = desc("frames_delivered_total", "Frames taken by guests.")
	framesLinkLocal = desc("frames_linklocal_total", "Frames taken by the network's own services: instance metadata, DHCP, DNS and time.")
	framesDropped   = desc("frames_dropped_total", "Frames that ended otherwise.", "verdict", "reason")
	framesInFlight  = desc("frames_in_flight", "Frames in queues now.")
	interfaces      = desc("network_interfaces", "ENIs, by status.", "status")
	instances       = desc("instances", "Instances, by state.", "state")
	revision        = desc("revision", "Number of the last commit.")
	streamClients   = desc("stream_clients", "Websockets connected.")
	streamSkipped   = desc("stream_records_skipped_total", "Packet records left out for slow or busy clients.")
	streamSlow      = desc("stream_clients_dropped_total", "Websockets closed because they did not read.")
	capturesHeld    = desc("captures", "Captures, by state.", "state")
	captureLost     = desc("capture_frames_lost_total", "Frames that captures missed because a ring was full.")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		framesSent, framesDelivered, framesLinkLocal, framesDropped, framesInFlight, interfaces, instances, revision,
		streamClients, streamSkipped, streamSlow, capturesHeld, captureLost,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	t := c.s.opt.Engine.Totals()
	counter(framesSent, t.TxFrames+t.Originated)
	counter(framesDelivered, t.RxFrames)
	counter(framesLinkLocal, t.LinkLocal)
	for i, n := range t.Dropped {
		if r := verdict.Reason(i); r != verdict.Delivered && r != verdict.LinkLocal {
			counter(framesDropped, n, r.Verdict().String(), r.String())
		}
	}
	gauge(framesInFlight, int(t.InFlight))

	st := c.s.state()
	byStatus := map[string]int{"available": 0, "in-use": 0}
	for _, n := range st.NetworkInterfaces() {
		byStatus[n.Status()]++
	}
	for status, n := range byStatus {
		gauge(interfaces, n, status)
	}
	byState := map[string]int{}
	for _, i := range st.Instances() {
		byState[string(i.State)]++
	}
	for state, n := range byState {
		gauge(instances, n, state)
	}
	gauge(revision, int(st.Revision()))

	hub := c.s.hub.Stats()
	gauge(streamClients, hub.Clients)
	counter(streamSkipped, hub.Skipped)
	counter(streamSlow, hub.Slow)
	recording, stopped, lost := c.s.captures.totals()
	gauge(capturesHeld, recording, "recording")
	gauge(capturesHeld, stopped, "stopped")
	counter(captureLost, lost)
}
