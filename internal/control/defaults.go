package control

import "context"

// DefaultVPC returns the default VPC of a region, nil if it was deleted.
func (s *State) DefaultVPC(region string) *VPC {
	for _, v := range s.VPCs() {
		if v.Default && v.Region == region {
			return v
		}
	}
	return nil
}

// CreateDefaultVPC makes a new default VPC in a region that has none, with all
// that a default VPC has.
func (s *Service) CreateDefaultVPC(ctx context.Context) (*VPC, error) {
	return result(ctx, s, func(t *tx) (*VPC, error) { return t.remakeDefaultVPC() })
}

// CreateDefaultSubnet makes the default subnet of a zone that has none.
func (s *Service) CreateDefaultSubnet(ctx context.Context, zone string) (*Subnet, error) {
	return result(ctx, s, func(t *tx) (*Subnet, error) { return t.remakeDefaultSubnet(zone) })
}

// defaultVPC is the default VPC of t's region, nil if it was deleted.
func (t *tx) defaultVPC() *VPC {
	for _, v := range list[*VPC](t, TableVPC, byCreation) {
		if v.Default && v.Region == t.region {
			return v
		}
	}
	return nil
}

func (t *tx) remakeDefaultVPC() (*VPC, error) {
	if t.defaultVPC() != nil {
		return nil, refuse("DefaultVpcAlreadyExists", "", "A Default VPC already exists for this account in this region.")
	}
	return t.createDefaultVPC()
}

func (t *tx) remakeDefaultSubnet(zone string) (*Subnet, error) {
	if zone == "" {
		return nil, refuse(codeMissing, "availabilityZone", "The request must contain the parameter availabilityZone")
	}
	zone, err := zoneOf(t.region, zone)
	if err != nil {
		return nil, err
	}
	v := t.defaultVPC()
	if v == nil {
		return nil, refuse("DefaultVpcDoesNotExist", "", "There is no default VPC for this account in this region.")
	}
	for _, s := range list[*Subnet](t, TableSubnet, byVPC, v.ID) {
		if s.DefaultForZone && s.Zone == zone {
			return nil, refuse("DefaultSubnetAlreadyExistsInAvailabilityZone", "availabilityZone",
				"'%s' is already the default subnet in %s.", s.ID, zone)
		}
	}
	return t.createDefaultSubnet(v, zone)
}
