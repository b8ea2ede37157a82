package control

import "testing"

// TestUntouched: a default network is nothing, whatever else there is is something.
func TestUntouched(t *testing.T) {
	for name, touch := range map[string]func(*tx) error{
		"": nil,
		"a VPC": func(t *tx) error {
			_, err := t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"})
			return err
		},
		"a subnet": func(t *tx) error {
			_, err := t.createSubnet(CreateSubnetInput{VPC: allIn[*VPC](&t.Txn.View, string(TableVPC), byID)[0].ID, CIDR: "172.31.240.0/20"})
			return err
		},
		"a gateway":     func(t *tx) error { _, err := t.createInternetGateway(nil); return err },
		"an Elastic IP": func(t *tx) error { _, err := t.allocateAddress(nil, ""); return err },
	} {
		l := newLab(t)
		if !l.state.Untouched() {
			t.Error("nothing at all is touched")
		}
		l.ok(func(t *tx) error { return t.found() })
		if touch != nil {
			l.ok(touch)
		}
		if got := l.state.Untouched(); got != (touch == nil) {
			t.Errorf("with %q it is untouched: %t", name, got)
		}
	}
}
