package control_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
)

// Commands that share a commit with a reset run before it or on what it has
// left, and a reset that the store refuses leaves all as it was.
func TestAResetSharesACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		s.Subnet("10.0.0.0/24")
		for _, err := range together(t, s, 3, func(k int) error {
			if k == 1 {
				_, err := s.Reset(context.Background())
				return err
			}
			_, err := s.CreateVPC(context.Background(), control.CreateVPCInput{CIDR: []string{"10.7.0.0/16", "", "10.8.0.0/16"}[k]})
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		vpcs := s.State().VPCs()
		if len(vpcs) != 1 || vpcs[0].CIDR.String() != "10.8.0.0/16" || len(s.State().Subnets()) != 0 {
			t.Errorf("VPCs %+v and %d subnets, want the VPC that came after the reset", vpcs, len(s.State().Subnets()))
		}
		s.Store.FailCommit = func() error { return errors.New("the disk is full") }
		if revision, err := s.Reset(context.Background()); err == nil || revision != 0 {
			t.Errorf("a reset that is not stored: revision %d, %v", revision, err)
		}
		if len(s.State().VPCs()) != 1 {
			t.Error("it has taken effect")
		}
	})
}
