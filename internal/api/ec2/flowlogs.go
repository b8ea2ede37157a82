package ec2

import (
	"errors"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindFlowLogs(t map[string]handler) {
	bind(t, "ResourceId ResourceType TrafficType LogDestinationType LogDestination LogGroupName DeliverLogsPermissionArn LogFormat"+
		" MaxAggregationInterval DestinationOptions TagSpecification", createFlowLogs)
	bind(t, "FlowLogId Filter MaxResults NextToken", describeFlowLogs)
	bind(t, "FlowLogId", deleteFlowLogs)
}

// maxFlowResources is CreateFlowLogs' limit (API reference).
const maxFlowResources = 1000

// flowResources are the kinds of resources that have flow logs, by
// ResourceType, with what is found of one.
var flowResources = map[string]func(c *call, id string) error{
	"VPC": func(c *call, id string) error {
		_, err := find(control.VPCID, id, c.state.VPC)
		return err
	},
	"Subnet": func(c *call, id string) error {
		_, err := find(control.SubnetID, id, c.state.Subnet)
		return err
	},
	"NetworkInterface": func(c *call, id string) error {
		_, err := find(control.InterfaceID, id, c.state.NetworkInterface)
		return err
	},
}

func unsuccessful(id string, err error) model.UnsuccessfulItem {
	e := refusal(err)
	return model.UnsuccessfulItem{ResourceId: &id, Error: &model.UnsuccessfulItemError{Code: &e.Code, Message: &e.Message}}
}

// createFlowLogs makes one flow log for each resource. What only one resource
// refuses is told of that one; the others get theirs.
func createFlowLogs(c *call, in *model.CreateFlowLogsRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "vpc-flow-log")
	if err != nil {
		return nil, err
	}
	check, ok := flowResources[*in.ResourceType]
	switch {
	case strings.HasPrefix(*in.ResourceType, "TransitGateway") || *in.ResourceType == "RegionalNatGateway":
		return nil, unsupported("enilab has no flow logs of the resource type %s.", *in.ResourceType)
	case !ok:
		return nil, invalid("Value (%s) for parameter resourceType is invalid. Unknown resource type.", clip(*in.ResourceType))
	case len(in.ResourceIds) > maxFlowResources:
		return nil, invalid("The maximum number of resources per request is %d", maxFlowResources)
	}
	input := control.CreateFlowLogInput{
		TrafficType: query.Value(in.TrafficType), DestinationType: query.Value(in.LogDestinationType),
		Destination: query.Value(in.LogDestination), LogGroup: query.Value(in.LogGroupName),
		PermissionARN: query.Value(in.DeliverLogsPermissionArn), Format: query.Value(in.LogFormat),
		Aggregation: query.Value(in.MaxAggregationInterval), Tags: tags["vpc-flow-log"],
	}
	if o := in.DestinationOptions; o != nil {
		input.FileFormat = query.Value(o.FileFormat)
		input.HiveCompatible, input.HourlyPartition = query.Value(o.HiveCompatiblePartitions), query.Value(o.PerHourPartition)
	}
	if err := control.CheckFlowLog(input); err != nil {
		return nil, err
	}
	for _, id := range in.ResourceIds {
		if err := check(c, id); err != nil {
			return nil, err
		}
	}
	svc := c.command()
	out := &model.CreateFlowLogsResult{ClientToken: in.ClientToken, FlowLogIds: []string{}, Unsuccessful: []model.UnsuccessfulItem{}}
	for _, id := range in.ResourceIds {
		input.Resource = id
		l, err := svc.CreateFlowLog(c.ctx, input)
		if _, refused := errors.AsType[*control.Error](err); refused {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
			continue
		}
		if err != nil {
			return nil, err
		}
		out.FlowLogIds = append(out.FlowLogIds, l.ID)
	}
	return out, nil
}

func (c *call) flowLog(l *control.FlowLog) model.FlowLog {
	m := model.FlowLog{
		FlowLogId: &l.ID, ResourceId: &l.Resource, TrafficType: &l.TrafficType, LogDestinationType: &l.DestinationType,
		LogDestination: text(l.Destination), LogGroupName: text(l.LogGroup), LogFormat: &l.Format, CreationTime: &l.CreatedAt,
		MaxAggregationInterval: &l.Aggregation, DeliverLogsPermissionArn: text(l.PermissionARN), FlowLogStatus: new("ACTIVE"),
		DeliverLogsStatus: new(deliverStatus), Tags: someTags(l.Tags),
	}
	if l.FileFormat != "" {
		m.DestinationOptions = &model.DestinationOptionsResponse{
			FileFormat: &l.FileFormat, HiveCompatiblePartitions: &l.HiveCompatible, PerHourPartition: &l.HourlyPartition,
		}
	}
	return m
}

// deliverStatus is that of every flow log: there is nothing that could fail to
// be delivered.
const deliverStatus = "SUCCESS"

func flowLogPlace(l *control.FlowLog) string { return place(l.CreatedAt, l.ID) }

var flowLogFilters = filterable[*control.FlowLog]{
	action: "DescribeFlowLogs",
	fields: map[string]field[*control.FlowLog]{
		"deliver-log-status":   fixed[*control.FlowLog](deliverStatus),
		"flow-log-id":          one(func(_ *call, l *control.FlowLog) string { return l.ID }),
		"log-destination-type": one(func(_ *call, l *control.FlowLog) string { return l.DestinationType }),
		"log-group-name": func(_ *call, l *control.FlowLog, match func(string) bool) bool {
			return l.LogGroup != "" && match(l.LogGroup)
		},
		"resource-id":  one(func(_ *call, l *control.FlowLog) string { return l.Resource }),
		"traffic-type": one(func(_ *call, l *control.FlowLog) string { return l.TrafficType }),
	},
	tags: func(l *control.FlowLog) control.Tags { return l.Tags },
}

func describeFlowLogs(c *call, in *model.DescribeFlowLogsRequest) (result, error) {
	keep, err := flowLogFilters.compile(c, in.Filter)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows := c.state.FlowLogs()
	if len(in.FlowLogIds) > 0 {
		if rows, err = findAll(control.FlowLogID, in.FlowLogIds, c.state.FlowLog); err != nil {
			return nil, err
		}
		rows = sorted(rows, flowLogPlace)
	}
	rows, next := cutPage(p, rows, flowLogPlace, keep)
	out := &model.DescribeFlowLogsResult{FlowLogs: []model.FlowLog{}, NextToken: next}
	for _, l := range rows {
		out.FlowLogs = append(out.FlowLogs, c.flowLog(l))
	}
	return out, nil
}

func deleteFlowLogs(c *call, in *model.DeleteFlowLogsRequest) (result, error) {
	for _, id := range in.FlowLogIds {
		if err := control.FlowLogID.Check(id); err != nil {
			return nil, err
		}
	}
	svc := c.command()
	out := &model.DeleteFlowLogsResult{Unsuccessful: []model.UnsuccessfulItem{}}
	for _, id := range in.FlowLogIds {
		err := svc.DeleteFlowLog(c.ctx, id)
		if _, refused := errors.AsType[*control.Error](err); refused {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}
