package rest

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/control/failover"
)

type askBlastRadius struct {
	Target string `json:"target" maxLength:"64" doc:"What fails: the id of an instance, a network interface, a subnet, an internet, NAT or transit gateway, a peering connection or an endpoint, or the name of a zone"`
	Limit  int    `json:"limit,omitempty" minimum:"0" maximum:"1000" doc:"Of the list of connections; default 100"`
}

// BlastRadius is who loses what, and what the failover policies would do about it.
type BlastRadius struct {
	answers.Losses
	Policies []PolicyForesight `json:"policies" doc:"Those whose address is lost, or whose prober or standby is"`
}

// PolicyForesight is what a policy would do.
type PolicyForesight struct {
	PolicyID           string   `json:"policyId"`
	NetworkInterfaceID string   `json:"networkInterfaceId,omitempty" doc:"That has now what the policy moves"`
	Strategy           string   `json:"strategy"`
	Loses              []string `json:"loses" doc:"What of the policy fails: owner, prober, standby"`
	Would              string   `json:"would" enum:"move,nothing,notice" doc:"move: to toInstanceId. notice: it would, but nobody could take over. nothing: its address is not lost, or nobody could tell"`
	ToInstanceID       string   `json:"toInstanceId,omitempty"`
	Why                string   `json:"why,omitempty" doc:"Why nobody could tell or take over"`
}

func (s *Server) blastRadiusOperations(api huma.API) {
	huma.Register(api, act("blast-radius", "Say who loses what if something fails, and what policies would do; nothing fails"),
		func(ctx context.Context, in *withBody[askBlastRadius]) (*output[BlastRadius], error) {
			st := s.state()
			l, err := answers.Lose(st, in.Body.Target, s.allFlows(st), orInt(in.Body.Limit, defaultEffects))
			if err != nil {
				return nil, refusedQuestion(err, nil)
			}
			policies, err := s.foresee(ctx, l)
			if err != nil {
				return nil, problem(err)
			}
			return &output[BlastRadius]{Body: BlastRadius{*l, policies}}, nil
		})
}

// foresee asks policies in a draft in which the instances have failed.
func (s *Server) foresee(ctx context.Context, l *answers.Losses) ([]PolicyForesight, error) {
	draft := s.opt.Control.Draft()
	for _, id := range l.Instances {
		if i := draft.State().Instance(id); i == nil || i.State != control.InstanceRunning || i.Fault != control.FaultNone {
			continue
		}
		if _, err := draft.FailInstance(ctx, id, control.FaultFreeze); err != nil {
			return nil, err
		}
	}
	st, all := draft.State(), []PolicyForesight{}
	for _, p := range st.Policies() {
		f := failover.Foresee(st, p)
		v := PolicyForesight{PolicyID: p.ID, NetworkInterfaceID: f.Interface, Strategy: string(p.Strategy), Why: f.Why, Loses: []string{}, Would: "nothing"}
		owner := slices.Contains(l.Interfaces, f.Interface) || f.Owner != "" && slices.Contains(l.Instances, f.Owner)
		if owner {
			v.Loses = append(v.Loses, "owner")
		}
		if slices.Contains(l.Interfaces, p.Probe.From) {
			v.Loses = append(v.Loses, "prober")
		}
		if slices.ContainsFunc(p.Standbys, func(id string) bool { return id != f.Owner && slices.Contains(l.Instances, id) }) {
			v.Loses = append(v.Loses, "standby")
		}
		switch {
		case len(v.Loses) == 0:
			continue
		case !owner:
			v.Why = ""
		case f.To != "":
			v.Would, v.ToInstanceID = "move", f.To
		case f.Notices:
			v.Would = "notice"
		}
		all = append(all, v)
	}
	return all, nil
}
