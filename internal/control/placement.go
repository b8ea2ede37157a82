package control

import "fmt"

// Tenancies of an instance or VPC (EC2 Tenancy).
const (
	tenancyDefault   = "default"
	tenancyDedicated = "dedicated" // hardware of one account
	tenancyHost      = "host"      // a Dedicated Host
)

// HostID is the kind of a Dedicated Host. There are none here, so that any is
// taken of an instance and kept.
var HostID = IDKind{"h-", "InvalidHostID.NotFound", "InvalidHostID.Malformed", "host ID"} // unverified: the texts

// errUnsupported is what EC2 says of a combination that its hardware has not.
func errUnsupported(field string) error {
	return refuse(codeUnsupported, field,
		"The requested configuration is currently not supported. Please check the documentation for supported configurations.")
}

// checkHardware checks on what machines instances of a launch shall run, in a
// VPC whose own tenancy counts where the launch has none, and whether their
// memory can be kept on their root volume.
func (t *tx) checkHardware(s *InstanceSettings, limits *InstanceType, vpc *VPC, root VolumeSpec) error {
	switch s.Tenancy {
	case "", tenancyDefault, tenancyDedicated, tenancyHost:
	default:
		return invalid("tenancy", "Value (%s) for parameter tenancy is invalid. It must be %s, %s or %s.", // unverified: the text
			s.Tenancy, tenancyDefault, tenancyDedicated, tenancyHost)
	}
	if s.HostID != "" {
		if err := HostID.check("hostId", s.HostID); err != nil {
			return err
		}
		if s.Tenancy == "" {
			s.Tenancy = tenancyHost
		}
	}
	switch s.Affinity {
	case "", "default", "host":
	default:
		return invalid("affinity", "Value (%s) for parameter affinity is invalid. It must be default or host.", s.Affinity) // unverified: the text
	}
	if s.Tenancy != tenancyHost && s.HostID+s.Affinity != "" {
		return refuse(codeCombination, "tenancy", "A host ID and affinity can be specified with tenancy host only.") // unverified: code and text
	}
	// EC2 User Guide, "Dedicated Instances": in such a VPC every instance is one.
	if vpc.Tenancy == tenancyDedicated && s.Tenancy != tenancyHost {
		s.Tenancy = tenancyDedicated
	}
	if s.Tenancy == tenancyDefault {
		s.Tenancy = ""
	}
	if s.Tenancy == tenancyHost && !limits.DedicatedHosts || s.Tenancy == tenancyDedicated && limits.sharedOnly() {
		return errUnsupported("instanceType")
	}
	if !s.Hibernation {
		return nil
	}
	return checkHibernation(limits, root)
}

// sharedOnly: T1 and T2 are on shared hardware only (EC2 User Guide, "Dedicated
// Instances").
func (t *InstanceType) sharedOnly() bool { return t.Burstable && !t.Nitro() || t.Name == "t1.micro" }

// checkHibernation wants what keeps the memory of an instance: a root volume that
// is encrypted and has room for it (EC2 User Guide, "Prerequisites for EC2
// instance hibernation").
func checkHibernation(limits *InstanceType, root VolumeSpec) error {
	why := ""
	switch {
	case !limits.Hibernation:
		why = fmt.Sprintf("The instance type %s does not support hibernation.", limits.Name)
	case !root.Encrypted:
		why = "The root volume must be encrypted."
	case root.Size*1024 < limits.MemoryMiB:
		why = fmt.Sprintf("The root volume of %d GiB is smaller than the memory of %s.", root.Size, limits.Name)
	default:
		return nil
	}
	return refuse(codeHibernation, "hibernationOptions", // unverified: the text
		"The instance could not be launched because it does not meet the prerequisites for hibernation. %s", why)
}

const codeHibernation = "UnsupportedHibernationConfiguration"

// errNotHibernating is of instances that a launch did not prepare.
func errNotHibernating(i *Instance) error {
	return refuse(codeHibernation, "hibernate",
		"The instance can't be hibernated because it was not configured at launch for hibernation: %s", i.ID)
}

// checkVPCTenancy refuses what no VPC has.
func checkVPCTenancy(tenancy string) error {
	switch tenancy {
	case "", tenancyDefault, tenancyDedicated:
		return nil
	}
	return invalid("instanceTenancy", "Value (%s) for parameter instanceTenancy is invalid. It must be %s or %s.", // unverified: the text
		tenancy, tenancyDefault, tenancyDedicated)
}
