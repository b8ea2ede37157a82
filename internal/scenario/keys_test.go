package scenario

import (
	"os"
	"strings"
	"testing"
)

// TestNearest: a slip of the fingers is recognised, another word is not.
func TestNearest(t *testing.T) {
	words := []string{"instance", "instances", "networkInterface", "within", "max", "min"}
	for written, want := range map[string]string{
		"instnace": "instance", "Instances": "instances", "networkinterface": "networkInterface", "networkIntreface": "networkInterface",
		"withn": "within", "mox": "max", "frobnicate": "", "zzz": "", strings.Repeat("x", 1000): "",
	} {
		if got := nearest(written, words); got != want {
			t.Errorf("%.20s: %q, want %q", written, got, want)
		}
	}
}

// TestRefusedStepsMayBeImpossible: whoever wants to see EC2 refuse something writes
// so, and then the file is right.
func TestRefusedStepsMayBeImpossible(t *testing.T) {
	for _, name := range []string{"step-foreign-gateway", "step-foreign-address", "step-move-primary", "step-move-zone"} {
		data, err := os.ReadFile("../../testdata/scenarios/bad/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(data), "steps: [{", "steps: [{refused: InvalidParameterValue, ", 1)
		if _, err := Parse(t.Context(), name, []byte(text)); err != nil {
			t.Error(err)
		}
	}
}
