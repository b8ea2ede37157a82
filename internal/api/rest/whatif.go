package rest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

type askWhatIf struct {
	Changes []DraftChange `json:"changes" minItems:"1" maxItems:"100" doc:"In order. One that EC2 would refuse refuses the draft, naming which"`
	Seconds int           `json:"seconds,omitempty" minimum:"0" maximum:"600" doc:"Of the recording, which is kept while somebody watches; default 10"`
	Limit   int           `json:"limit,omitempty" minimum:"0" maximum:"1000" doc:"Of each list; default 100"`
}

// DraftChange is one change of a draft: exactly one of its fields is given.
type DraftChange struct {
	AuthorizeRule   *DraftRule     `json:"authorizeRule,omitempty"`
	RevokeRule      *DraftRuleID   `json:"revokeRule,omitempty"`
	CreateRoute     *DraftRoute    `json:"createRoute,omitempty"`
	ReplaceRoute    *DraftRoute    `json:"replaceRoute,omitempty"`
	DeleteRoute     *DraftRoute    `json:"deleteRoute,omitempty" doc:"Only the table and the destination count"`
	CreateACLEntry  *DraftACLEntry `json:"createAclEntry,omitempty"`
	ReplaceACLEntry *DraftACLEntry `json:"replaceAclEntry,omitempty"`
	DeleteACLEntry  *DraftACLEntry `json:"deleteAclEntry,omitempty" doc:"Only the network ACL, the direction and the number count"`
}

// DraftRule is a rule of a security group.
type DraftRule struct {
	GroupID       string `json:"groupId" maxLength:"64"`
	Direction     string `json:"direction" enum:"ingress,egress"`
	Protocol      string `json:"protocol" maxLength:"16" doc:"tcp, udp, icmp, an IANA number, or -1 for all"`
	FromPort      *int   `json:"fromPort,omitempty" doc:"Or the ICMP type, -1 for all"`
	ToPort        *int   `json:"toPort,omitempty" doc:"Or the ICMP code"`
	CIDR          string `json:"cidr,omitempty" maxLength:"64" doc:"Exactly one of this and the next two"`
	SourceGroupID string `json:"sourceGroupId,omitempty" maxLength:"64"`
	PrefixListID  string `json:"prefixListId,omitempty" maxLength:"64"`
}

// DraftRuleID names a rule of a security group.
type DraftRuleID struct {
	RuleID string `json:"ruleId" maxLength:"64"`
}

// DraftRoute is a route, with exactly one target.
type DraftRoute struct {
	RouteTableID string `json:"routeTableId" maxLength:"64"`
	Destination  string `json:"destination" maxLength:"64" doc:"An IPv4 block"`
	Target       string `json:"target,omitempty" maxLength:"64" doc:"The id of an internet gateway, a NAT gateway, a network interface, an instance, a peering connection or a transit gateway; or local"`
}

// DraftACLEntry is an entry of a network ACL.
type DraftACLEntry struct {
	NetworkACLID string `json:"networkAclId" maxLength:"64"`
	Number       int    `json:"number"`
	Egress       bool   `json:"egress,omitempty"`
	Action       string `json:"action,omitempty" enum:"allow,deny"`
	Protocol     string `json:"protocol,omitempty" maxLength:"16"`
	CIDR         string `json:"cidr,omitempty" maxLength:"64"`
	FromPort     *int   `json:"fromPort,omitempty"`
	ToPort       *int   `json:"toPort,omitempty"`
	ICMPType     *int   `json:"icmpType,omitempty"`
	ICMPCode     *int   `json:"icmpCode,omitempty"`
}

// Effect is what a draft would do to one connection, or to frames that are alike.
type Effect = answers.Effect

// WhatIf is what a draft would do.
type WhatIf struct {
	answers.Effects
	Assertions []DraftedAssertion `json:"assertions" doc:"Those that do not hold now or would not under the draft, the latter first"`
	Recorded   bool               `json:"recorded" doc:"Somebody watches, so that refused frames are on record; without that only living connections are looked at"`
}

func (s *Server) whatIfOperations(api huma.API) {
	huma.Register(api, act("what-if", "Say what a draft of rules, routes and network ACL entries would do to those who talk now; nothing is changed"),
		func(ctx context.Context, in *withBody[askWhatIf]) (*output[WhatIf], error) {
			draft := s.opt.Control.Draft()
			changed := map[string]int{}
			for i, c := range in.Body.Changes {
				at := fmt.Sprintf("body.changes[%d]", i)
				what, do, err := c.change(draft)
				if err != nil {
					return nil, wrong(at, err.Error(), "")
				}
				if first, twice := changed[what]; twice {
					return nil, wrong(at, fmt.Sprintf("contradicts changes[%d]: both change %s; want one change of it", first, what), what)
				}
				changed[what] = i
				if err := do(ctx); err != nil {
					return nil, draftProblem(at, err)
				}
			}
			turn := draft.Drafted()
			seconds, limit := orInt(in.Body.Seconds, defaultRecent), orInt(in.Body.Limit, defaultEffects)
			seen, newest, recorded := s.seenSince(s.instant().Add(-time.Duration(seconds) * time.Second))
			e := answers.WhatIf(turn, s.allFlows(turn.Before), seen, limit)
			for _, list := range [][]answers.Effect{e.NewlyRefused, e.KeptAsTracked, e.NewlyPassed} {
				for i := range list {
					if list[i].Cursor == 0 {
						list[i].Cursor = newest[list[i].Of()]
					}
				}
			}
			return &output[WhatIf]{Body: WhatIf{*e, s.draftedAssertions(turn), recorded}}, nil
		})
}

const (
	defaultRecent  = 10
	defaultEffects = 100
)

func orInt(given, fallback int) int {
	if given == 0 {
		return fallback
	}
	return given
}

// draftProblem is the refusal of one change, which says where it stands.
func draftProblem(at string, err error) error {
	p := problem(err)
	if refused, ok := p.(*Problem); ok {
		refused.Detail = at + ": " + refused.Detail
		refused.Errors = append(refused.Errors, &huma.ErrorDetail{Location: at, Message: "EC2 would refuse this change"})
	}
	return p
}

// change is what c changes, by which two changes of one thing are known, and how.
func (c DraftChange) change(d *control.Service) (what string, do func(context.Context) error, err error) {
	n := 0
	set := func(name string, f func(context.Context) error) { what, do, n = name, f, n+1 }
	if r := c.AuthorizeRule; r != nil {
		set(fmt.Sprint("the rule ", r.GroupID, " ", r.Direction, " ", r.Protocol, " ", number(r.FromPort), "-", number(r.ToPort), " ", r.CIDR, r.SourceGroupID, r.PrefixListID), func(ctx context.Context) error {
			_, err := d.AuthorizeRules(ctx, r.GroupID, r.Direction == "egress", []control.RuleInput{{
				Protocol: r.Protocol, FromPort: r.FromPort, ToPort: r.ToPort, CIDR: r.CIDR, Group: r.SourceGroupID, PrefixList: r.PrefixListID,
			}})
			return err
		})
	}
	if r := c.RevokeRule; r != nil {
		set("the rule "+r.RuleID, func(ctx context.Context) error {
			g := d.State().SecurityGroupOfRule(r.RuleID)
			if g == nil {
				return &control.Error{Code: control.RuleID.NotFound, Field: "ruleId", Message: fmt.Sprintf("there is no security group rule %s", clip(r.RuleID))}
			}
			return d.RevokeRules(ctx, g.ID, []string{r.RuleID})
		})
	}
	route := func(r *DraftRoute, f func(context.Context, control.RouteInput) error) {
		if r == nil {
			return
		}
		set("the route "+r.RouteTableID+" "+r.Destination, func(ctx context.Context) error {
			in := control.RouteInput{Table: r.RouteTableID, DestinationInput: control.DestinationInput{CIDR: r.Destination}}
			in.Aim(r.Target)
			return f(ctx, in)
		})
	}
	route(c.CreateRoute, d.CreateRoute)
	route(c.ReplaceRoute, d.ReplaceRoute)
	route(c.DeleteRoute, func(ctx context.Context, in control.RouteInput) error {
		return d.DeleteRoute(ctx, in.Table, in.DestinationInput)
	})
	entry := func(e *DraftACLEntry, f func(context.Context, control.NetworkACLEntryInput) error) {
		if e == nil {
			return
		}
		way := "ingress"
		if e.Egress {
			way = "egress"
		}
		set(fmt.Sprint("the entry ", e.NetworkACLID, " ", way, " ", e.Number), func(ctx context.Context) error {
			return f(ctx, control.NetworkACLEntryInput{
				ACL: e.NetworkACLID, Number: e.Number, Egress: e.Egress, Action: e.Action, Protocol: e.Protocol, CIDR: e.CIDR,
				FromPort: e.FromPort, ToPort: e.ToPort, ICMPType: e.ICMPType, ICMPCode: e.ICMPCode,
			})
		})
	}
	entry(c.CreateACLEntry, d.CreateNetworkACLEntry)
	entry(c.ReplaceACLEntry, d.ReplaceNetworkACLEntry)
	entry(c.DeleteACLEntry, func(ctx context.Context, in control.NetworkACLEntryInput) error {
		return d.DeleteNetworkACLEntry(ctx, in.ACL, in.Number, in.Egress)
	})
	if n != 1 {
		return "", nil, fmt.Errorf("want exactly one change, not %d", n)
	}
	return what, do, nil
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// allFlows are the connections that the tables of all interfaces know.
func (s *Server) allFlows(st *control.State) (all []answers.Flow) {
	for _, n := range st.NetworkInterfaces() {
		flows, _, err := s.opt.Engine.Flows(n.ID, 0)
		if err != nil {
			continue // not in force yet, or any more
		}
		for _, f := range flows {
			all = append(all, answers.Flow{Interface: n.ID, FlowInfo: f})
		}
	}
	return all
}

// seenSince are the frames on record that did not arrive, alike ones together, and
// the cursors of the newest frames that did, by what they belong to.
func (s *Server) seenSince(from time.Time) (refused []answers.Seen, newest map[answers.Connection]uint64, recorded bool) {
	records, cursors, recorded := s.hub.Recent(from.UnixNano())
	at, newest := map[answers.Connection]int{}, map[answers.Connection]uint64{}
	for i := range records {
		r := &records[i]
		if r.EtherType != frame.EtherTypeIPv4 {
			continue
		}
		c := s.connectionOf(r)
		if r.Verdict != verdict.Reject && r.Verdict != verdict.Lost {
			newest[c] = cursors[i]
			continue
		}
		k, known := at[c]
		if !known {
			k = len(refused)
			at[c] = k
			refused = append(refused, answers.Seen{Connection: c, Reason: r.Reason})
		}
		refused[k].Frames++
		refused[k].Newest = cursors[i]
	}
	return refused, newest, recorded
}

func (s *Server) connectionOf(r *dataplane.Record) answers.Connection {
	id, _ := s.opt.Engine.VNICName(r.SrcVNIC)
	c := answers.Connection{From: id, Src: r.SrcIP, Dst: r.DstIP, Proto: r.Proto, SrcPort: r.SrcPort, DstPort: r.DstPort}
	if r.Proto == frame.ProtoICMP {
		c.ICMPType, c.ICMPCode, c.SrcPort, c.DstPort = uint8(r.SrcPort>>8), uint8(r.SrcPort), r.DstPort, 0
	}
	return c
}
