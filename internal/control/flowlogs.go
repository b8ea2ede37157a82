package control

import (
	"context"
	"regexp"
	"strings"
	"time"
)

// FlowLog asks for records of the traffic of a VPC, subnet or ENI.
type FlowLog struct {
	ID              string // "fl-..."
	Region          string
	Resource        string // "vpc-...", "subnet-...", "eni-..."
	TrafficType     string // ACCEPT, REJECT, ALL
	DestinationType string // cloud-watch-logs, s3, kinesis-data-firehose
	Destination     string // an ARN
	LogGroup        string
	Format          string
	Aggregation     int // seconds, 60 or 600
	PermissionARN   string
	FileFormat      string // of S3: plain-text, parquet
	HiveCompatible  bool   // of S3
	HourlyPartition bool   // of S3
	Tags            Tags
	CreatedAt       time.Time
}

// FlowLog returns one flow log.
func (s *State) FlowLog(id string) *FlowLog { return seek[FlowLog](s, TableFlowLog, byID, id) }

// FlowLogs returns every flow log.
func (s *State) FlowLogs() []*FlowLog { return all[*FlowLog](s, TableFlowLog, byCreation) }

// Kinds of destinations of flow logs.
const (
	destinationCloudWatch = "cloud-watch-logs"
	destinationS3         = "s3"
	destinationFirehose   = "kinesis-data-firehose"
)

// defaultAggregation is CreateFlowLogs' maximum aggregation interval in
// seconds; the only other is a minute.
const defaultAggregation = 600

// CreateFlowLogInput is CreateFlowLogs' for one resource.
type CreateFlowLogInput struct {
	Resource, TrafficType           string
	DestinationType, Destination    string // DestinationType "": cloud-watch-logs
	LogGroup, PermissionARN, Format string // Format "": the default fields
	Aggregation                     int    // seconds; 0: 600
	FileFormat                      string // of S3: "plain-text", "parquet"
	HiveCompatible, HourlyPartition bool   // of S3
	Tags                            Tags
}

// DefaultFlowLogFormat is that of version 2 (VPC User Guide, "Flow log
// records").
const DefaultFlowLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol}" +
	" ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// CreateFlowLog stores a flow log. No records are written yet.
func (s *Service) CreateFlowLog(ctx context.Context, in CreateFlowLogInput) (*FlowLog, error) {
	return result(ctx, s, func(t *tx) (*FlowLog, error) { return t.createFlowLog(in) })
}

// DeleteFlowLog deletes a flow log.
func (s *Service) DeleteFlowLog(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteFlowLog(id) })
}

func (t *tx) flowLog(id string) (*FlowLog, error) {
	return find[FlowLog](t, FlowLogID, TableFlowLog, byID, "flowLogId", id)
}

func errFlowLog(field, format string, args ...any) error {
	return refuse("InvalidParameter", field, format, args...)
}

// CheckFlowLog refuses what CreateFlowLogs refuses as a whole, whatever the
// resources.
func CheckFlowLog(in CreateFlowLogInput) error {
	kind := in.DestinationType
	switch {
	case in.LogGroup != "" && in.Destination != "":
		return errFlowLog("logDestination", "Please only provide LogGroupName or only provide LogDestination.")
	case in.LogGroup != "" && kind != "" && kind != destinationCloudWatch:
		return errFlowLog("logDestinationType", "LogDestination type must be cloud-watch-logs if LogGroupName is provided.")
	case in.LogGroup == "" && in.Destination == "":
		return errFlowLog("logDestination", "LogDestination can't be empty if LogGroupName is not provided.")
	}
	switch kind {
	case "", destinationCloudWatch:
		if in.Destination != "" && !arnOf(in.Destination, kind) {
			return errFlowLog("logDestination", "LogDestination: %s is not a valid ARN", in.Destination) // unverified: the text
		}
		if in.PermissionARN == "" {
			return errFlowLog("deliverLogsPermissionArn", // unverified: the text
				"DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
		}
	case destinationS3, destinationFirehose:
		if !arnOf(in.Destination, kind) {
			return errFlowLog("logDestination", "LogDestination: %s is not a valid ARN", in.Destination) // unverified: the text
		}
	default:
		return errFlowLog("logDestinationType", "LogDestinationType: %s is not valid", kind) // unverified: the text
	}
	switch in.TrafficType {
	case "":
		return refuse(codeMissing, "trafficType", "The request must contain the parameter trafficType")
	case "ACCEPT", "REJECT", "ALL":
	default:
		return errFlowLog("trafficType", "TrafficType: %s is not valid, want ACCEPT, REJECT or ALL", in.TrafficType) // unverified: the text
	}
	if in.Aggregation != 0 && in.Aggregation != 60 && in.Aggregation != defaultAggregation {
		return errFlowLog("maxAggregationInterval", // unverified: the text
			"MaxAggregationInterval: %d is not valid, want 60 or 600", in.Aggregation)
	}
	if in.FileFormat != "" && in.FileFormat != "plain-text" && in.FileFormat != "parquet" {
		return errFlowLog("fileFormat", "FileFormat: %s is not valid, want plain-text or parquet", in.FileFormat) // unverified: the text
	}
	if err := checkFlowFormat(in.Format); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

// flowFields are the fields of versions 2 to 10 (VPC User Guide, "Flow log
// records").
var flowFields = func() map[string]bool {
	m := make(map[string]bool)
	for _, f := range strings.Fields(`version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end
		action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type
		sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn ecs-cluster-name
		ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name
		ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason resource-id encryption-status`) {
		m[f] = true
	}
	return m
}()

func checkFlowFormat(format string) error {
	seen := make(map[string]bool)
	for _, field := range strings.Fields(format) {
		name, opened := strings.CutPrefix(field, "${")
		name, closed := strings.CutSuffix(name, "}")
		if !opened || !closed || !flowFields[name] || seen[name] {
			return errFlowLog("logFormat", "LogFormat: %s is not a valid field", field) // unverified: the text
		}
		seen[name] = true
	}
	return nil
}

// destinationServices are the services of destinations by their types, as ARNs
// name them (VPC User Guide, "Publish flow logs").
var destinationServices = map[string]string{
	"": "logs", destinationCloudWatch: "logs", destinationS3: "s3", destinationFirehose: "firehose",
}

// arnOf reports whether s is an ARN of a service that flow logs of a destination
// type go to.
func arnOf(s, kind string) bool {
	parts := strings.SplitN(s, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[1] != "" && parts[2] == destinationServices[kind] && parts[5] != ""
}

// bucketName is the form of the names that S3 gives (S3 User Guide, "General
// purpose bucket naming rules").
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkBucket refuses a bucket that cannot be. Whether one of another name is
// there nobody can tell: there is no S3 here.
func checkBucket(in CreateFlowLogInput) error {
	if in.DestinationType != destinationS3 {
		return nil
	}
	path := strings.SplitN(in.Destination, ":", 6)[5]
	if name, _, _ := strings.Cut(path, "/"); !bucketName.MatchString(name) || strings.Contains(name, "..") {
		return refuse("400", "logDestination", "LogDestination: %s does not exist", name)
	}
	return nil
}

func (t *tx) createFlowLog(in CreateFlowLogInput) (*FlowLog, error) {
	if err := CheckFlowLog(in); err != nil {
		return nil, err
	}
	var err error
	switch prefix, _, _ := strings.Cut(in.Resource, "-"); prefix + "-" {
	case VPCID.Prefix:
		_, err = t.vpc(in.Resource)
	case SubnetID.Prefix:
		_, err = t.subnet(in.Resource)
	default:
		_, err = t.networkInterface(in.Resource)
	}
	if err != nil {
		return nil, err
	}
	if err := checkBucket(in); err != nil {
		return nil, err
	}
	if in.DestinationType == "" {
		in.DestinationType = destinationCloudWatch
	}
	if in.Format == "" {
		in.Format = DefaultFlowLogFormat
	}
	if in.Aggregation == 0 {
		in.Aggregation = defaultAggregation
	}
	if in.DestinationType == destinationS3 && in.FileFormat == "" {
		in.FileFormat = "plain-text"
	}
	for _, l := range list[*FlowLog](t, TableFlowLog, byTarget, in.Resource) {
		if l.DestinationType == in.DestinationType && l.Destination == in.Destination && l.LogGroup == in.LogGroup &&
			l.TrafficType == in.TrafficType && l.Format == in.Format {
			return nil, refuse("FlowLogAlreadyExists", "resourceId", // unverified: the text
				"Error. There is an existing Flow Log with the same configuration and log destination.")
		}
	}
	id, err := t.mintRow(TableFlowLog, FlowLogID.Prefix)
	if err != nil {
		return nil, err
	}
	l := &FlowLog{
		ID: id, Region: t.region, Resource: in.Resource, TrafficType: in.TrafficType, DestinationType: in.DestinationType,
		Destination: in.Destination, LogGroup: in.LogGroup, Format: in.Format, Aggregation: in.Aggregation,
		PermissionARN: in.PermissionARN, FileFormat: in.FileFormat, HiveCompatible: in.HiveCompatible,
		HourlyPartition: in.HourlyPartition, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableFlowLog, l)
	t.emit("flow-log.created", id, "resource", in.Resource)
	return l, nil
}

func (t *tx) deleteFlowLog(id string) error {
	l, err := t.flowLog(id)
	if err != nil {
		return err
	}
	t.remove(TableFlowLog, l)
	t.emit("flow-log.deleted", id)
	return nil
}

// dropFlowLogs deletes the flow logs of a resource that is deleted.
func (t *tx) dropFlowLogs(resource string) {
	for _, l := range list[*FlowLog](t, TableFlowLog, byTarget, resource) {
		t.remove(TableFlowLog, l)
		t.emit("flow-log.deleted", l.ID)
	}
}
