package dataplane

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// A gateway endpoint is a NAT gateway that stands on the internet and knows the
// VPC that it serves: a service is whoever has the destination there. AWS keeps
// the private address of who asks, and tells VPCs with the same addresses apart
// by the endpoint; here the endpoint's own address does, which is all that a host
// of the internet can answer to.

// toEndpoint takes a frame that a route of a VPC leads to a gateway endpoint
// there. It serves the VPC's own addresses only, not what a transit gateway or an
// appliance brings from elsewhere (AWS PrivateLink guide, "Gateway endpoints";
// Reachability Analyzer's VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION).
func (w *worker) toEndpoint(h *hop, from *vpc, view *frame.View) verdict.Reason {
	if h.vpc != from.number || w.fabric.byIP.Get(addressKey(from.number, view.SrcIP)) == nil {
		h.to = nil
		return verdict.NoRoute
	}
	h.egress, h.mtu = h.via, internetMTU
	return verdict.Delivered
}

// fromEndpoint finds the receiver of a frame that a gateway endpoint has
// translated: with its own address as the source a host of the internet, else
// whoever has the address in the VPC.
func (w *worker) fromEndpoint(h *hop, c *config, view *frame.View) verdict.Reason {
	h.routed, h.vpc = true, 0
	if !c.owns(view.SrcIP) {
		return w.toHolder(h, c.inside, view.DstIP)
	}
	to := w.fabric.byIP.Get(addressKey(internetNumber, view.DstIP))
	if to == nil || to.subnet.vpc.number != internetNumber {
		return verdict.NoPublicHost
	}
	h.to = to
	return verdict.Delivered
}
