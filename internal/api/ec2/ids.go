package ec2

import (
	"strings"

	"enilab/internal/api/ec2/query"
)

// idKind is what EC2 says of the ids of one kind of resource.
type idKind struct {
	prefix    string
	notFound  string // code
	malformed string // code
	noun      string // "vpc ID": The vpc ID 'vpc-1' does not exist
}

var (
	idVPC        = idKind{"vpc-", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed", "vpc ID"}
	idSubnet     = idKind{"subnet-", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed", "subnet ID"}
	idInstance   = idKind{"i-", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed", "instance ID"}
	idInterface  = idKind{"eni-", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceID.Malformed", "networkInterface ID"}
	idAttachment = idKind{"eni-attach-", "InvalidAttachmentID.NotFound", "InvalidNetworkInterfaceAttachmentId.Malformed",
		"network interface attachment ID"}
	idGroup       = idKind{"sg-", "InvalidGroup.NotFound", "InvalidGroupId.Malformed", "security group"}
	idRule        = idKind{"sgr-", "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed", "security group rule ID"}
	idPrefixList  = idKind{"pl-", "InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed", "prefix list ID"}
	idFlowLog     = idKind{"fl-", "InvalidFlowLogId.NotFound", "InvalidFlowLogId.Malformed", "flow log ID"}
	idEndpoint    = idKind{"vpce-", "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed", "Vpc Endpoint Id"}
	idTransit     = idKind{"tgw-", "InvalidTransitGatewayID.NotFound", "InvalidTransitGatewayID.Malformed", "Transit Gateway"}
	idPlacement   = idKind{"pg-", "InvalidPlacementGroupId.NotFound", "InvalidPlacementGroupId.Malformed", "placement group ID"}
	idAllocation  = idKind{"eipalloc-", "InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed", "allocation ID"}
	idAssociation = idKind{"eipassoc-", "InvalidAssociationID.NotFound", "InvalidAssociationID.Malformed", "association ID"}
	idRouteTable  = idKind{"rtb-", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed", "routeTable ID"}
	idGateway     = idKind{"igw-", "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed", "internetGateway ID"}
	idEgressOnly  = idKind{"eigw-", "InvalidEgressOnlyInternetGatewayId.NotFound", "InvalidEgressOnlyInternetGatewayId.Malformed",
		"egress only internet gateway ID"}
	idNetworkACL = idKind{"acl-", "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed", "networkAcl ID"}
	idOptions    = idKind{"dopt-", "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed", "dhcpOption ID"}
	idPeering    = idKind{"pcx-", "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.Malformed",
		"vpcPeeringConnection ID"}
	idImage       = idKind{"ami-", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "image id"}
	idVolume      = idKind{"vol-", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed", "volume"}
	idKeyPair     = idKind{"key-", "InvalidKeyPair.NotFound", "InvalidKeyPairId.Malformed", "key pair"}
	idReservation = idKind{"scr-", "InvalidSubnetCidrReservationID.NotFound", "InvalidSubnetCidrReservationId.Malformed",
		"subnet CIDR reservation ID"}
)

// check tells whether an id has this kind's form: 8 hexadecimal digits of old,
// or 17.
func (k idKind) check(id string) error {
	digits, ok := strings.CutPrefix(id, k.prefix)
	if !ok || len(digits) != 8 && len(digits) != 17 || strings.Trim(digits, "0123456789abcdef") != "" {
		return query.Refuse(k.malformed, "Invalid id: \"%s\" (expecting \"%s...\")", clip(id), k.prefix)
	}
	return nil
}

// absent is the refusal of ids that have the form but no resource.
func (k idKind) absent(ids ...string) error {
	if len(ids) == 1 {
		return query.Refuse(k.notFound, "The %s '%s' does not exist", k.noun, ids[0])
	}
	return query.Refuse(k.notFound, "The %ss '%s' do not exist", k.noun, strings.Join(ids, ", "))
}

// find returns one resource.
func find[T any](k idKind, id string, get func(string) *T) (*T, error) {
	rows, err := findAll(k, []string{id}, get)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// findAll returns the resources of ids, each once, in their order. Any id that
// is malformed or unknown refuses them all, as EC2 does.
func findAll[T any](k idKind, ids []string, get func(string) *T) ([]*T, error) {
	for _, id := range ids {
		if err := k.check(id); err != nil {
			return nil, err
		}
	}
	seen := make(map[string]bool, len(ids))
	rows := make([]*T, 0, len(ids))
	var absent []string
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if row := get(id); row != nil {
			rows = append(rows, row)
		} else {
			absent = append(absent, id)
		}
	}
	if len(absent) > 0 {
		return nil, k.absent(absent...)
	}
	return rows, nil
}
