package fis

import (
	"slices"
	"strings"
)

// Resource types of targets.
const (
	TypeInstance = "aws:ec2:instance"
	TypeSubnet   = "aws:ec2:subnet"
	TypeRole     = "aws:iam:role"
)

// Action is one action that enilab carries out (AWS FIS User Guide, "AWS FIS
// actions reference").
type Action struct {
	ID          string
	Description string
	Parameters  []Parameter
	// Slot is what the action calls its target, Type what that is; "" of an action
	// without.
	Slot, Type string

	check func(path string, p map[string]string) error
	begin beginning
	end   ending
	// volatile: what it does ends with the server, and is done again after it.
	volatile bool
}

// Parameter of an action.
type Parameter struct {
	Name, Description string
	Required          bool
}

// ResourceType is one type of targets.
type ResourceType struct {
	ID, Description string
	Parameters      []Parameter
}

var types = []ResourceType{
	{ID: TypeInstance, Description: "An EC2 instance."},
	{ID: TypeSubnet, Description: "A subnet of a VPC.", Parameters: []Parameter{
		{Name: "availabilityZoneIdentifier", Description: "The name or id of the Availability Zone that subnets are in."},
		{Name: "vpc", Description: "The VPC that subnets are in."},
	}},
	{ID: TypeRole, Description: "An IAM role."},
}

var duration = Parameter{"duration", "How long it lasts, in ISO 8601: PT5M is five minutes.", true}

func apiParameters() []Parameter {
	return []Parameter{
		duration,
		{"service", "The namespace of the API: ec2.", true},
		{"percentage", "The share of calls that are hit, 1 to 100.", true},
		{"operations", "The operations that are hit, separated by commas.", true},
	}
}

// actions by their ids.
var actions = func() []*Action {
	all := []*Action{
		{ID: "aws:ec2:reboot-instances", Description: "Reboots EC2 instances.", Slot: "Instances", Type: TypeInstance, begin: reboot},
		{
			ID: "aws:ec2:stop-instances", Description: "Stops EC2 instances, and starts them again if told.",
			Slot: "Instances", Type: TypeInstance,
			Parameters: []Parameter{
				{"startInstancesAfterDuration", "After how long they are started again, in ISO 8601.", false},
				{"completeIfInstancesTerminated", "Whether the action completes if instances have been terminated that were to be started.", false},
			},
			check: checkStop, begin: stop, end: startAgain,
		},
		{ID: "aws:ec2:terminate-instances", Description: "Terminates EC2 instances.", Slot: "Instances", Type: TypeInstance, begin: terminate},
		{ID: "aws:fis:inject-api-internal-error", Description: "Answers API calls with internal errors.",
			Slot: "Roles", Type: TypeRole, Parameters: apiParameters(), check: checkAPI, begin: injectAPI, end: clearAPI, volatile: true},
		{ID: "aws:fis:inject-api-throttle-error", Description: "Throttles API calls.",
			Slot: "Roles", Type: TypeRole, Parameters: apiParameters(), check: checkAPI, begin: injectAPI, end: clearAPI, volatile: true},
		{ID: "aws:fis:inject-api-unavailable-error", Description: "Answers API calls as if the service were unavailable.",
			Slot: "Roles", Type: TypeRole, Parameters: apiParameters(), check: checkAPI, begin: injectAPI, end: clearAPI, volatile: true},
		{ID: "aws:fis:wait", Description: "Waits.", Parameters: []Parameter{duration}, check: checkDuration, begin: wait},
		{
			ID: "aws:network:disrupt-connectivity", Description: "Denies subnets' traffic by network ACLs.", Slot: "Subnets", Type: TypeSubnet,
			Parameters: []Parameter{
				duration,
				{"scope", "What is denied: all, availability-zone, vpc, prefix-list, s3, dynamodb.", true},
				{"prefixListIdentifier", "The id or ARN of the prefix list of the scope prefix-list.", false},
			},
			check: checkDisrupt, begin: disrupt, end: reconnect,
		},
		{
			ID: "aws:ssm:send-command", Description: "Impairs instances' network as AWS's documents do by Systems Manager.", Slot: "Instances", Type: TypeInstance,
			Parameters: []Parameter{
				duration,
				{"documentArn", "The ARN of the document, arn:aws:ssm:region::document/AWSFIS-Run-Network-Latency or another.", true},
				{"documentVersion", "The version of the document.", false},
				{"documentParameters", "The parameters of the document, a JSON object.", false},
			},
			check: checkCommand, begin: sendCommand, end: calm, volatile: true,
		},
	}
	slices.SortFunc(all, func(a, b *Action) int { return strings.Compare(a.ID, b.ID) })
	return all
}()

// Actions returns every action that enilab carries out, by id.
func Actions() []*Action { return actions }

// ActionByID returns one action, nil if there is none.
func ActionByID(id string) *Action {
	k := slices.IndexFunc(actions, func(a *Action) bool { return a.ID == id })
	if k < 0 {
		return nil
	}
	return actions[k]
}

// ResourceTypes returns every type of targets, by id.
func ResourceTypes() []ResourceType { return types }

// ResourceTypeByID returns one type of targets, nil if there is none.
func ResourceTypeByID(id string) *ResourceType {
	k := slices.IndexFunc(types, func(t ResourceType) bool { return t.ID == id })
	if k < 0 {
		return nil
	}
	return &types[k]
}

// ids joins the ids of actions or types for a refusal.
func ids[T any](all []T, id func(T) string) string {
	var names []string
	for _, t := range all {
		names = append(names, id(t))
	}
	return strings.Join(names, ", ")
}
