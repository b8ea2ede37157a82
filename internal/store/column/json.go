package column

import (
	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Columns of JSON, by what they hold.
type (
	Tags      = JSON[control.Tags]
	Workloads = JSON[[]spec.Workload]
	Strings   = JSON[[]string]
	Probe     = JSON[control.Probe]
	Terms     = JSON[control.Terms]
	Stale     = JSON[[]control.StaleInterface]
	Detail    = JSON[map[string]string]
	Findings  = JSON[FailoverFindings]

	VPCSettings       = JSON[control.VPCSettings]
	SubnetSettings    = JSON[control.SubnetSettings]
	InstanceSettings  = JSON[control.InstanceSettings]
	InterfaceSettings = JSON[control.InterfaceSettings]
)

// FailoverFindings is the part of a control.Failover that was measured: nested,
// written once or twice, read as a whole.
type FailoverFindings struct {
	Moved   control.Moved
	Phases  []control.Phase
	Control control.ControlTimes
	Traffic []control.TrafficResult
	TCP     control.TCPResult
	Checks  []control.Check
	Cause   *control.FailoverCause
	Notes   []string

	Fencing       *control.Fencing
	Calls         []control.APICall
	Answered      []control.Answered
	AnsweredByTwo int64
}
