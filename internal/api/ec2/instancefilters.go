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
	return primaryOnly(func(c *call, n eni, match func(string) bool) bool { return interfaceFilters.fields[name](c, n, match) })
}

func primaryOnly(of field[eni]) field[vm] {
	return func(c *call, i vm, match func(string) bool) bool {
		for _, n := range c.state.InterfacesOf(i.ID) {
			if n.Attachment.Primary() && of(c, n, match) {
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
			"affinity": textOr(func(_ *call, i vm) string { return affinity(i) }),
			"host-id":  textOr(func(_ *call, i vm) string { return i.HostID }),
			"architecture": one(func(_ *call, i vm) string {
				t, _ := control.InstanceTypeByName(i.Type)
				return t.Architecture
			}),
			"availability-zone":    one(func(_ *call, i vm) string { return i.Zone }),
			"availability-zone-id": one(func(c *call, i vm) string { return query.Value(c.zoneID(i.Zone)) }),
			"capacity-reservation-specification.capacity-reservation-preference": fixed[vm]("open"),
			"client-token": textOr(func(_ *call, i vm) string { return i.ClientToken }),
			"dns-name":     ofPrimary("association.public-dns-name"),
			"hypervisor": one(func(_ *call, i vm) string {
				t, _ := control.InstanceTypeByName(i.Type)
				return hypervisor(t)
			}),
			"image-id":                            textOr(func(_ *call, i vm) string { return i.ImageID }),
			"instance-id":                         one(func(_ *call, i vm) string { return i.ID }),
			"instance-state-code":                 one(func(_ *call, i vm) string { return number(stateCodes[i.State]) }),
			"instance-state-name":                 one(func(_ *call, i vm) string { return string(i.State) }),
			"instance-type":                       one(func(_ *call, i vm) string { return i.Type }),
			"instance.group-id":                   ofPrimary("group-id"),
			"instance.group-name":                 primaryOnly(groupNames),
			"ip-address":                          ofPrimary("association.public-ip"),
			"ipv6-address":                        ofPrimary("ipv6-addresses.ipv6-address"),
			"key-name":                            textOr(func(_ *call, i vm) string { return i.KeyName }),
			"launch-index":                        one(func(_ *call, i vm) string { return number(i.LaunchIndex) }),
			"launch-time":                         one(func(_ *call, i vm) string { return i.LaunchTime().UTC().Format(filterTime) }),
			"maintenance-options.auto-recovery":   fixed[vm]("default"),
			"metadata-options.http-protocol-ipv4": one(func(_ *call, i vm) string { return *metadataOptions(i).HttpEndpoint }),
			"network-performance-options.bandwidth-weighting": fixed[vm](bandwidthWeighting),
			"operator.managed":   fixed[vm]("false"),
			"owner-id":           one(accountOf[vm]),
			"private-ip-address": ofPrimary("private-ip-address"),
			"private-dns-name-options.enable-resource-name-dns-a-record":    one(func(_ *call, i vm) string { return yes(i.RecordA) }),
			"private-dns-name-options.enable-resource-name-dns-aaaa-record": one(func(_ *call, i vm) string { return yes(i.RecordAAAA) }),
			"private-dns-name-options.hostname-type":                        one(func(_ *call, i vm) string { return hostnameType(i) }),
			"source-dest-check":                                             ofPrimary("source-dest-check"),
			"subnet-id":                                                     alive(func(i vm) string { return i.Subnet }),
			"tenancy":                                                       one(func(_ *call, i vm) string { return tenancy(i) }),
			"virtualization-type":                                           fixed[vm](virtualization),
			"vpc-id":                                                        alive(func(i vm) string { return i.VPC }),
			"reservation-id":                                                one(func(_ *call, i vm) string { return i.ReservationID }),
			"state-reason-code":                                             textOr(func(_ *call, i vm) string { return i.ReasonCode }),
			"state-reason-message":                                          textOr(func(_ *call, i vm) string { return i.ReasonText }),
			"private-dns-name": textOr(func(c *call, i vm) string {
				for _, n := range c.state.InterfacesOf(i.ID) {
					if n.Attachment.Primary() {
						return c.instanceName(i, n)
					}
				}
				return ""
			}),
			"reason":                       textOr(func(_ *call, i vm) string { return transitionReason(i) }),
			"network-interface.group-name": anyInterface(groupNames),
			"network-interface.attachment.network-card-index": anyInterface(ofAttachment(
				func(_ *call, a *control.Attachment) string { return number(a.NetworkCard) })),
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
			"network-interface.addresses.association.allocation-id":   anyInterface(ofPublic(true, allocationOf)),
			"network-interface.addresses.association.association-id":  anyInterface(ofPublic(true, associationOf)),
			"network-interface.addresses.association.ip-owner-id":     ofInterfaces("addresses.association.owner-id"),
			"network-interface.addresses.association.public-dns-name": anyInterface(ofPublic(true, publicNameOf)),
			"network-interface.addresses.private-dns-name": anyInterface(func(c *call, n eni, match func(string) bool) bool {
				for _, a := range n.Addresses {
					if name := c.interfaceName(n, a.Addr); name != "" && match(name) {
						return true
					}
				}
				return false
			}),
			"network-interface.deny-all-igw-traffic":      anyInterface(fixed[eni]("false")),
			"network-interface.ipv4-prefixes.ipv4-prefix": anyInterface(some(func(_ *call, n eni) []string { return texts(n.Prefixes) })),
			"network-interface.ipv6-address":              anyInterface(some(ipv6Of)),
			"network-interface.ipv6-addresses.is-primary-ipv6": anyInterface(some(func(_ *call, n eni) []string {
				list := make([]string, len(n.IPv6))
				for i, a := range n.IPv6 {
					list[i] = yes(a.Primary)
				}
				return list
			})),
			"network-interface.ipv6-native":               anyInterface(fixed[eni]("false")),
			"network-interface.ipv6-prefixes.ipv6-prefix": anyInterface(some(func(_ *call, n eni) []string { return texts(n.IPv6Prefixes) })),
			"network-interface.public-dns-name":           ofInterfaces("association.public-dns-name"),
		},
		absent: instanceAbsent,
		tags:   func(i vm) control.Tags { return i.Tags },
		former: map[string]field[vm]{"group-id": none[vm](), "group-name": none[vm]()},
	}
	for _, name := range []string{
		"addresses.association.public-ip", "addresses.primary", "addresses.private-ip-address",
		"association.allocation-id", "association.association-id", "association.ip-owner-id", "association.public-dns-name",
		"association.public-ip", "ipv6-addresses.ipv6-address", "private-dns-name", "requester-id",
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

// instanceAbsent are the filters on licences and reservations that
// instances here do not have.
const instanceAbsent = `boot-mode capacity-reservation-id
	capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id
	capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn
	current-instance-boot-mode instance-lifecycle kernel-id
	network-interface.addresses.association.carrier-ip network-interface.addresses.association.customer-owned-ip
	network-interface.association.carrier-ip network-interface.association.customer-owned-ip
	network-interface.operator.principal network-interface.outpost-arn
	operator.principal outpost-arn placement-group-name placement-partition-number platform product-code product-code.type
	ramdisk-id requester-id spot-instance-request-id tpm-support`

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
