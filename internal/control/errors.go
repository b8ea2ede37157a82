package control

import (
	"fmt"
	"strings"
)

// Error is a refusal a client can act on, with EC2's code and, where it is
// known, EC2's text.
type Error struct {
	Code    string // "InvalidNetworkInterfaceID.NotFound", ...
	Message string
	Field   string // the input that was wrong, or ""

	cause error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns what went wrong inside, nil for a refusal.
func (e *Error) Unwrap() error { return e.cause }

// EC2 error codes used in more than one place.
const (
	codeDependency     = "DependencyViolation"
	codeInstanceState  = "IncorrectInstanceState"
	codeInternal       = "InternalError"
	codeInvalidValue   = "InvalidParameterValue"
	codeCombination    = "InvalidParameterCombination"
	codeMissing        = "MissingParameter"
	codeNotPermitted   = "OperationNotPermitted"
	codeGroupNotFound  = "InvalidGroup.NotFound"
	codeAddressInUse   = "InvalidIPAddress.InUse"
	codeUnavailable    = "Unavailable"
	codeUnsupported    = "Unsupported"
	codeAlreadyDone    = "Resource.AlreadyAssociated"
	codeAttachMissing  = "InvalidAttachmentID.NotFound"
	codeTooManyAddress = "PrivateIpAddressLimitExceeded"
)

func refuse(code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) *Error {
	return refuse(codeInvalidValue, field, format, args...)
}

// kind is what EC2's errors say of one kind of resource.
type kind struct {
	prefix    string // of its ids
	notFound  string // code
	malformed string // code
	unknown   string // text of notFound, %s is the id
}

var (
	kindVPC = kind{"vpc-", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed",
		"The vpc ID '%s' does not exist"}
	kindSubnet = kind{"subnet-", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed",
		"The subnet ID '%s' does not exist"}
	kindInstance = kind{"i-", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed",
		"The instance ID '%s' does not exist"}
	kindInterface = kind{"eni-", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceID.Malformed",
		"The networkInterface ID '%s' does not exist"}
	kindAttachment = kind{"eni-attach-", codeAttachMissing, "InvalidNetworkInterfaceAttachmentId.Malformed", // unverified: the text
		"The network interface attachment ID '%s' does not exist"}
	kindGroup = kind{"sg-", codeGroupNotFound, "InvalidGroupId.Malformed",
		"The security group '%s' does not exist"}
	kindRule = kind{"sgr-", "InvalidSecurityGroupRuleId.NotFound", "InvalidSecurityGroupRuleId.Malformed",
		"The security group rule ID '%s' does not exist"}
	kindAddress = kind{"eipalloc-", "InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed",
		"The allocation ID '%s' does not exist"}
	kindAssociation = kind{"eipassoc-", "InvalidAssociationID.NotFound", "InvalidAssociationID.Malformed",
		"The association ID '%s' does not exist"}
	kindVPCCIDR = kind{"vpc-cidr-assoc-", "InvalidVpcCidrBlockAssociationID.NotFound", "InvalidVpcCidrBlockAssociationID.Malformed",
		"The vpc CIDR block association ID '%s' does not exist"}
	kindSubnetCIDR = kind{"subnet-cidr-assoc-", "InvalidSubnetCidrBlockAssociationID.NotFound",
		"InvalidSubnetCidrBlockAssociationID.Malformed", "The subnet CIDR block association ID '%s' does not exist"}
	kindDHCPOptions = kind{"dopt-", "InvalidDhcpOptionID.NotFound", "InvalidDhcpOptionsId.Malformed",
		"The dhcpOption ID '%s' does not exist"}
	kindInternetGateway = kind{"igw-", "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed",
		"The internetGateway ID '%s' does not exist"}
	kindEgressOnly = kind{"eigw-", "InvalidEgressOnlyInternetGatewayId.NotFound", "InvalidEgressOnlyInternetGatewayId.Malformed",
		"The egress only internet gateway ID '%s' does not exist"}
	kindNAT     = kind{"nat-", "NatGatewayNotFound", "NatGatewayMalformed", "NatGateway %s was not found"}
	kindPeering = kind{"pcx-", "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.Malformed",
		"The vpcPeeringConnection ID '%s' does not exist"}
	kindRouteTable = kind{"rtb-", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed",
		"The routeTable ID '%s' does not exist"}
	kindRouteAssociation = kind{"rtbassoc-", "InvalidAssociationID.NotFound", "InvalidRouteTableAssociationId.Malformed",
		"The association ID '%s' does not exist"}
	kindNetworkACL = kind{"acl-", "InvalidNetworkAclID.NotFound", "InvalidNetworkAclId.Malformed",
		"The networkAcl ID '%s' does not exist"}
	kindACLAssociation = kind{"aclassoc-", "InvalidAssociationID.NotFound", "InvalidNetworkAclAssociationId.Malformed",
		"The association ID '%s' does not exist"}
	kindKeyPair = kind{"key-", "InvalidKeyPair.NotFound", "InvalidKeyPairId.Malformed",
		"The key pair '%s' does not exist"}
	kindFlowLog = kind{"fl-", "InvalidFlowLogId.NotFound", "InvalidFlowLogId.Malformed",
		"The flow log ID '%s' does not exist"}
	kindPrefixList = kind{"pl-", "InvalidPrefixListID.NotFound", "InvalidPrefixListId.Malformed",
		"The prefix list ID '%s' does not exist"}
	kindReservation = kind{"scr-", "InvalidSubnetCidrReservationID.NotFound", "InvalidSubnetCidrReservationId.Malformed",
		"The subnet CIDR reservation ID '%s' does not exist"}
	kindPermission = kind{"eni-perm-", "InvalidPermissionID.NotFound", "InvalidPermissionId.Malformed",
		"The network interface permission ID '%s' does not exist"}
	// EC2 has no failover policies or records: enilab's own, in EC2's manner.
	kindPolicy = kind{"fop-", "InvalidFailoverPolicyID.NotFound", "InvalidFailoverPolicyID.Malformed",
		"The failover policy ID '%s' does not exist"}
	kindFailover = kind{"fo-", "InvalidFailoverID.NotFound", "InvalidFailoverID.Malformed",
		"The failover ID '%s' does not exist"}
)

// check tells whether id has the form of this kind: the prefix and 8 (of old)
// or 17 hexadecimal digits.
func (k kind) check(field, id string) error {
	if id == "" {
		return refuse(codeMissing, field, "The request must contain the parameter %s", field)
	}
	digits, ok := strings.CutPrefix(id, k.prefix)
	if !ok || len(digits) != 8 && len(digits) != 17 || strings.Trim(digits, "0123456789abcdef") != "" {
		return refuse(k.malformed, field, "Invalid id: \"%s\" (expecting \"%s...\")", id, k.prefix) // unverified: the text, but for some kinds
	}
	return nil
}

func (k kind) missing(field, id string) error {
	return refuse(k.notFound, field, k.unknown, id)
}

// internal wraps what no client has caused.
func internal(doing string, err error) *Error {
	return &Error{Code: codeInternal, Message: doing + ": " + err.Error(), cause: err}
}

func errInUse(eni string) error {
	return invalid("networkInterface", "Network interface '%s' is currently in use.", eni)
}

// errManaged is the refusal to change what a service holds.
func errManaged() error {
	return refuse("AuthFailure", "networkInterfaceId", "You do not have permission to access the specified resource.")
}

func errForeignGroup() error {
	return refuse(codeGroupNotFound, "groups", "You have specified two resources that belong to different networks.")
}

func errDependent(group string) error {
	return refuse(codeDependency, "group", "resource %s has a dependent object", group)
}

func errSubnetFull() error {
	return refuse("InsufficientFreeAddressesInSubnet", "subnet",
		"The specified subnet does not have enough free addresses to satisfy the request.")
}

func errAddressLimit() error {
	return refuse(codeTooManyAddress, "addresses", "Number of private addresses will exceed limit.")
}

func errIPv6Limit() error {
	return refuse(codeTooManyAddress, "ipv6Addresses", "Number of IPv6 addresses will exceed limit.") // unverified: code and text
}

func errNoPrefix() error {
	return refuse("InsufficientCidrBlocks", "subnet",
		"The specified subnet does not have enough free cidr blocks to satisfy the request.")
}
