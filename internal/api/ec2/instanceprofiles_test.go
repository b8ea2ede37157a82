package ec2

import (
	"strings"
	"testing"
)

// A launch says of which instance profile an instance is, and every Describe
// shows that.
func TestInstanceProfileOfALaunch(t *testing.T) {
	l := newLab(t)
	const own, far = "arn:aws:iam::123456789012:instance-profile/web", "arn:aws:iam::123456789012:instance-profile/ops/eu/db.1"
	ids := make(map[string]string)
	for _, c := range []struct{ param, arn string }{
		{"IamInstanceProfile.Name=web", own},
		{"IamInstanceProfile.Arn=" + own, own},
		{"IamInstanceProfile.Arn=" + far, far},
		{"EbsOptimized=false", "-"},
	} {
		i := l.launch(c.param)
		id, instance := i.text("iamInstanceProfile.id"), i.text("instanceId")
		if got := i.text("iamInstanceProfile.arn"); got != c.arn {
			t.Errorf("%s: shown as %s, want %s", c.param, got, c.arn)
		}
		if c.arn != "-" && (len(id) != 21 || id[:4] != "AIPA") {
			t.Errorf("%s: the profile's id is %s", c.param, id)
		}
		if known, ok := ids[c.arn]; ok && known != id {
			t.Errorf("%s: the profile's id is %s, and was %s", c.param, id, known)
		}
		ids[c.arn] = id
		r := l.must("DescribeIamInstanceProfileAssociations", "Filter.1.Name=instance-id", "Filter.1.Value.1="+instance,
			"Filter.2.Name=state", "Filter.2.Value.1=associated")
		a := r.at("iamInstanceProfileAssociationSet.1")
		if c.arn == "-" {
			if a != nil {
				t.Errorf("an instance without a profile has an association: %s", r.raw)
			}
			continue
		}
		if a == nil || a.text("iamInstanceProfile.arn") != c.arn || a.text("iamInstanceProfile.id") != id ||
			a.text("instanceId") != instance || a.text("state") != "associated" {
			t.Errorf("%s: association %s", c.param, r.raw)
			continue
		}
		again := l.must("DescribeIamInstanceProfileAssociations", "AssociationId.1="+a.text("associationId"))
		if got := again.text("iamInstanceProfileAssociationSet.1.instanceId"); got != instance {
			t.Errorf("%s: the association by its id is that of %s", c.param, got)
		}
	}
	if ids[own] == ids[far] {
		t.Errorf("both profiles have the id %s", ids[own])
	}
	for filter, want := range map[string]int{"arn=" + own: 2, "arn=" + far: 1, "id=" + ids[own]: 2, "arn=*": 3, "id=-": 0} {
		name, value, _ := strings.Cut(filter, "=")
		if n := l.must("DescribeInstances", "Filter.1.Name=iam-instance-profile."+name, "Filter.1.Value.1="+value).count("reservationSet"); n != want {
			t.Errorf("%d instances by %s, want %d", n, filter, want)
		}
	}
	last := l.must("DescribeIamInstanceProfileAssociations", "MaxResults=5").at("iamInstanceProfileAssociationSet.1")
	l.must("TerminateInstances", "InstanceId.1="+last.text("instanceId"))
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+last.text("instanceId"))
	if n := l.must("DescribeIamInstanceProfileAssociations").count("iamInstanceProfileAssociationSet"); n != 2 {
		t.Errorf("%d associations after one of three instances was terminated", n)
	}
	l.refused("InvalidAssociationID.NotFound", "DescribeIamInstanceProfileAssociations", "AssociationId.1="+last.text("associationId"))
}

func TestInstanceProfileRefusals(t *testing.T) {
	l := newLab(t)
	launch := func(p ...string) []string {
		return append([]string{"ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1"}, p...)
	}
	const name, arn = "IamInstanceProfile.Name=", "IamInstanceProfile.Arn="
	l.refuses(t, []errorRow{
		{"name and ARN", "RunInstances", launch(name+"web", arn+"arn:aws:iam::123456789012:instance-profile/web"), "InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'"},
		{"an ARN as name", "RunInstances", launch(name + "arn:aws:iam::123456789012:instance-profile/web"), "InvalidParameterValue", "Value (arn:aws:iam::123456789012:instance-profile/web) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"},
		{"no name", "RunInstances", launch(name), "InvalidParameterValue", "Value () for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"},
		{"a name as ARN", "RunInstances", launch(arn + "web"), "InvalidParameterValue", "Value (web) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN"},
		{"the ARN of a role", "RunInstances", launch(arn + "arn:aws:iam::123456789012:role/web"), "InvalidParameterValue", "Value (arn:aws:iam::123456789012:role/web) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN"},
	})
}
