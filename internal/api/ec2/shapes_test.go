package ec2

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// modelShapes is what of the service model an answer is judged by.
type modelShapes struct {
	Operations map[string]struct {
		Input, Output *struct{ Shape string }
	}
	Shapes map[string]struct {
		Type    string
		Enum    []string
		Member  struct{ Shape, LocationName string }
		Members map[string]struct{ Shape, LocationName string }
	}
}

var readShapes = sync.OnceValues(func() (*modelShapes, error) {
	raw, err := os.ReadFile("model/ec2-2016-11-15.json")
	if err != nil {
		return nil, err
	}
	m := new(modelShapes)
	return m, json.Unmarshal(raw, m)
})

var instant = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// checkShape judges a successful answer: every element is one of the model,
// with a value of its type, and lists hold items.
func checkShape(t testing.TB, action string, answer *element) {
	t.Helper()
	m, err := readShapes()
	if err != nil {
		t.Fatal(err)
	}
	op, ok := m.Operations[action]
	if !ok {
		t.Errorf("the model has no action %s", action)
		return
	}
	if answer.XMLName.Local != action+"Response" || answer.XMLName.Space != namespace {
		t.Errorf("%s: root element %s in %s", action, answer.XMLName.Local, answer.XMLName.Space)
	}
	body := *answer
	body.Children = slices.DeleteFunc(slices.Clone(answer.Children), func(e element) bool { return e.XMLName.Local == "requestId" })
	if len(body.Children) == len(answer.Children) {
		t.Errorf("%s: no requestId", action)
	}
	if op.Output == nil {
		if answer.text("return") != "true" || len(body.Children) != 1 {
			t.Errorf("%s: %+v, want only <return>true</return>", action, body.Children)
		}
		return
	}
	for _, wrong := range m.judge(action, action, op.Output.Shape, &body) {
		t.Error(wrong)
	}
}

func (m *modelShapes) judge(action, path, name string, e *element) (wrong []string) {
	s := m.Shapes[name]
	switch s.Type {
	case "structure":
		seen := make(map[string]bool)
		for i := range e.Children {
			child := &e.Children[i]
			local := child.XMLName.Local
			shape := ""
			for member, ref := range s.Members {
				if wire := ref.LocationName; wire == local || wire == "" && member == local {
					shape = ref.Shape
				}
			}
			switch {
			case shape == "":
				wrong = append(wrong, fmt.Sprintf("%s: %s has no member %s", path, name, local))
			case seen[local]:
				wrong = append(wrong, fmt.Sprintf("%s: %s twice", path, local))
			default:
				wrong = append(wrong, m.judge(action, path+"."+local, shape, child)...)
			}
			seen[local] = true
		}
		return append(wrong, m.misses(action, path, name, e)...)
	case "list":
		for i := range e.Children {
			if e.Children[i].XMLName.Local != cmp.Or(s.Member.LocationName, "item") {
				wrong = append(wrong, path+": a list holds "+e.Children[i].XMLName.Local)
				continue
			}
			wrong = append(wrong, m.judge(action, path+"."+strconv.Itoa(i+1), s.Member.Shape, &e.Children[i])...)
		}
		return wrong
	}
	var err error
	switch s.Type {
	case "integer", "long":
		_, err = strconv.ParseInt(e.Text, 10, 64)
	case "boolean":
		if e.Text != "true" && e.Text != "false" {
			err = fmt.Errorf("%q is no boolean", e.Text)
		}
	case "double", "float":
		_, err = strconv.ParseFloat(e.Text, 64)
	case "timestamp":
		if !instant.MatchString(e.Text) {
			err = fmt.Errorf("%q is no instant", e.Text)
		}
	case "string":
		// New instance types appear faster than models, and EC2 says "available" of
		// the attachment of an internet gateway (API reference,
		// InternetGatewayAttachment), which the model's enum lacks.
		// So it writes the states of VPC endpoints small (AWS CLI examples:
		// describe-vpc-endpoints). So it says "nat_gateway" of the ENI of a NAT gateway, by its own filter
		// interface-type.
		lacking := name == "InstanceType" || name == "State" && (e.Text == "available" || e.Text == "pending" || e.Text == "deleting") || name == "NetworkInterfaceType" && e.Text == "nat_gateway" || name == "AttachmentStatus" && e.Text == "available"
		if len(s.Enum) > 0 && !lacking && !slices.Contains(s.Enum, e.Text) {
			err = fmt.Errorf("%q is not one of %v", e.Text, s.Enum)
		}
	}
	if err != nil || len(e.Children) > 0 {
		wrong = append(wrong, fmt.Sprintf("%s: %v, children %d", path, err, len(e.Children)))
	}
	return wrong
}
