package scenario

import (
	"context"
	"fmt"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

func served(ports []servedPort) []spec.ServedPort {
	out := make([]spec.ServedPort, len(ports))
	for k, p := range ports {
		out[k] = spec.ServedPort{Protocol: p.Protocol, Port: p.Port}
	}
	return out
}

// specs needs what the targets name to be there.
func (b *builder) specs(ws []workload) []spec.Workload {
	out, state := make([]spec.Workload, len(ws)), b.svc.State()
	for k, w := range ws {
		out[k] = spec.Workload{
			Name: w.Name, Kind: w.Kind, Target: b.loaded.target(state, w.Target), Port: w.Port, Rate: w.Rate,
			Connections: w.Connections, Size: w.Size, Paused: w.Paused,
		}
	}
	return out
}

// internetHosts come before anything that gets a public address, which is then
// never one of theirs.
func (b *builder) internetHosts(ctx context.Context) error {
	for i, f := range b.sc.file.Internet.Hosts {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		h, err := b.svc.CreateInternetHost(inFull(ctx), control.CreateInternetHostInput{
			Name: f.Name, Address: f.Address, Serve: served(f.Serve),
		})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.internet.hosts[%d]", i), "internet host "+f.Name)
		}
		b.loaded.InternetHosts[f.Name] = h.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteInternetHost(ctx, h.ID) })
	}
	return nil
}

func (b *builder) internetWorkloads(ctx context.Context) error {
	for i, f := range b.sc.file.Internet.Hosts {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		if len(f.Workloads) == 0 {
			continue
		}
		if _, err := b.svc.SetInternetWorkloads(inFull(ctx), b.loaded.InternetHosts[f.Name], b.specs(f.Workloads)); err != nil {
			return b.wrap(err, fmt.Sprintf("$.internet.hosts[%d]", i), "internet host "+f.Name)
		}
	}
	return nil
}

// primary gives the primary network interface of an instance what its launch does not.
func (b *builder) primary(ctx context.Context, n *control.NetworkInterface, f instance, at string) error {
	if err := b.sourceDestCheck(ctx, n, f.SourceDestCheck); err != nil {
		return b.wrap(err, at+".sourceDestCheck", "instance "+f.Name)
	}
	if len(f.SecondaryIPs) == 0 {
		return nil
	}
	if _, _, err := b.svc.AssignAddresses(inFull(ctx), control.AssignAddressesInput{ID: n.ID, IPs: f.SecondaryIPs}); err != nil {
		return b.wrap(err, at+".secondaryIps", "instance "+f.Name)
	}
	return nil
}
