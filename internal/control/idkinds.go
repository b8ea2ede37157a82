package control

import (
	"fmt"
	"strings"
)

// IDKind is what EC2 says of the ids of one kind of resource.
type IDKind struct {
	Prefix    string
	NotFound  string // code
	Malformed string // code
	// Noun is what the text of NotFound calls it, "vpc ID" in "The vpc ID 'vpc-1'
	// does not exist"; or all of the text, with %s for the id.
	Noun string
}

// Kinds of ids.
var (
	VPCID = IDKind{"vpc-", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed",
		"vpc ID"}
	SubnetID = IDKind{"subnet-", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed",
		"subnet ID"}
	InstanceID = IDKind{"i-", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed",
		"instance ID"}
	InterfaceID = IDKind{"eni-", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceID.Malformed",
		"networkInterface ID"}
	AttachmentID = IDKind{"eni-attach-", codeAttachMissing, "InvalidNetworkInterfaceAttachmentId.Malformed", // unverified: the text
		"network interface attachment ID"}
	GroupID = IDKind{"sg-", codeGroupNotFound, "InvalidGroupId.Malformed",
		"security group"}
	RuleID = IDKind{"sgr-", "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed",
		"security group rule ID"}
	AllocationID = IDKind{"eipalloc-", "InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed",
		"allocation ID"}
	AssociationID = IDKind{"eipassoc-", "InvalidAssociationID.NotFound", "InvalidAssociationID.Malformed",
		"association ID"}
	VPCCIDRID = IDKind{"vpc-cidr-assoc-", "InvalidVpcCidrBlockAssociationID.NotFound", "InvalidVpcCidrBlockAssociationID.Malformed",
		"vpc CIDR block association ID"}
	SubnetCIDRID = IDKind{"subnet-cidr-assoc-", "InvalidSubnetCidrBlockAssociationID.NotFound",
		"InvalidSubnetCidrBlockAssociationID.Malformed", "subnet CIDR block association ID"}
	DHCPOptionsID = IDKind{"dopt-", "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed",
		"dhcpOption ID"}
	InternetGatewayID = IDKind{"igw-", "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed",
		"internetGateway ID"}
	EgressOnlyGatewayID = IDKind{"eigw-", "InvalidGatewayID.NotFound", "InvalidEgressOnlyInternetGatewayId.Malformed",
		"gateway ID"} // unverified: the text
	NATGatewayID = IDKind{"nat-", "NatGatewayNotFound", "NatGatewayMalformed", "NatGateway %s was not found"}
	PeeringID    = IDKind{"pcx-", "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.Malformed",
		"vpcPeeringConnection ID"}
	RouteTableID = IDKind{"rtb-", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed",
		"routeTable ID"}
	RouteAssociationID = IDKind{"rtbassoc-", "InvalidAssociationID.NotFound", "InvalidRouteTableAssociationId.Malformed",
		"association ID"}
	NetworkACLID = IDKind{"acl-", "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed",
		"networkAcl ID"}
	ACLAssociationID = IDKind{"aclassoc-", "InvalidAssociationID.NotFound", "InvalidNetworkAclAssociationId.Malformed",
		"association ID"}
	KeyPairID = IDKind{"key-", "InvalidKeyPair.NotFound", "InvalidKeyPairId.Malformed",
		"key pair"}
	FlowLogID = IDKind{"fl-", "InvalidFlowLogId.NotFound", "InvalidFlowLogId.Malformed",
		"flow log ID"}
	InsightsPathID = IDKind{"nip-", "InvalidNetworkInsightsPathId.NotFound", "InvalidNetworkInsightsPathId.Malformed",
		"network insights path ID"}
	InsightsAnalysisID = IDKind{"nia-", "InvalidNetworkInsightsAnalysisId.NotFound", "InvalidNetworkInsightsAnalysisId.Malformed",
		"network insights analysis ID"}
	PrefixListID = IDKind{"pl-", "InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed",
		"prefix list ID"}
	ReservationID = IDKind{"scr-", "InvalidSubnetCidrReservationID.NotFound", "InvalidSubnetCidrReservationId.Malformed",
		"subnet CIDR reservation ID"}
	PermissionID = IDKind{"eni-perm-", "InvalidPermissionID.NotFound", "InvalidPermissionId.Malformed",
		"network interface permission ID"}
	VolumeID = IDKind{"vol-", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed",
		"The volume '%s' does not exist."}
	SnapshotID = IDKind{"snap-", "InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed",
		"The snapshot '%s' does not exist."}
	ImageID = IDKind{"ami-", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed",
		"The image id '[%s]' does not exist"}
	LaunchTemplateID = IDKind{"lt-", "InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed",
		"The specified launch template, with template ID %s, does not exist."}
	VPCEndpointID = IDKind{"vpce-", "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed",
		"Vpc Endpoint Id"}
	TrunkAssociationID = IDKind{"trunk-assoc-", "InvalidAssociationID.NotFound", "InvalidTrunkInterfaceAssociationId.Malformed", // unverified: the text
		"trunk interface association ID"}
	TransitGatewayID = IDKind{"tgw-", "InvalidTransitGatewayID.NotFound", "InvalidTransitGatewayID.Malformed",
		"Transit Gateway %s was deleted or does not exist."}
	TransitAttachmentID = IDKind{"tgw-attach-", "InvalidTransitGatewayAttachmentID.NotFound", "InvalidTransitGatewayAttachmentID.Malformed",
		"Transit Gateway Attachment %s was deleted or does not exist."}
	TransitTableID = IDKind{"tgw-rtb-", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed",
		"Transit Gateway Route Table %s was deleted or does not exist."}
	// EC2 has no internet hosts, failover policies, records or assertions: enilab's own, in
	// EC2's manner.
	InternetHostID = IDKind{"inet-", "InvalidInternetHostID.NotFound", "InvalidInternetHostID.Malformed",
		"internet host ID"}
	PolicyID = IDKind{"fop-", "InvalidFailoverPolicyID.NotFound", "InvalidFailoverPolicyID.Malformed",
		"failover policy ID"}
	FailoverID = IDKind{"fo-", "InvalidFailoverID.NotFound", "InvalidFailoverID.Malformed",
		"failover ID"}
	AssertionID = IDKind{"assert-", "InvalidAssertionID.NotFound", "InvalidAssertionID.Malformed",
		"assertion ID"}
)

// TransitVPCAttachmentID is TransitAttachmentID as the actions on attachments of
// VPCs say it.
var TransitVPCAttachmentID = IDKind{TransitAttachmentID.Prefix, TransitAttachmentID.NotFound, TransitAttachmentID.Malformed,
	"Transit Gateway VPC Attachment %s was deleted or does not exist."}

// Check tells whether an id has this kind's form: the prefix, and 8 hexadecimal
// digits of old, or 17.
func (k IDKind) Check(id string) error { return k.form("", id) }

func (k IDKind) form(field, id string) error {
	digits, ok := strings.CutPrefix(id, k.Prefix)
	if param := k.storageParam(); !ok && param != "" {
		return invalid(field, "Value (%.100s) for parameter %s is invalid. Expected: '%s...'.", id, param, k.Prefix)
	}
	if !ok || len(digits) != 8 && len(digits) != 17 || strings.Trim(digits, "0123456789abcdef") != "" {
		e := refuse(k.Malformed, field, "Invalid id: \"%.100s\" (expecting \"%s...\")", id, k.Prefix) // unverified: the text, but for some kinds
		e.Malformed = &MalformedID{k, id}
		return e
	}
	return nil
}

// storageParam is the parameter that EBS names when an id is of another kind
// altogether, "" of kinds that are not EBS's.
func (k IDKind) storageParam() string {
	switch k.Prefix {
	case VolumeID.Prefix:
		return "volumeId"
	case SnapshotID.Prefix:
		return "snapshotId"
	}
	return ""
}

// check is Check of a field that must be there.
func (k IDKind) check(field, id string) error {
	if id == "" {
		return refuse(codeMissing, field, "The request must contain the parameter %s", field)
	}
	return k.form(field, id)
}

// Missing is the refusal of ids that have the form but no resource.
func (k IDKind) Missing(ids ...string) error {
	if len(ids) == 1 {
		return k.missing("", ids[0])
	}
	all := strings.Join(ids, ", ")
	if strings.Contains(k.Noun, "%s") {
		several := strings.NewReplacer(" '", "s '", "does not exist", "do not exist").Replace(k.Noun)
		return &Error{Code: k.NotFound, Message: fmt.Sprintf(several, all)}
	}
	return refuse(k.NotFound, "", "The %ss '%s' do not exist", k.Noun, all)
}

func (k IDKind) missing(field, id string) error {
	text := k.Noun
	if !strings.Contains(text, "%s") {
		text = "The " + text + " '%s' does not exist"
	}
	return &Error{Code: k.NotFound, Field: field, Message: fmt.Sprintf(text, id)}
}
