package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// SecurityGroup is a stateful, allow-only filter.
type SecurityGroup struct {
	ID          string              `json:"id"`
	VPCID       string              `json:"vpcId"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	Rules       []SecurityGroupRule `json:"rules"`
	Tags        map[string]string   `json:"tags"`
	ETag        string              `json:"etag" doc:"Changes whenever the group does; see ifUnchanged of POST /calls"`
}

// SecurityGroupRule allows traffic.
type SecurityGroupRule struct {
	ID           string `json:"id"`
	Direction    string `json:"direction" enum:"ingress,egress"`
	Protocol     string `json:"protocol" doc:"tcp, udp, icmp, icmpv6, an IANA number, or -1 for all"`
	FromPort     *int   `json:"fromPort,omitempty" doc:"First port, or ICMP type; absent: all"`
	ToPort       *int   `json:"toPort,omitempty" doc:"Last port, or ICMP code; absent: all"`
	CIDR         string `json:"cidr,omitempty"`
	GroupID      string `json:"groupId,omitempty" doc:"Interfaces that carry this group"`
	PrefixListID string `json:"prefixListId,omitempty" doc:"The blocks of this prefix list"`
	Description  string `json:"description"`
}

type createGroup struct {
	VPCID       string            `json:"vpcId" maxLength:"64"`
	Name        string            `json:"name" maxLength:"255"`
	Description string            `json:"description" maxLength:"255"`
	Tags        map[string]string `json:"tags,omitempty"`
}

type authorizeRules struct {
	Direction string    `json:"direction" enum:"ingress,egress"`
	Rules     []newRule `json:"rules" minItems:"1" maxItems:"1000"`
}

type newRule struct {
	Protocol    string `json:"protocol" maxLength:"16"`
	FromPort    *int   `json:"fromPort,omitempty"`
	ToPort      *int   `json:"toPort,omitempty"`
	CIDR        string `json:"cidr,omitempty" maxLength:"64"`
	GroupID     string `json:"groupId,omitempty" maxLength:"64"`
	Description string `json:"description,omitempty" maxLength:"255"`
}

func groupView(g *control.SecurityGroup) SecurityGroup {
	return SecurityGroup{
		ID: g.ID, VPCID: g.VPC, Name: g.Name, Description: g.Description,
		Rules: views(g.Rules, ruleView), Tags: tagsView(g.Tags), ETag: etag(g),
	}
}

func ruleView(r control.SecurityGroupRule) SecurityGroupRule {
	v := SecurityGroupRule{ID: r.ID, Direction: "ingress", Protocol: protocolName(r.Protocol), GroupID: r.Group, PrefixListID: r.PrefixList, Description: r.Description}
	if r.Egress {
		v.Direction = "egress"
	}
	if r.CIDR.IsValid() {
		v.CIDR = r.CIDR.String()
	}
	if r.FromPort >= 0 {
		v.FromPort = &r.FromPort
	}
	if r.ToPort >= 0 {
		v.ToPort = &r.ToPort
	}
	return v
}

// ruleInput takes what ruleView gives: EC2 wants "all" of ICMP's types and
// codes said as -1, which a rule shows by their absence.
func ruleInput(r newRule) control.RuleInput {
	in := control.RuleInput{
		Protocol: r.Protocol, FromPort: r.FromPort, ToPort: r.ToPort,
		CIDR: r.CIDR, Group: r.GroupID, Description: r.Description,
	}
	all := -1
	if strings.HasPrefix(r.Protocol, "icmp") {
		if in.FromPort == nil {
			in.FromPort = &all
		}
		if in.ToPort == nil {
			in.ToPort = &all
		}
	}
	return in
}

// protocolName is the name EC2 knows a protocol number by, else the number.
func protocolName(n int) string {
	switch n {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 58:
		return "icmpv6"
	}
	return strconv.Itoa(n)
}

func groupID(g *control.SecurityGroup) string { return g.ID }

func (s *Server) groupOperations(api huma.API) {
	huma.Register(api, get("security-groups", "List security groups"), func(_ context.Context, in *pageInput) (*listOutput[SecurityGroup], error) {
		return paginate(*in, s.state().SecurityGroups(), groupID, groupView)
	})
	huma.Register(api, get("security-groups/{id}", "Get a security group"), func(_ context.Context, in *idInput) (*output[SecurityGroup], error) {
		return found(s.state().SecurityGroup(in.ID), "security group", in.ID, groupView)
	})
	huma.Register(api, create("security-groups", "Create a security group"), func(ctx context.Context, in *withBody[createGroup]) (*output[SecurityGroup], error) {
		g, err := s.opt.Control.CreateGroup(ctx, control.CreateGroupInput{
			VPC: in.Body.VPCID, Name: in.Body.Name, Description: in.Body.Description, Tags: in.Body.Tags,
		})
		return answer(g, err, groupView)
	})
	huma.Register(api, remove("security-groups/{id}", "Delete an unused security group"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeleteGroup(ctx, in.ID))
	})
	huma.Register(api, create("security-groups/{id}/rules", "Add rules, all or none"), func(ctx context.Context, in *idAndBody[authorizeRules]) (*listOutput[SecurityGroupRule], error) {
		added, err := s.opt.Control.AuthorizeRules(ctx, in.ID, in.Body.Direction == "egress", views(in.Body.Rules, ruleInput))
		if err != nil {
			return nil, problem(err)
		}
		return &listOutput[SecurityGroupRule]{Body: list[SecurityGroupRule]{Items: views(added, ruleView)}}, nil
	})
	huma.Register(api, operation(http.MethodDelete, "security-groups/{id}/rules/{ruleId}", "Remove a rule", http.StatusNoContent),
		func(ctx context.Context, in *struct {
			ID     string `path:"id" maxLength:"64"`
			RuleID string `path:"ruleId" maxLength:"64"`
		}) (*struct{}, error) {
			return nil, problem(s.opt.Control.RevokeRules(ctx, in.ID, []string{in.RuleID}))
		})
}
