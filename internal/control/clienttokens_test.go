package control_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
)

// What is remembered is remembered with what was done, and the oldest goes.
func TestClientTokensAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := controltest.NewStore()
		s := controltest.Serve(t, store, nil)
		sub := s.Subnet("10.0.0.0/24")
		named := func(k int) *control.Service {
			return s.In("us-east-1").Remembering(control.ClientToken{Action: "Modify", Token: fmt.Sprint(k), Params: "p"})
		}
		n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
		s.Check(err)
		for k := range control.MaxClientTokens + 2 {
			text := fmt.Sprint(k)
			_, err := named(k).ModifyInterface(t.Context(), control.ModifyInterfaceInput{ID: n.ID, Description: &text})
			s.Check(err)
			if k == 1 {
				s.Check(named(1).Answered(t.Context(), "<done/>"))
			}
			if k == 1 && s.State().ClientToken("us-east-1", "Modify", "1").Answer != "<done/>" {
				t.Error("the answer is not kept")
			}
		}
		if _, err := named(-1).ModifyInterface(t.Context(), control.ModifyInterfaceInput{ID: n.ID}); err == nil {
			t.Error("accepted without an attribute")
		}
		s.Stop()
		s = controltest.Serve(t, store, nil)
		defer s.Stop()
		for k, want := range map[int]bool{-1: false, 0: false, 1: false, 2: true, control.MaxClientTokens + 1: true} {
			if row := s.State().ClientToken("us-east-1", "Modify", fmt.Sprint(k)); (row != nil) != want {
				t.Errorf("token %d is remembered as %+v, want that: %v", k, row, want)
			}
		}
	})
}
