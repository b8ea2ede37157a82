package answers

import (
	"errors"
	"fmt"

	"enilab/internal/control"
)

// Asserted is whether an assertion holds in a State, and if it does not, why.
type Asserted struct {
	ID      string `json:"id"`
	Holds   bool   `json:"holds"`
	Finding string `json:"finding" enum:"yes,partly,no,unknown" doc:"Whether the destination can be reached; unknown: it cannot be asked, since an end is gone"`
	Text    string `json:"text,omitempty" doc:"Of one that does not hold: the first thing that is in the way, how far ports go, or what cannot be asked"`
	Code    string `json:"code,omitempty" doc:"AWS Reachability Analyzer's, where one fits"`
	Rule    string `json:"rule,omitempty" doc:"The security group rule, network ACL entry or route that decides; of one that must not be reached, the receiver's rule that lets it in"`
	// NetworkInterfaceID is where that is.
	NetworkInterfaceID string `json:"networkInterfaceId,omitempty"`
}

// Assert tells of each assertion whether it holds in a State that shows all regions.
// What must be reached must be from every port; what must not be reached holds if no
// answer comes back.
func Assert(s *control.State, all []*control.Assertion) []Asserted {
	k := newAsker(s)
	out := make([]Asserted, len(all))
	for i, a := range all {
		out[i] = k.assert(a)
	}
	return out
}

func (k asker) assert(a *control.Assertion) Asserted {
	v := Asserted{ID: a.ID}
	answer, err := k.ask(Question{From: a.Source, To: a.Destination, Protocol: a.Protocol, Port: uint16(a.Port)})
	if err != nil {
		v.Finding, v.Text = "unknown", err.Error()
		var r *Refusal
		if errors.As(err, &r) {
			v.Text = fmt.Sprintf("cannot be asked: %s: want %s", r.Value, r.Want)
		}
		return v
	}
	v.Finding = answer.Reachable
	v.Holds = (answer.Reachable == "no") == a.MustNot && (a.MustNot || answer.Reachable == "yes")
	switch {
	case v.Holds:
	case a.MustNot:
		v.Text = "it can be reached"
		for _, h := range answer.Forward.Hops {
			if h.Component == "security-groups" && h.Direction == "ingress" {
				v.Rule, v.NetworkInterfaceID = h.Rule, h.ID
			}
		}
	case len(answer.Explanations) > 0:
		e := answer.Explanations[0]
		v.Text, v.Code, v.Rule, v.NetworkInterfaceID = e.Text, e.Code, e.Rule, e.NetworkInterfaceID
	default:
		for _, l := range answer.LookedAt {
			if !l.OK {
				v.Text = l.Finding
				break
			}
		}
	}
	return v
}
