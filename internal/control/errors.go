package control

import "fmt"

// Error is a refusal a client can act on, with EC2's code and, where it is
// known, EC2's text.
type Error struct {
	Code    string // "InvalidNetworkInterfaceID.NotFound", ...
	Message string
	Field   string // the input that was wrong, or ""
	// Malformed is the id that has not the form of its kind, nil if that is not
	// why. EC2's actions do not say it alike.
	Malformed *MalformedID

	cause error
}

// MalformedID is what was given as an id of a kind and has not the form of one.
type MalformedID struct {
	Kind  IDKind
	Given string
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
	codeIncorrectState = "IncorrectState"
	codeAttachMissing  = "InvalidAttachmentID.NotFound"
	codeTooManyAddress = "PrivateIpAddressLimitExceeded"
)

func refuse(code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) *Error {
	return refuse(codeInvalidValue, field, format, args...)
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
