package ec2

import (
	"maps"

	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

type vm = *control.Instance

// ofInterfaces applies a filter on ENIs to those of an instance.
func ofInterfaces(name string) field[vm] {
	return func(c *call, i vm, match func(string) bool) bool {
		for _, n := range c.state.InterfacesOf(i.ID) {
			if interfaceFilters.fields[name](c, n, match) {
				return true
			}
		}
		return false
	}
}

// ofPrimary applies a filter on ENIs to the primary one.
func ofPrimary(name string) field[vm] {
	return func(c *call, i vm, match func(string) bool) bool {
		for _, n := range c.state.InterfacesOf(i.ID) {
			if n.Attachment.Primary() && interfaceFilters.fields[name](c, n, match) {
				return true
			}
		}
		return false
	}
}

// groupNames is a filter on the names of the groups of an ENI.
func groupNames(c *call, n eni, match func(string) bool) bool {
	for _, id := range n.Groups {
		if g := c.state.SecurityGroup(id); g != nil && match(g.Name) {
			return true
		}
	}
	return false
}

func anyInterface(of field[eni]) field[vm] {
	return func(c *call, i vm, match func(string) bool) bool {
		for _, n := range c.state.InterfacesOf(i.ID) {
			if of(c, n, match) {
				return true
			}
		}
		return false
	}
}

// alive is a filter on what a terminated instance no longer has.
func alive(of func(vm) string) field[vm] {
	return func(_ *call, i vm, match func(string) bool) bool {
		return i.State != control.InstanceTerminated && match(of(i))
	}
}

var instanceFilters = func() filterable[vm] {
	f := filterable[vm]{
		action: "DescribeInstances",
		fields: map[string]field[vm]{
			"architecture": one(func(_ *call, i vm) string {
				t, _ := control.InstanceTypeByName(i.Type)
				return t.Architecture
			}),
			"availability-zone":    one(func(_ *call, i vm) string { return i.Zone }),
			"availability-zone-id": one(func(c *call, i vm) string { return query.Value(c.zoneID(i.Zone)) }),
			"hypervisor": one(func(_ *call, i vm) string {
				t, _ := control.InstanceTypeByName(i.Type)
				return hypervisor(t)
			}),
			"instance-id":          one(func(_ *call, i vm) string { return i.ID }),
			"instance-state-code":  one(func(_ *call, i vm) string { return number(stateCodes[i.State]) }),
			"instance-state-name":  one(func(_ *call, i vm) string { return string(i.State) }),
			"instance-type":        one(func(_ *call, i vm) string { return i.Type }),
			"instance.group-id":    ofPrimary("group-id"),
			"instance.group-name":  anyInterface(groupNames),
			"ip-address":           ofPrimary("association.public-ip"),
			"launch-index":         fixed[vm]("0"),
			"launch-time":          one(func(_ *call, i vm) string { return i.LaunchAt.UTC().Format(filterTime) }),
			"operator.managed":     fixed[vm]("false"),
			"owner-id":             one(accountOf[vm]),
			"private-ip-address":   ofPrimary("private-ip-address"),
			"source-dest-check":    ofPrimary("source-dest-check"),
			"subnet-id":            alive(func(i vm) string { return i.Subnet }),
			"tenancy":              fixed[vm]("default"),
			"virtualization-type":  fixed[vm]("hvm"),
			"vpc-id":               alive(func(i vm) string { return i.VPC }),
			"reservation-id":       one(func(_ *call, i vm) string { return reservation(i) }),
			"state-reason-code":    one(func(_ *call, i vm) string { return i.ReasonCode }),
			"state-reason-message": one(func(_ *call, i vm) string { return i.ReasonText }),
			"private-dns-name": func(c *call, i vm, match func(string) bool) bool {
				m := c.instance(i)
				return *m.PrivateDnsName != "" && match(*m.PrivateDnsName)
			},
			"reason": func(c *call, i vm, match func(string) bool) bool {
				m := c.instance(i)
				return *m.StateTransitionReason != "" && match(*m.StateTransitionReason)
			},
			"network-interface.group-name":                    anyInterface(groupNames),
			"network-interface.attachment.network-card-index": anyInterface(fixed[eni]("0")),
			"network-interface.tag-key": anyInterface(func(_ *call, n eni, match func(string) bool) bool {
				for k := range n.Tags {
					if match(k) {
						return true
					}
				}
				return false
			}),
			"network-interface.tag-value": anyInterface(func(_ *call, n eni, match func(string) bool) bool {
				for _, v := range n.Tags {
					if match(v) {
						return true
					}
				}
				return false
			}),
			"network-interface.addresses.association.allocation-id": anyInterface(ofElastic(true,
				func(_ *call, a *control.Address) string { return a.AllocationID })),
			"network-interface.addresses.association.association-id": anyInterface(ofElastic(true,
				func(_ *call, a *control.Address) string { return a.AssociationID })),
			"network-interface.addresses.association.ip-owner-id": ofInterfaces("addresses.association.owner-id"),
		},
		absent: instanceAbsent,
		tags:   func(i vm) control.Tags { return i.Tags },
	}
	for _, name := range []string{
		"addresses.association.public-ip", "addresses.primary", "addresses.private-ip-address",
		"association.allocation-id", "association.association-id", "association.ip-owner-id", "association.public-ip",
		"attachment.attach-time", "attachment.attachment-id", "attachment.delete-on-termination", "attachment.device-index",
		"attachment.instance-id", "attachment.instance-owner-id", "attachment.status", "availability-zone", "description",
		"group-id", "mac-address", "network-interface-id", "operator.managed", "owner-id", "private-ip-address",
		"requester-managed", "status", "source-dest-check", "subnet-id", "vpc-id",
	} {
		f.fields["network-interface."+name] = ofInterfaces(name)
	}
	maps.Copy(f.fields, settingFilters())
	return f
}()

// instanceAbsent are the filters on images, licences, hosts, IPv6 and names
// that instances here do not have.
const instanceAbsent = `affinity boot-mode capacity-reservation-id
	capacity-reservation-specification.capacity-reservation-preference
	capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id
	capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn client-token
	current-instance-boot-mode dns-name host-id iam-instance-profile.arn iam-instance-profile.id image-id
	instance-lifecycle ipv6-address kernel-id key-name maintenance-options.auto-recovery
	metadata-options.http-protocol-ipv4 network-interface.addresses.association.carrier-ip
	network-interface.addresses.association.customer-owned-ip network-interface.addresses.association.public-dns-name
	network-interface.addresses.private-dns-name network-interface.association.carrier-ip
	network-interface.association.customer-owned-ip network-interface.association.public-dns-name
	network-interface.deny-all-igw-traffic network-interface.ipv4-prefixes.ipv4-prefix network-interface.ipv6-address
	network-interface.ipv6-addresses.ipv6-address network-interface.ipv6-addresses.is-primary-ipv6
	network-interface.ipv6-native network-interface.ipv6-prefixes.ipv6-prefix network-interface.operator.principal
	network-interface.outpost-arn network-interface.private-dns-name network-interface.public-dns-name
	network-interface.requester-id network-performance-options.bandwidth-weighting operator.principal outpost-arn
	placement-group-name placement-partition-number platform private-dns-name-options.enable-resource-name-dns-a-record
	private-dns-name-options.enable-resource-name-dns-aaaa-record private-dns-name-options.hostname-type product-code
	product-code.type ramdisk-id requester-id spot-instance-request-id tpm-support`

var statusFilters = filterable[vm]{
	action: "DescribeInstanceStatus",
	fields: map[string]field[vm]{
		"availability-zone":    one(func(_ *call, i vm) string { return i.Zone }),
		"availability-zone-id": one(func(c *call, i vm) string { return query.Value(c.zoneID(i.Zone)) }),
		"instance-state-code":  one(func(_ *call, i vm) string { return number(stateCodes[i.State]) }),
		"instance-state-name":  one(func(_ *call, i vm) string { return string(i.State) }),
		"instance-status.reachability": one(func(_ *call, i vm) string {
			_, r := health(i)
			return r
		}),
		"instance-status.status": one(func(_ *call, i vm) string {
			s, _ := health(i)
			return s
		}),
		"operator.managed": fixed[vm]("false"),
		"system-status.reachability": one(func(_ *call, i vm) string {
			_, r := systemHealth(i)
			return r
		}),
		"system-status.status": one(func(_ *call, i vm) string {
			s, _ := systemHealth(i)
			return s
		}),
	},
	absent: `event.code event.description event.instance-event-id event.not-after event.not-before event.not-before-deadline
		operator.principal attached-ebs-status.status`,
}
