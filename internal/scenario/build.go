package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"enilab/internal/control"
)

// roleTag tells the dashboard what an instance is for.
const roleTag = "enilab:role"

// builder turns a file into calls, in the order of dependence, and remembers
// how to take each back.
type builder struct {
	sc     *Scenario
	svc    Service
	region string
	loaded *Loaded
	undo   []func(context.Context) error
	told   func(what string) // of what is waited for; nil: nobody
}

func (b *builder) build(ctx context.Context) error {
	for _, stage := range []func(context.Context) error{
		b.vpcs, b.subnets, b.groups, b.peerings, b.rules, b.transitGateways, b.internetHosts, b.interfaces, b.instances, b.running,
		b.attachments, b.internetGateways, b.elasticIPs, b.natGateways, b.transitAttachments, b.routeTables, b.endpoints,
		b.networkACLs, b.policies, b.settled, b.workloads, b.internetWorkloads,
	} {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) later(f func(context.Context) error) { b.undo = append(b.undo, f) }

// keys are the format's words for what control's refusals call fields.
var keys = map[string]string{
	"cidrBlock": "cidr", "availabilityZone": "zone", "privateIpAddress": "ip", "privateIpAddresses": "secondaryIps",
	"instanceType": "type", "groups": "groups", "groupName": "name", "groupDescription": "description",
	"deviceIndex": "attach.deviceIndex", "instanceId": "attach.instance", "standbys": "standbys",
	"networkInterfaceId": "networkInterface", "amazonSideAsn": "asn", "subnetIds": "subnets", "privateDnsEnabled": "privateDns",
	"serviceName": "service", "vpcEndpointType": "type", "ruleNumber": "number", "ruleAction": "action", "protocol": "protocol",
	"destinationCidrBlock": "destination", "address": "address", "name": "name", "tags": "tags", "workloads": "workloads", "serve": "serve", "description": "description",
	"probe.from": "probe.from", "probe.interval": "probe.interval", "probe.timeout": "probe.timeout",
	"addresses": "addresses", "allocationId": "elasticIp", "routes": "routes", "strategy": "strategy", "fence": "fence",
	"fenceOptional": "fenceOptional", "holdDown": "holdDown", "failBack": "failBack",
	"probe.misses": "probe.misses", "probe.type": "probe.type", "probe.port": "probe.port", "probe.path": "probe.path",
}

// wrap says which part of the file err is about.
func (b *builder) wrap(err error, path, what string) error {
	var refusal *control.Error
	if errors.As(err, &refusal) {
		if key, ok := keys[refusal.Field]; ok && b.sc.src.find(path+"."+key) != nil {
			path += "." + key
		}
	}
	return b.sc.src.errorAt(path, err, "%s: %v", what, err)
}

// tags adds the name that a file gives a resource to the tags it gives it.
func tags(name string, own map[string]string) control.Tags {
	t := control.Tags{"Name": name}
	maps.Copy(t, own)
	return t
}

// inFull is the context of a call that makes something. Such a call is not cut
// short: it might have been carried out and nobody know what it has made, so
// that nothing could take it back. None takes long.
func inFull(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// goOn reports, between two calls, that whoever asked for the load has had enough.
func (b *builder) goOn(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return b.sc.src.errorAt("", ctx.Err(), "loading: %v", context.Cause(ctx))
}

func (b *builder) vpcs(ctx context.Context) error {
	for i, f := range b.sc.file.VPCs {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		v, err := b.svc.CreateVPC(inFull(ctx), control.CreateVPCInput{CIDR: f.CIDR, Tags: tags(f.Name, f.Tags)})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.vpcs[%d]", i), "VPC "+f.Name)
		}
		b.region, b.loaded.VPCs[f.Name] = v.Region, v.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteVPC(ctx, v.ID) })
		if f.DNSHostnames != nil {
			if _, err := b.svc.ModifyVPC(inFull(ctx), control.ModifyVPCInput{ID: v.ID, DNSHostnames: f.DNSHostnames}); err != nil {
				return b.wrap(err, fmt.Sprintf("$.vpcs[%d].dnsHostnames", i), "VPC "+f.Name)
			}
		}
	}
	return nil
}

func (b *builder) subnets(ctx context.Context) error {
	for i, f := range b.sc.file.Subnets {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at := fmt.Sprintf("$.subnets[%d]", i)
		zone, err := zoneName(b.region, f.Zone)
		if err != nil {
			return b.wrap(err, at+".zone", "subnet "+f.Name)
		}
		s, err := b.svc.CreateSubnet(inFull(ctx), control.CreateSubnetInput{
			VPC: b.loaded.VPCs[f.VPC], CIDR: f.CIDR, Zone: zone, Tags: tags(f.Name, f.Tags),
		})
		if err != nil {
			return b.wrap(err, at, "subnet "+f.Name)
		}
		b.loaded.Subnets[f.Name] = s.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteSubnet(ctx, s.ID) })
	}
	return nil
}

func (b *builder) interfaces(ctx context.Context) error {
	for i, f := range b.sc.file.NetworkInterfaces {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at := fmt.Sprintf("$.networkInterfaces[%d]", i)
		n, err := b.svc.CreateInterface(inFull(ctx), control.CreateInterfaceInput{
			Subnet: b.loaded.Subnets[f.Subnet], Description: f.Description, PrivateIP: f.IP,
			SecondaryIPs: f.SecondaryIPs, Groups: b.groupIDs(f.Groups), Tags: tags(f.Name, f.Tags),
		})
		if err != nil {
			return b.wrap(err, at, "network interface "+f.Name)
		}
		b.loaded.Interfaces[f.Name] = n.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteInterface(ctx, n.ID) })
		if err := b.sourceDestCheck(ctx, n, f.SourceDestCheck); err != nil {
			return b.wrap(err, at+".sourceDestCheck", "network interface "+f.Name)
		}
	}
	return nil
}

func (b *builder) sourceDestCheck(ctx context.Context, n *control.NetworkInterface, want *bool) error {
	if want == nil || *want == n.SourceDestCheck {
		return nil
	}
	_, err := b.svc.ModifyInterface(inFull(ctx), control.ModifyInterfaceInput{ID: n.ID, SourceDestCheck: want})
	return err
}

func (b *builder) instances(ctx context.Context) error {
	b.later(b.terminateAll)
	for i, f := range b.sc.file.Instances {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		t := tags(f.Name, f.Tags)
		if f.Role != "" {
			t[roleTag] = f.Role
		}
		in, err := b.svc.RunInstance(inFull(ctx), control.RunInstanceInput{
			Subnet: b.loaded.Subnets[f.Subnet], Type: f.Type, PrivateIP: f.IP, Groups: b.groupIDs(f.Groups), Serve: served(f.Serve), Tags: t,
		})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.instances[%d]", i), "instance "+f.Name)
		}
		b.loaded.Instances[f.Name] = in.ID
		if nics := b.svc.State().InterfacesOf(in.ID); len(nics) > 0 {
			b.loaded.Interfaces[f.Name+primarySuffix] = nics[0].ID
			if err := b.primary(ctx, nics[0], f, fmt.Sprintf("$.instances[%d]", i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// running waits until every instance runs: EC2 attaches nothing to a pending one.
func (b *builder) running(ctx context.Context) error {
	ids := slices.Collect(maps.Values(b.loaded.Instances))
	return b.await(ctx, "every instance runs", func(s *control.State) bool {
		return !slices.ContainsFunc(ids, func(id string) bool {
			i := s.Instance(id)
			return i == nil || i.State == control.InstancePending
		})
	})
}

func (b *builder) attachments(ctx context.Context) error {
	for i, f := range b.sc.file.NetworkInterfaces {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		if f.Attach == nil {
			continue
		}
		at, what := fmt.Sprintf("$.networkInterfaces[%d]", i), "attaching "+f.Name+" to "+f.Attach.Instance
		n, err := b.svc.Attach(inFull(ctx), control.AttachInput{
			Interface: b.loaded.Interfaces[f.Name], Instance: b.loaded.Instances[f.Attach.Instance], DeviceIndex: f.Attach.DeviceIndex,
		})
		if err != nil {
			return b.wrap(err, at, what)
		}
		if f.Attach.DeleteOnTermination {
			_, err := b.svc.ModifyInterface(inFull(ctx), control.ModifyInterfaceInput{
				ID: n.ID, AttachmentID: n.Attachment.ID, DeleteOnTermination: &f.Attach.DeleteOnTermination,
			})
			if err != nil {
				return b.wrap(err, at+".attach.deleteOnTermination", what)
			}
		}
	}
	return nil
}

func (b *builder) elasticIPs(ctx context.Context) error {
	for i, f := range b.sc.file.ElasticIPs {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at := fmt.Sprintf("$.elasticIps[%d]", i)
		a, err := b.svc.AllocateAddress(inFull(ctx), tags(f.Name, f.Tags))
		if err != nil {
			return b.wrap(err, at, "Elastic IP "+f.Name)
		}
		b.loaded.Addresses[f.Name] = a.AllocationID
		b.later(func(ctx context.Context) error { return b.svc.ReleaseAddress(ctx, a.AllocationID) })
		if f.NetworkInterface == "" {
			continue
		}
		if err := b.gateway(ctx, b.loaded.Interfaces[f.NetworkInterface]); err != nil {
			return b.wrap(err, at, "internet gateway of Elastic IP "+f.Name)
		}
		bound, err := b.svc.AssociateAddress(inFull(ctx), a.AllocationID, b.loaded.Interfaces[f.NetworkInterface], f.IP, false)
		if err != nil {
			return b.wrap(err, at, "Elastic IP "+f.Name)
		}
		b.later(func(ctx context.Context) error { return b.svc.DisassociateAddress(ctx, bound.AssociationID) })
	}
	return nil
}

func (b *builder) policies(ctx context.Context) error {
	for i, f := range b.sc.file.Policies {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		p := control.FailoverPolicy{
			NetworkInterface: b.loaded.Interfaces[f.NetworkInterface],
			FailBack:         f.FailBack,
			Enabled:          f.Enabled == nil || *f.Enabled,
			Probe: control.Probe{
				Type: control.ProbeType(f.Probe.Type), From: b.loaded.Interfaces[f.Probe.From], Port: f.Probe.Port, Path: f.Probe.Path,
				Interval: time.Duration(f.Probe.Interval), Timeout: time.Duration(f.Probe.Timeout), Misses: f.Probe.Misses,
			},
		}
		if host, ok := b.loaded.InternetHosts[f.Probe.From]; ok && p.Probe.From == "" {
			p.Probe.From = host
		}
		p.Terms = b.terms(f)
		for _, name := range f.Standbys {
			p.Standbys = append(p.Standbys, b.loaded.Instances[name])
		}
		stored, err := b.svc.PutPolicy(inFull(ctx), p)
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.policies[%d]", i), "failover policy of "+f.NetworkInterface)
		}
		b.loaded.Policies[f.NetworkInterface] = stored.ID
		b.later(func(ctx context.Context) error { return b.svc.DeletePolicy(ctx, stored.ID) })
	}
	return nil
}

// terms are what a policy moves by its strategy; addresses have been checked.
func (b *builder) terms(f policy) control.Terms {
	t := control.Terms{
		Strategy: control.Strategy(f.strategy()), Fence: control.Fence(f.Fence),
		FenceOptional: f.FenceOptional, HoldDown: time.Duration(f.HoldDown), NeverBack: f.NeverFailBack,
	}
	switch t.Strategy {
	case control.StrategyAddress:
		for _, a := range f.Addresses {
			t.Addresses = append(t.Addresses, netip.MustParseAddr(a))
		}
	case control.StrategyEIP:
		t.Allocation = b.loaded.Addresses[f.ElasticIP]
	case control.StrategyRoute:
		for _, r := range f.Routes {
			t.Routes = append(t.Routes, control.PolicyRoute{Table: b.loaded.RouteTables[r.RouteTable], Destination: r.Destination})
		}
	}
	return t
}

// workloads start last: their first request finds its target in place.
func (b *builder) workloads(ctx context.Context) error {
	for i, f := range b.sc.file.Instances {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		if len(f.Workloads) == 0 {
			continue
		}
		if _, err := b.svc.SetWorkloads(inFull(ctx), b.loaded.Instances[f.Name], b.specs(f.Workloads)); err != nil {
			return b.wrap(err, fmt.Sprintf("$.instances[%d]", i), "instance "+f.Name)
		}
	}
	return nil
}

// settled waits until every attachment shows attached.
func (b *builder) settled(ctx context.Context) error {
	ids := slices.Collect(maps.Values(b.loaded.Interfaces))
	return b.await(ctx, "every attachment is attached", func(s *control.State) bool {
		return !slices.ContainsFunc(ids, func(id string) bool {
			n := s.NetworkInterface(id)
			return n != nil && n.Attachment != nil && n.Attachment.State == control.Attaching
		})
	})
}

func (b *builder) await(ctx context.Context, what string, ok func(*control.State) bool) error {
	if b.told != nil && !ok(b.svc.State()) {
		b.told(what)
		defer b.told("")
	}
	if err := await(ctx, b.svc, ok); err != nil {
		return b.sc.src.errorAt("", err, "waiting until %s: %v", what, err)
	}
	return nil
}

// terminateAll takes the instances back. They remain visible as terminated,
// as on EC2.
func (b *builder) terminateAll(ctx context.Context) error {
	ids := slices.Collect(maps.Values(b.loaded.Instances))
	for _, id := range ids {
		if _, err := b.svc.TerminateInstance(ctx, id); err != nil {
			return err
		}
	}
	return await(ctx, b.svc, func(s *control.State) bool {
		return !slices.ContainsFunc(ids, func(id string) bool {
			i := s.Instance(id)
			return i != nil && i.State != control.InstanceTerminated
		})
	})
}

// takeBack undoes everything, last first. What is gone already needs no undoing.
func (b *builder) takeBack(ctx context.Context) error {
	var errs []error
	for _, f := range slices.Backward(b.undo) {
		err := f(ctx)
		var refusal *control.Error
		if errors.As(err, &refusal) && strings.HasSuffix(refusal.Code, ".NotFound") {
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// watched is what await needs of the control plane.
type watched interface {
	State() *control.State
	Watch(buffer int) (<-chan control.Notice, func())
}

// pauser is a control plane in virtual time, which goes by only when it is told to.
type pauser interface {
	// PauseUntil lets time go by until ok, which is asked whenever something has
	// happened.
	PauseUntil(ctx context.Context, ok func() bool) error
}

// await returns when a condition on the State holds. The State is read anew at
// every notice, so that a lost one loses nothing.
func await(ctx context.Context, svc watched, ok func(*control.State) bool) error {
	if p, virtual := svc.(pauser); virtual {
		return p.PauseUntil(ctx, func() bool { return ok(svc.State()) })
	}
	notices, cancel := svc.Watch(1)
	defer cancel()
	for !ok(svc.State()) {
		select {
		case _, open := <-notices:
			if !open {
				return errors.New("the control plane has ended")
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
