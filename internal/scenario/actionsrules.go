package scenario

import (
	"context"
	"fmt"
	"slices"

	"enilab/internal/control"
)

// ruling is rules of one of the file's security groups.
type ruling struct {
	Group   string `yaml:"group"`
	Ingress []rule `yaml:"ingress"`
	Egress  []rule `yaml:"egress"`
}

func (a ruling) String() string {
	return fmt.Sprintf("%d rules of %s", len(a.Ingress)+len(a.Egress), a.Group)
}

func (a ruling) check(c *checker, at string) {
	c.ref(at+".group", "security group", a.Group, c.names.groups)
	if (len(a.Ingress) > 0) == (len(a.Egress) > 0) {
		c.fail(at, "want rules of ingress or of egress, not both: EC2 has a call for each")
	}
	for k, f := range a.Ingress {
		c.rule(fmt.Sprintf("%s.ingress[%d]", at, k), f, false)
	}
	for k, f := range a.Egress {
		c.rule(fmt.Sprintf("%s.egress[%d]", at, k), f, true)
	}
}

// inputs are the rules as control takes them.
func (a ruling) inputs(l *Loaded) (ins []control.RuleInput, egress bool) {
	egress = len(a.Egress) > 0
	for _, f := range slices.Concat(a.Ingress, a.Egress) {
		ins = append(ins, f.input(l, egress))
	}
	return ins, egress
}

// input is a rule as control takes it; ports have been checked.
func (r rule) input(l *Loaded, egress bool) control.RuleInput {
	in := control.RuleInput{Protocol: r.Protocol, Description: r.Description}
	in.FromPort, in.ToPort, _ = r.ports()
	peer := r.From
	if egress {
		peer = r.To
	}
	if id, ok := l.Groups[peer]; ok {
		in.Group = id
	} else {
		in.CIDR = peer
	}
	return in
}

// directed is an operation of EC2 on a direction.
func directed(operation string, egress bool) string {
	if egress {
		return operation + "Egress"
	}
	return operation + "Ingress"
}

// authorizing adds rules (AuthorizeSecurityGroupIngress, ...Egress).
type authorizing struct {
	Rules ruling `yaml:",inline"`
}

func (a *authorizing) String() string { return "authorize " + a.Rules.String() }

func (a *authorizing) check(c *checker, at string) { a.Rules.check(c, at) }

func (a *authorizing) do(ctx context.Context, r *Session) error {
	ins, egress := a.Rules.inputs(r.loaded)
	return r.call(ctx, directed("AuthorizeSecurityGroup", egress), func(ctx context.Context) error {
		_, err := r.Service.AuthorizeRules(ctx, r.loaded.Groups[a.Rules.Group], egress, ins)
		return err
	})
}

// revoking removes rules (RevokeSecurityGroupIngress, ...Egress).
type revoking struct {
	Rules ruling `yaml:",inline"`
}

func (a *revoking) String() string { return "revoke " + a.Rules.String() }

func (a *revoking) check(c *checker, at string) { a.Rules.check(c, at) }

func (a *revoking) do(ctx context.Context, r *Session) error {
	ins, egress := a.Rules.inputs(r.loaded)
	return r.call(ctx, directed("RevokeSecurityGroup", egress), func(ctx context.Context) error {
		group := r.loaded.Groups[a.Rules.Group]
		var ids []string
		if g := r.Service.State().SecurityGroup(group); g != nil {
			for k, in := range ins {
				i := slices.IndexFunc(g.Rules, func(rule control.SecurityGroupRule) bool { return rule.Egress == egress && (&rule).Matches(in) })
				if i < 0 {
					return &control.Error{Code: "InvalidPermission.NotFound", Message: fmt.Sprintf("The specified rule does not exist in this security group (the %d. of the step).", k+1)}
				}
				ids = append(ids, g.Rules[i].ID)
			}
		}
		return r.Service.RevokeRules(ctx, group, ids)
	})
}

// aclChange is an entry of one of the file's network ACLs, of one direction.
type aclChange struct {
	NetworkACL string    `yaml:"networkAcl"`
	Ingress    *aclEntry `yaml:"ingress"`
	Egress     *aclEntry `yaml:"egress"`
}

func (a aclChange) String() string {
	if a.Egress != nil {
		return fmt.Sprintf("entry %d of %s, egress", a.Egress.Number, a.NetworkACL)
	}
	return fmt.Sprintf("entry %d of %s, ingress", a.Ingress.Number, a.NetworkACL)
}

func (a aclChange) check(c *checker, at string) {
	c.ref(at+".networkAcl", "network ACL", a.NetworkACL, c.names.acls)
	switch {
	case (a.Ingress == nil) == (a.Egress == nil):
		c.fail(at, "want one entry, of ingress or of egress")
	case a.Ingress != nil:
		c.aclEntry(at+".ingress", *a.Ingress, false)
	default:
		c.aclEntry(at+".egress", *a.Egress, true)
	}
}

func (a aclChange) input(l *Loaded) control.NetworkACLEntryInput {
	if a.Egress != nil {
		return a.Egress.input(l.NetworkACLs[a.NetworkACL], true)
	}
	return a.Ingress.input(l.NetworkACLs[a.NetworkACL], false)
}

// creatingACLEntry adds an entry (CreateNetworkAclEntry).
type creatingACLEntry struct {
	Entry aclChange `yaml:",inline"`
}

func (a *creatingACLEntry) String() string { return "create " + a.Entry.String() }

func (a *creatingACLEntry) check(c *checker, at string) { a.Entry.check(c, at) }

func (a *creatingACLEntry) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "CreateNetworkAclEntry", func(ctx context.Context) error {
		return r.Service.CreateNetworkACLEntry(ctx, a.Entry.input(r.loaded))
	})
}

// replacingACLEntry changes the entry of a number (ReplaceNetworkAclEntry).
type replacingACLEntry struct {
	Entry aclChange `yaml:",inline"`
}

func (a *replacingACLEntry) String() string { return "replace " + a.Entry.String() }

func (a *replacingACLEntry) check(c *checker, at string) { a.Entry.check(c, at) }

func (a *replacingACLEntry) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "ReplaceNetworkAclEntry", func(ctx context.Context) error {
		return r.Service.ReplaceNetworkACLEntry(ctx, a.Entry.input(r.loaded))
	})
}

// deletingACLEntry removes the entry of a number (DeleteNetworkAclEntry).
type deletingACLEntry struct {
	NetworkACL string `yaml:"networkAcl"`
	Number     int    `yaml:"number"`
	Egress     bool   `yaml:"egress"`
}

func (a *deletingACLEntry) String() string {
	direction := "ingress"
	if a.Egress {
		direction = "egress"
	}
	return fmt.Sprintf("delete entry %d of %s, %s", a.Number, a.NetworkACL, direction)
}

func (a *deletingACLEntry) check(c *checker, at string) {
	c.ref(at+".networkAcl", "network ACL", a.NetworkACL, c.names.acls)
	if a.Number == 0 {
		c.fail(at, "want number, that of the entry")
	}
}

func (a *deletingACLEntry) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "DeleteNetworkAclEntry", func(ctx context.Context) error {
		return r.Service.DeleteNetworkACLEntry(ctx, r.loaded.NetworkACLs[a.NetworkACL], a.Number, a.Egress)
	})
}

// associatingACL puts a network ACL before a subnet (ReplaceNetworkAclAssociation).
type associatingACL struct {
	NetworkACL string `yaml:"networkAcl"`
	Subnet     string `yaml:"subnet"`
}

func (a *associatingACL) String() string {
	return fmt.Sprintf("associate network ACL %s with %s", a.NetworkACL, a.Subnet)
}

func (a *associatingACL) check(c *checker, at string) {
	c.ref(at+".networkAcl", "network ACL", a.NetworkACL, c.names.acls)
	if i, ok := c.names.acls[a.NetworkACL]; ok {
		c.subnetIn(at+".subnet", a.Subnet, c.file.NetworkACLs[i].VPC)
	}
}

func (a *associatingACL) do(ctx context.Context, r *Session) error {
	subnet := r.loaded.Subnets[a.Subnet]
	before := r.Service.State().NetworkACLOf(subnet)
	if before == nil {
		return fmt.Errorf("subnet %s is no more", a.Subnet)
	}
	return r.call(ctx, "ReplaceNetworkAclAssociation", func(ctx context.Context) error {
		_, err := r.Service.ReplaceNetworkACLAssociation(ctx, aclAssociation(before, subnet), r.loaded.NetworkACLs[a.NetworkACL])
		return err
	})
}
