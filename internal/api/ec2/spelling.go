package ec2

import (
	"errors"

	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// EC2's actions do not all say alike what is wrong with an id or a list. What
// clients look for in their answers is kept here, by action.

// idAnswer is what an action says of what has not the form of an id, where that
// is not the code and text of the kind.
type idAnswer struct {
	action string
	kind   control.IDKind
	// code and text, with %s for what was given, "" each for those of the kind;
	// unknown answers as if the form were right and there were no such resource.
	code, text string
	unknown    bool
	seen       string
}

const (
	inReports = "reports of what clients met on EC2"
	inACK     = "end-to-end tests of the EC2 controller of AWS Controllers for Kubernetes"
)

var idAnswers = []idAnswer{
	{"DescribeVpcs", control.VPCID, "", "", true, inReports},
	{"DescribeSubnets", control.SubnetID, "", "", true, inReports},
	{"CreateSubnet", control.VPCID, "", "", true, inReports},
	{"AssociateRouteTable", control.RouteTableID, "", "", true, inReports},
	{"AssociateRouteTable", control.SubnetID, "", "", true, inReports},
	{"AttachInternetGateway", control.VPCID, "InvalidVpcId.Malformed", "", false, inACK},
	{"DeleteSecurityGroup", control.GroupID, "", "The security group ID '%s' is malformed", false, inReports},
	{"DescribeSecurityGroupRules", control.GroupID, "", "The security group ID '%s' is malformed", false, inReports},
}

// spell gives a refusal the words of an action.
func spell(action string, err error) error {
	e, ok := errors.AsType[*control.Error](err)
	if !ok || e.Malformed == nil {
		return err
	}
	for _, a := range idAnswers {
		if a.action != action || a.kind.Prefix != e.Malformed.Kind.Prefix {
			continue
		}
		if a.unknown {
			return a.kind.Missing(e.Malformed.Given)
		}
		q := &query.Error{Code: e.Code, Message: e.Message}
		if a.code != "" {
			q.Code = a.code
		}
		if a.text != "" {
			return query.Refuse(q.Code, a.text, clip(e.Malformed.Given))
		}
		return q
	}
	return err
}

// withoutInstances are the actions that say so of a request without instances. It
// is seen of TerminateInstances; the others change the state of instances too.
var withoutInstances = map[string]bool{
	"StartInstances": true, "StopInstances": true, "RebootInstances": true, "TerminateInstances": true,
}

// lacking refuses a request without one of the required parameters.
func lacking(action, name string) error {
	if name == "instancesSet" && withoutInstances[action] {
		return combination("No instances specified")
	}
	return missing(name)
}
