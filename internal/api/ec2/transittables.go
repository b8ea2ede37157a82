package ec2

import (
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

type transitTable = *control.TransitTable

// defaultTransitTable reports whether new attachments of its gateway are
// associated with a table, or propagate to it.
func (c *call) defaultTransitTable(r transitTable) (association, propagation bool) {
	g := c.state.TransitGateway(r.Gateway)
	return g != nil && g.AssociationTable == r.ID, g != nil && g.PropagationTable == r.ID
}

func (c *call) transitTable(r transitTable, tags []model.Tag) *model.TransitGatewayRouteTable {
	association, propagation := c.defaultTransitTable(r)
	return &model.TransitGatewayRouteTable{
		TransitGatewayRouteTableId: &r.ID, TransitGatewayId: &r.Gateway, State: new(string(r.State)),
		DefaultAssociationRouteTable: &association, DefaultPropagationRouteTable: &propagation, CreationTime: &r.CreatedAt, Tags: tags,
	}
}

var transitTables = listing[control.TransitTable]{
	control.TransitTableID, &transitTableFilters, (*control.State).TransitTable, (*control.State).TransitTables,
}

var transitTableFilters = filterable[transitTable]{
	action: "DescribeTransitGatewayRouteTables",
	fields: map[string]field[transitTable]{
		"default-association-route-table": one(func(c *call, r transitTable) string {
			association, _ := c.defaultTransitTable(r)
			return yes(association)
		}),
		"default-propagation-route-table": one(func(c *call, r transitTable) string {
			_, propagation := c.defaultTransitTable(r)
			return yes(propagation)
		}),
		"state":                          one(func(_ *call, r transitTable) string { return string(r.State) }),
		"transit-gateway-id":             one(func(_ *call, r transitTable) string { return r.Gateway }),
		"transit-gateway-route-table-id": one(func(_ *call, r transitTable) string { return r.ID }),
	},
	tags: func(r transitTable) control.Tags { return r.Tags },
}

func createTransitTable(c *call, in *model.CreateTransitGatewayRouteTableRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "transit-gateway-route-table")
	if err != nil {
		return nil, err
	}
	r, err := c.command().CreateTransitTable(c.ctx, *in.TransitGatewayId, tags["transit-gateway-route-table"])
	if err != nil {
		return nil, err
	}
	return &model.CreateTransitGatewayRouteTableResult{TransitGatewayRouteTable: c.transitTable(r, someTags(r.Tags))}, nil
}

func deleteTransitTable(c *call, in *model.DeleteTransitGatewayRouteTableRequest) (result, error) {
	r, err := c.command().DeleteTransitTable(c.ctx, *in.TransitGatewayRouteTableId)
	if err != nil {
		return nil, err
	}
	return &model.DeleteTransitGatewayRouteTableResult{TransitGatewayRouteTable: c.transitTable(r, someTags(r.Tags))}, nil
}

func describeTransitTables(c *call, in *model.DescribeTransitGatewayRouteTablesRequest) (result, error) {
	rows, next, err := listed(c, transitTables, asked{in.Filters, in.MaxResults, in.NextToken, in.TransitGatewayRouteTableIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeTransitGatewayRouteTablesResult{TransitGatewayRouteTables: []model.TransitGatewayRouteTable{}, NextToken: next}
	for _, r := range rows {
		out.TransitGatewayRouteTables = append(out.TransitGatewayRouteTables, *c.transitTable(r, tagList(r.Tags)))
	}
	return out, nil
}

func transitAssociation(a transitAttachment) *model.TransitGatewayAssociation {
	return &model.TransitGatewayAssociation{
		TransitGatewayRouteTableId: &a.Table, TransitGatewayAttachmentId: &a.ID, ResourceId: &a.VPC, ResourceType: new(resourceVPC),
		State: new(string(a.TableState)),
	}
}

func associateTransitTable(c *call, in *model.AssociateTransitGatewayRouteTableRequest) (result, error) {
	a, err := c.command().AssociateTransitTable(c.ctx, *in.TransitGatewayRouteTableId, *in.TransitGatewayAttachmentId)
	if err != nil {
		return nil, err
	}
	return &model.AssociateTransitGatewayRouteTableResult{Association: transitAssociation(a)}, nil
}

func disassociateTransitTable(c *call, in *model.DisassociateTransitGatewayRouteTableRequest) (result, error) {
	a, err := c.command().DisassociateTransitTable(c.ctx, *in.TransitGatewayRouteTableId, *in.TransitGatewayAttachmentId)
	if err != nil {
		return nil, err
	}
	return &model.DisassociateTransitGatewayRouteTableResult{Association: transitAssociation(a)}, nil
}

// States of propagations, which change at once.
const (
	propagationEnabled  = "enabled"
	propagationDisabled = "disabled"
)

func transitPropagation(table *string, a transitAttachment, state string) *model.TransitGatewayPropagation {
	return &model.TransitGatewayPropagation{
		TransitGatewayRouteTableId: table, TransitGatewayAttachmentId: &a.ID, ResourceId: &a.VPC, ResourceType: new(resourceVPC), State: &state,
	}
}

func enableTransitPropagation(c *call, in *model.EnableTransitGatewayRouteTablePropagationRequest) (result, error) {
	if in.TransitGatewayAttachmentId == nil {
		return nil, missing("transitGatewayAttachmentId")
	}
	a, err := c.command().EnableTransitPropagation(c.ctx, *in.TransitGatewayRouteTableId, *in.TransitGatewayAttachmentId)
	if err != nil {
		return nil, err
	}
	return &model.EnableTransitGatewayRouteTablePropagationResult{
		Propagation: transitPropagation(in.TransitGatewayRouteTableId, a, propagationEnabled),
	}, nil
}

func disableTransitPropagation(c *call, in *model.DisableTransitGatewayRouteTablePropagationRequest) (result, error) {
	if in.TransitGatewayAttachmentId == nil {
		return nil, missing("transitGatewayAttachmentId")
	}
	a, err := c.command().DisableTransitPropagation(c.ctx, *in.TransitGatewayRouteTableId, *in.TransitGatewayAttachmentId)
	if err != nil {
		return nil, err
	}
	return &model.DisableTransitGatewayRouteTablePropagationResult{
		Propagation: transitPropagation(in.TransitGatewayRouteTableId, a, propagationDisabled),
	}, nil
}

// boundFilters are those of attachments that are associated with a table, or
// propagate to it.
func boundFilters(action string) *filterable[transitAttachment] {
	return &filterable[transitAttachment]{
		action: action,
		fields: map[string]field[transitAttachment]{
			"resource-id":                   one(func(_ *call, a transitAttachment) string { return a.VPC }),
			"resource-type":                 fixed[transitAttachment](resourceVPC),
			"transit-gateway-attachment-id": one(func(_ *call, a transitAttachment) string { return a.ID }),
		},
	}
}

var (
	transitAssociationFilters = boundFilters("GetTransitGatewayRouteTableAssociations")
	transitPropagationFilters = boundFilters("GetTransitGatewayRouteTablePropagations")
)

func attachmentPlace(a transitAttachment) string { return place(a.CreatedAt, a.ID) }

// bound is a page of the attachments that a table has to do with as is says.
func (c *call) bound(table string, a asked, f *filterable[transitAttachment], is func(transitTable, transitAttachment) bool) ([]transitAttachment, *string, error) {
	r, err := c.transitTableInUse(table)
	if err != nil {
		return nil, nil, err
	}
	keep, err := f.compile(c, a.filters)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.page(a.max, a.token, "", nil)
	if err != nil {
		return nil, nil, err
	}
	rows, next := cutPage(p, c.state.TransitAttachments(), attachmentPlace, func(a transitAttachment) bool { return is(r, a) && keep(a) })
	return rows, next, nil
}

// transitTableInUse finds a table that is not deleted.
func (c *call) transitTableInUse(id string) (transitTable, error) {
	r, err := find(control.TransitTableID, id, c.state.TransitTable)
	if err == nil && r.State == control.TransitDeleted {
		return nil, control.TransitTableID.Missing(id)
	}
	return r, err
}

func getTransitAssociations(c *call, in *model.GetTransitGatewayRouteTableAssociationsRequest) (result, error) {
	rows, next, err := c.bound(*in.TransitGatewayRouteTableId, asked{in.Filters, in.MaxResults, in.NextToken, nil}, transitAssociationFilters,
		func(r transitTable, a transitAttachment) bool { return a.Table == r.ID })
	if err != nil {
		return nil, err
	}
	out := &model.GetTransitGatewayRouteTableAssociationsResult{Associations: []model.TransitGatewayRouteTableAssociation{}, NextToken: next}
	for _, a := range rows {
		out.Associations = append(out.Associations, model.TransitGatewayRouteTableAssociation{
			TransitGatewayAttachmentId: &a.ID, ResourceId: &a.VPC, ResourceType: new(resourceVPC), State: new(string(a.TableState)),
		})
	}
	return out, nil
}

func getTransitPropagations(c *call, in *model.GetTransitGatewayRouteTablePropagationsRequest) (result, error) {
	rows, next, err := c.bound(*in.TransitGatewayRouteTableId, asked{in.Filters, in.MaxResults, in.NextToken, nil}, transitPropagationFilters,
		func(r transitTable, a transitAttachment) bool { return slices.Contains(r.Propagations, a.ID) })
	if err != nil {
		return nil, err
	}
	out := &model.GetTransitGatewayRouteTablePropagationsResult{
		TransitGatewayRouteTablePropagations: []model.TransitGatewayRouteTablePropagation{}, NextToken: next,
	}
	for _, a := range rows {
		out.TransitGatewayRouteTablePropagations = append(out.TransitGatewayRouteTablePropagations, model.TransitGatewayRouteTablePropagation{
			TransitGatewayAttachmentId: &a.ID, ResourceId: &a.VPC, ResourceType: new(resourceVPC), State: new(propagationEnabled),
		})
	}
	return out, nil
}

var attachmentPropagationFilters = filterable[transitTable]{
	action: "GetTransitGatewayAttachmentPropagations",
	fields: map[string]field[transitTable]{
		"transit-gateway-route-table-id": one(func(_ *call, r transitTable) string { return r.ID }),
	},
}

func getTransitAttachmentPropagations(c *call, in *model.GetTransitGatewayAttachmentPropagationsRequest) (result, error) {
	a, err := find(control.TransitAttachmentID, *in.TransitGatewayAttachmentId, c.state.TransitAttachment)
	if err != nil {
		return nil, err
	}
	keep, err := attachmentPropagationFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, c.state.TransitTables(), func(r transitTable) string { return place(r.CreatedAt, r.ID) },
		func(r transitTable) bool { return slices.Contains(r.Propagations, a.ID) && keep(r) })
	out := &model.GetTransitGatewayAttachmentPropagationsResult{
		TransitGatewayAttachmentPropagations: []model.TransitGatewayAttachmentPropagation{}, NextToken: next,
	}
	for _, r := range rows {
		out.TransitGatewayAttachmentPropagations = append(out.TransitGatewayAttachmentPropagations, model.TransitGatewayAttachmentPropagation{
			TransitGatewayRouteTableId: &r.ID, State: new(propagationEnabled),
		})
	}
	return out, nil
}
