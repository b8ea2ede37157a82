package control

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"enilab/internal/dataplane/spec"
)

// RunInstanceInput is a launch of one instance with one ENI, in a subnet that
// is named.
type RunInstanceInput struct {
	Subnet, Type string // Type "": t3.micro
	PrivateIP    string
	Groups       []string
	Workloads    []spec.Workload
	Serve        []spec.ServedPort
	Tags         Tags
	Interface    string // an existing ENI as primary, instead of Subnet, PrivateIP and Groups
}

// LaunchInput is RunInstances': as many instances as there is room for, Min
// at least and Max at most, all in one reservation.
type LaunchInput struct {
	Min, Max  int
	Type      string // "": t3.micro
	Zone      string // of the default subnet, or that a subnet must be in; "": any
	Workloads []spec.Workload
	// Interfaces of each instance. One is at device index 0 of card 0.
	Interfaces          []LaunchInterface
	Tags, InterfaceTags Tags // of the instances, and of the ENIs that are made
	VolumeTags          Tags // of the volumes that are made
	// Image is what the image says of block devices, unless Settings.ImageID is
	// of an image of the account. Devices are the launch's own, over those.
	Image   ImageDevices
	Devices []BlockDevice
	// Settings but ReservationID, LaunchIndex and what the three below say,
	// which the subnet of the primary ENI says if they do not.
	Settings            InstanceSettings
	HostnameType        string
	RecordA, RecordAAAA *bool
	Source              LaunchSource // the launch template, zero without
}

// LaunchInterface is an ENI of a launch: a new one, in a default subnet
// unless it names one, or the existing one of an ID.
type LaunchInterface struct {
	CreateInterfaceInput
	ID                       string
	DeviceIndex, NetworkCard int
	DeleteOnTermination      *bool // nil: true for a new one
	PublicIP                 *bool // AssociatePublicIpAddress; nil: as the subnet says
}

// RunInstance launches one instance. It is pending in the State and its guest
// boots when the call returns.
func (s *Service) RunInstance(ctx context.Context, in RunInstanceInput) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.runInstance(in) })
}

// Launch launches instances, all in one commit or none.
func (s *Service) Launch(ctx context.Context, in LaunchInput) ([]*Instance, error) {
	return result(ctx, s, func(t *tx) ([]*Instance, error) { return t.launch(in) })
}

// launchPlan is one ENI of each instance of a launch.
type launchPlan struct {
	LaunchInterface
	existing *NetworkInterface // nil: to be made
	subnet   *Subnet
	groups   []string
}

// vpc is where the interface is.
func (p *launchPlan) vpc() string {
	if p.existing != nil {
		return p.existing.VPC
	}
	return p.subnet.VPC
}

// launch makes as many instances as there is room for, Min at least, with their
// ENIs.
func (t *tx) launch(in LaunchInput) ([]*Instance, error) {
	in.Type = cmp.Or(in.Type, defaultInstanceType)
	limits, ok := instanceTypes()[in.Type]
	if !ok {
		return nil, invalid("instanceType", "Invalid value '%s' for InstanceType.", in.Type)
	}
	if in.Min < 1 || in.Max < in.Min {
		return nil, invalid("minCount", "Invalid value for min/max count: minCount is %d, maxCount is %d", in.Min, in.Max)
	}
	for _, tags := range []Tags{in.Tags, in.InterfaceTags, in.VolumeTags} {
		if err := checkTags(tags); err != nil {
			return nil, err
		}
	}
	workloads, err := checkWorkloads(in.Workloads)
	if err != nil {
		return nil, err
	}
	in.Workloads = workloads
	if err := t.checkSettings(&in); err != nil {
		return nil, err
	}
	if err := t.planVolumes(&in); err != nil {
		return nil, err
	}
	plans, err := t.planLaunch(&in, &limits)
	if err != nil {
		return nil, err
	}
	vpc := get[*VPC](t, TableVPC, byID, plans[0].vpc())
	if err := t.checkHardware(&in.Settings, &limits, vpc, in.Devices[0].EBS.VolumeSpec); err != nil {
		return nil, err
	}
	count, err := t.launchRoom(&in, plans)
	if err != nil {
		return nil, err
	}
	launched := make([]*Instance, 0, count)
	for range count {
		i, err := t.launchOne(&in, &limits, plans, launched)
		if err != nil {
			return nil, err
		}
		launched = append(launched, i)
	}
	return launched, nil
}

// planLaunch finds what the interfaces of a launch name and checks them one by
// one, then together.
func (t *tx) planLaunch(in *LaunchInput, limits *InstanceType) ([]launchPlan, error) {
	if in.Zone != "" && !slices.Contains(Zones(t.region), in.Zone) {
		return nil, invalid("availabilityZone", "Invalid availability zone: [%s]", in.Zone)
	}
	plans := make([]launchPlan, 0, len(in.Interfaces))
	for _, spec := range in.Interfaces {
		p := launchPlan{LaunchInterface: spec}
		if err := t.planInterface(in, &p); err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	slices.SortStableFunc(plans, func(a, b launchPlan) int {
		return cmp.Or(a.NetworkCard-b.NetworkCard, a.DeviceIndex-b.DeviceIndex)
	})
	if len(plans) == 0 || plans[0].NetworkCard != 0 || plans[0].DeviceIndex != 0 {
		return nil, refuse(codeCombination, "networkInterface",
			"When specifying network interfaces, you must include a device at index 0.")
	}
	onCard := make(map[int]int)
	for k := range plans {
		p := &plans[k]
		if k > 0 && p.NetworkCard == plans[k-1].NetworkCard && p.DeviceIndex == plans[k-1].DeviceIndex {
			return nil, invalid("deviceIndex", "Each network interface requires a unique device index.")
		}
		if p.existing != nil && slices.ContainsFunc(plans[:k], func(o launchPlan) bool { return o.existing == p.existing }) {
			return nil, errLaunchInUse(p.existing.ID)
		}
		onCard[p.NetworkCard]++
		if err := p.together(&plans[0], in.Max, len(plans)); err != nil {
			return nil, err
		}
	}
	return plans, limits.carries(onCard)
}

// planInterface finds the subnet and groups of a new ENI, or the existing one.
func (t *tx) planInterface(in *LaunchInput, p *launchPlan) error {
	if err := checkDeviceIndex(p.DeviceIndex); err != nil {
		return err
	}
	if p.ID != "" {
		return t.planExisting(p, in.Zone)
	}
	var err error
	if p.subnet, err = t.launchSubnet(p.Subnet, in.Zone); err != nil {
		return err
	}
	if p.Tags == nil {
		p.Tags = in.InterfaceTags
	}
	if err := p.check(); err != nil {
		return err
	}
	p.groups, err = t.groupsFor(p.subnet.VPC, p.Groups, func(group string) error {
		return refuse("InvalidParameter", "groups",
			"Security group %s and subnet %s belong to different networks.", group, p.subnet.ID)
	})
	return err
}

func errLaunchInUse(eni string) error {
	return refuse("InvalidNetworkInterface.InUse", "networkInterface", "Interface: [%s] in use.", eni)
}

func (t *tx) planExisting(p *launchPlan, zone string) error {
	n, err := t.networkInterface(p.ID)
	switch {
	case err != nil:
		return err
	case p.Subnet != "":
		return refuse(codeCombination, "networkInterface", "A network interface may not specify both a network interface ID and a subnet")
	case len(p.Groups) > 0:
		return refuse(codeCombination, "networkInterface", "A network interface may not specify both a network interface ID and security groups") // unverified: the text
	case p.PrivateIP != "" || len(p.SecondaryIPs) > 0 || p.SecondaryCount != 0 || len(p.Prefixes) > 0 || p.PrefixCount != 0 ||
		len(p.IPv6) > 0 || p.IPv6Count != nil || len(p.IPv6Prefixes) > 0 || p.IPv6PrefixCount != 0:
		return refuse(codeCombination, "networkInterface", "A network interface may not specify both a network interface ID and private IP addresses") // unverified: the text
	case p.DeleteOnTermination != nil && *p.DeleteOnTermination:
		return refuse(codeCombination, "networkInterface", "A network interface may not specify a network interface ID and delete on termination as true")
	case p.PublicIP != nil:
		return refuse(codeCombination, "networkInterface", "A network interface may not specify both a network interface ID and associatePublicIPAddress") // unverified: the text
	case zone != "" && zone != n.Zone:
		return invalid("availabilityZone", // unverified: code and text
			"The availability zone '%s' is not that of network interface '%s', which is in '%s'", zone, n.ID, n.Zone)
	case n.RequesterManaged:
		return errManaged()
	case n.Attachment != nil || n.Type == TypeBranch:
		return errLaunchInUse(n.ID)
	case p.DeviceIndex == 0 && p.NetworkCard == 0 && exists(t, TablePolicy, byInterface, n.ID):
		return invalid("networkInterface",
			"Network interface '%s' has a failover policy: it cannot become a primary one, which never moves.", n.ID)
	}
	p.existing, p.subnet = n, get[*Subnet](t, TableSubnet, byID, n.Subnet)
	return nil
}

// launchSubnet is the subnet of a new ENI: the one that is named, or the default
// one of a zone of the default VPC.
func (t *tx) launchSubnet(id, zone string) (*Subnet, error) {
	if id != "" {
		s, err := t.subnet(id)
		if err == nil && zone != "" && zone != s.Zone {
			return nil, invalid("availabilityZone", // unverified: the text
				"The availability zone '%s' is not that of subnet '%s', which is in '%s'", zone, s.ID, s.Zone)
		}
		return s, err
	}
	for _, v := range list[*VPC](t, TableVPC, byCreation) {
		if !v.Default || v.Region != t.region {
			continue
		}
		for _, s := range list[*Subnet](t, TableSubnet, byVPC, v.ID) {
			if s.DefaultForZone && (zone == "" || s.Zone == zone) {
				return s, nil
			}
		}
		if zone != "" {
			return nil, refuse("InvalidInput", "subnetId", "No default subnet for availability zone: '%s'.", zone)
		}
		return nil, refuse("MissingInput", "subnetId", "No subnets found for the default VPC '%s'. Please specify a subnet.", v.ID)
	}
	return nil, refuse("VPCIdNotSpecified", "subnetId", "No default VPC for this user")
}

// together checks an ENI against the primary one and against how many there are.
func (p *launchPlan) together(primary *launchPlan, instances, interfaces int) error {
	switch {
	case p.subnet.Zone != primary.subnet.Zone:
		return refuse(codeCombination, "networkInterface",
			"You may not attach a network interface to an instance if they are not in the same availability zone")
	case p.subnet.VPC != primary.subnet.VPC:
		return refuse(codeCombination, "networkInterface",
			"You may not attach a network interface to an instance in a different VPC") // unverified: code and text
	case p.PublicIP != nil && *p.PublicIP && interfaces > 1:
		return refuse(codeCombination, "associatePublicIpAddress",
			"The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces.")
	case instances > 1 && p.existing != nil:
		return refuse(codeCombination, "networkInterface", // unverified: code and text
			"The network interface '%s' cannot be used by more than one instance", p.ID)
	case instances > 1 && (p.PrivateIP != "" || len(p.SecondaryIPs) > 0 || len(p.Prefixes) > 0 || len(p.IPv6) > 0 || len(p.IPv6Prefixes) > 0):
		named := slices.Concat([]string{p.PrivateIP}, p.SecondaryIPs, p.Prefixes, p.IPv6, p.IPv6Prefixes)
		return refuse(codeCombination, "privateIpAddress", "The private IP address '%s' cannot be used by more than one instance", // unverified: code and text
			named[slices.IndexFunc(named, func(s string) bool { return s != "" })])
	}
	return nil
}

// launchRoom is how many instances the subnets have addresses for.
func (t *tx) launchRoom(in *LaunchInput, plans []launchPlan) (int, error) {
	need := make(map[*Subnet]int)
	for _, p := range plans {
		if p.existing == nil {
			need[p.subnet] += 1 + len(p.SecondaryIPs) + p.SecondaryCount + (len(p.Prefixes)+p.PrefixCount)<<(32-prefixBits)
		}
	}
	count := in.Max
	for sub, each := range need {
		free := capacity(sub.CIDR)
		if u := get[*usage](t, tableUsage, byID, sub.ID); u != nil {
			free -= u.Used
		}
		count = min(count, free/each)
	}
	if count < in.Min {
		return 0, errSubnetFull()
	}
	return count, nil
}

// launchOne makes one instance of a launch, after those that there are already.
func (t *tx) launchOne(in *LaunchInput, limits *InstanceType, plans []launchPlan, before []*Instance) (*Instance, error) {
	enis := make([]*NetworkInterface, len(plans))
	for k := range plans {
		n, err := t.launchInterface(&plans[k])
		if err != nil {
			return nil, err
		}
		if err := limits.takes(n); err != nil {
			if len(n.Addresses)+len(n.Prefixes) > limits.AddressesPerInterface {
				return nil, refuse("InvalidInterface.IpAddressLimitExceeded", "networkInterface", // unverified: the text
					"Interface %s has %d private addresses, which exceeds the limit of %d for %s",
					n.ID, len(n.Addresses)+len(n.Prefixes), limits.AddressesPerInterface, in.Type)
			}
			return nil, err
		}
		enis[k] = n
	}
	id, err := t.mintRow(TableInstance, InstanceID.Prefix)
	if err != nil {
		return nil, err
	}
	primary := enis[0]
	i := &Instance{
		ID: id, Region: primary.Region, Zone: primary.Zone, VPC: primary.VPC, Subnet: primary.Subnet, Type: in.Type,
		State: InstancePending, StateAt: t.now, StateUntil: t.until(OpLaunch), Boot: 1, Workloads: in.Workloads,
		Tags: in.Source.tags(in.Tags), LaunchAt: t.now, InstanceSettings: in.settingsIn(plans[0].subnet),
	}
	i.ReservationID, i.LaunchIndex = "r-"+strings.TrimPrefix(id, InstanceID.Prefix), len(before)
	if len(before) > 0 {
		i.ReservationID = before[0].ReservationID
	}
	t.put(TableInstance, i)
	if err := t.launchVolumes(i, in); err != nil {
		return nil, err
	}
	for k, p := range plans {
		made := p.existing == nil && (p.DeleteOnTermination == nil || *p.DeleteOnTermination)
		if enis[k], err = t.bind(enis[k], i, device{p.NetworkCard, p.DeviceIndex}, made); err != nil {
			return nil, err
		}
	}
	if len(plans) == 1 && !exists(t, TableAddress, byInterface, primary.ID) && !t.grantPublicIP(enis[0]) {
		return nil, errNoPublicIP()
	}
	t.emit("instance.pending", id, "type", i.Type, "networkInterface", primary.ID, "address", primary.PrimaryAddress().String())
	return i, nil
}

// launchInterface finds or makes an ENI of a new instance.
func (t *tx) launchInterface(p *launchPlan) (*NetworkInterface, error) {
	if p.existing != nil {
		return p.existing, nil
	}
	sub := p.subnet
	if p.PublicIP != nil {
		c := *sub
		c.MapPublicIP = *p.PublicIP
		sub = &c
	}
	return t.newInterface(sub, &p.CreateInterfaceInput, p.groups, true)
}

// runInstance launches one instance with one ENI.
func (t *tx) runInstance(in RunInstanceInput) (*Instance, error) {
	spec := LaunchInterface{
		ID:                   in.Interface,
		CreateInterfaceInput: CreateInterfaceInput{Subnet: in.Subnet, PrivateIP: in.PrivateIP, Groups: in.Groups},
	}
	switch {
	case in.Interface != "" && (in.Subnet != "" || in.PrivateIP != ""):
		return nil, refuse(codeCombination, "subnetId",
			"Network interfaces and an instance-level subnet ID may not be specified on the same request")
	case in.Interface != "" && len(in.Groups) > 0:
		return nil, refuse(codeCombination, "groups",
			"Network interfaces and an instance-level security groups may not be specified on the same request")
	case in.Interface == "" && in.Subnet == "":
		return nil, refuse(codeMissing, "subnetId", "The request must contain the parameter subnetId")
	}
	serve, err := checkServe(in.Serve)
	if err != nil {
		return nil, err
	}
	launched, err := t.launch(LaunchInput{
		Min: 1, Max: 1, Type: in.Type, Workloads: in.Workloads, Tags: in.Tags, Interfaces: []LaunchInterface{spec},
		Settings: InstanceSettings{Serve: serve},
	})
	if err != nil {
		return nil, err
	}
	return launched[0], nil
}
