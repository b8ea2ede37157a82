package control

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// What is remembered is remembered with what was done, and the oldest goes.
func TestClientTokensAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemStore()
		s := serve(t, store, newModelPlane())
		sub := s.network("10.0.0.0/24")
		named := func(k int) *Service {
			return s.In("us-east-1").Remembering(ClientToken{Action: "Modify", Token: fmt.Sprint(k), Params: "p"})
		}
		n, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID})
		s.check(err)
		for k := range maxClientTokens + 2 {
			text := fmt.Sprint(k)
			_, err := named(k).ModifyInterface(t.Context(), ModifyInterfaceInput{ID: n.ID, Description: &text})
			s.check(err)
			if k == 1 {
				s.check(named(1).Answered(t.Context(), "<done/>"))
			}
			if k == 1 && s.State().ClientToken("us-east-1", "Modify", "1").Answer != "<done/>" {
				t.Error("the answer is not kept")
			}
		}
		if _, err := named(-1).ModifyInterface(t.Context(), ModifyInterfaceInput{ID: n.ID}); err == nil {
			t.Error("accepted without an attribute")
		}
		s.stop()
		s = serve(t, store, newModelPlane())
		defer s.stop()
		for k, want := range map[int]bool{-1: false, 0: false, 1: false, 2: true, maxClientTokens + 1: true} {
			if row := s.State().ClientToken("us-east-1", "Modify", fmt.Sprint(k)); (row != nil) != want {
				t.Errorf("token %d is remembered as %+v, want that: %v", k, row, want)
			}
		}
	})
}
