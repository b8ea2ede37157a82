package drill

// Run is what was observed in one run. Names are those of the file. Instants are
// Unix nanoseconds of the laboratory's clock, the same that captures carry; 0
// means not observed.
type Run struct {
	Number    int    `json:"number"` // from 1
	Seed      uint64 `json:"seed"`
	StartedAt int64  `json:"startedAt"`
	EndedAt   int64  `json:"endedAt"`
	// LateNanos is by how much the clock's own ticks were late at most: how far
	// a measured time can be from what it would be on an idle machine. 0 in
	// virtual time.
	LateNanos int64 `json:"lateNanos"`

	Before *Hypothesis `json:"before,omitempty"` // the first step; nil: the file has none
	After  *Hypothesis `json:"after,omitempty"`  // the last step
	Steps  []Step      `json:"steps"`
	Broken string      `json:"broken,omitempty"` // why the run was broken off

	Moves      []Move            `json:"moves"`
	Flows      []Flow            `json:"flows"`
	Dropped    map[string]uint64 `json:"dropped"` // frames by reason
	Invariants []Invariant       `json:"invariants"`
}

// Hypothesis is how the conditions of the steady state were found.
type Hypothesis struct {
	Held bool   `json:"held"`
	Saw  string `json:"saw,omitempty"` // what was seen instead
}

// Step is one step carried out.
type Step struct {
	Line      int      `json:"line"`
	Text      string   `json:"text"`
	StartedAt int64    `json:"startedAt"`
	EndedAt   int64    `json:"endedAt"`
	Notes     []string `json:"notes,omitempty"` // what happened in it, such as the faults of chaos
	Error     string   `json:"error,omitempty"` // of the last one only
}

// Move is the record of one move.
type Move struct {
	Kind             string    `json:"kind"`  // failover, failback, move
	Moved            string    `json:"moved"` // one of MovedNames
	State            string    `json:"state"` // running, completed, failed
	Error            string    `json:"error,omitempty"`
	NetworkInterface string    `json:"networkInterface"`
	Policy           string    `json:"policy,omitempty"` // of whose policy it is, by the interface that it guards
	Scope            string    `json:"scope,omitempty"`  // how far such a move reaches: subnet, zone, region
	From             string    `json:"from"`
	To               string    `json:"to"`
	StartedAt        int64     `json:"startedAt"`
	EndedAt          int64     `json:"endedAt"`
	FaultAt          int64     `json:"faultAt"`
	DetectedAt       int64     `json:"detectedAt"`
	AcceptedAt       int64     `json:"acceptedAt"`
	DetachedAt       int64     `json:"detachedAt"`
	AttachedAt       int64     `json:"attachedAt"`
	Calls            []Call    `json:"calls,omitempty"` // of the EC2 API, that a policy made
	Phases           []Span    `json:"phases"`
	Traffic          []Traffic `json:"traffic"`
	TCP              TCP       `json:"tcp"`
	Checks           []Check   `json:"checks"`
	Notes            []string  `json:"notes,omitempty"`
}

// Call is a call of the EC2 API.
type Call struct {
	Operation string `json:"operation"`
	StartedAt int64  `json:"startedAt"`
	EndedAt   int64  `json:"endedAt"`
	Error     string `json:"error,omitempty"`
}

// Span is one phase of a move.
type Span struct {
	Name  string `json:"name"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
}

// Traffic is what one client saw of a move.
type Traffic struct {
	Client         string `json:"client"`
	Workload       string `json:"workload"`
	Kind           string `json:"kind"`
	Target         string `json:"target"`
	LastReplyAt    int64  `json:"lastReplyAt"`
	LastReplyFrom  string `json:"lastReplyFrom,omitempty"`
	FirstReplyAt   int64  `json:"firstReplyAt"`
	FirstReplyFrom string `json:"firstReplyFrom,omitempty"`
	OutageNanos    int64  `json:"outageNanos"`
	Sent           uint64 `json:"sent"`
	Lost           uint64 `json:"lost"`
	Incomplete     string `json:"incomplete,omitempty"` // why the measurement is not whole
}

// TCP is what became of the connections that were open when a move began.
type TCP struct {
	Open                  int   `json:"open"`
	Reset                 int   `json:"reset"`
	Closed                int   `json:"closed"`
	Survived              int   `json:"survived"`
	Reconnected           int   `json:"reconnected"`
	ReconnectedAfterNanos int64 `json:"reconnectedAfterNanos"` // from the move's start until all were connected again
}

// Check compares a value before and after a move.
type Check struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
	Result string `json:"result"` // same, changed, not-exercised
}

// Flow is one client over the whole run.
type Flow struct {
	Client   string `json:"client"`
	Workload string `json:"workload"`
	Kind     string `json:"kind"`
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"`
	Lost     uint64 `json:"lost"`   // not answered within a second
	Missed   uint64 `json:"missed"` // frames that the measurement did not see
}

// Invariant is how one of InvariantNames was found.
type Invariant struct {
	Name   string `json:"name"`
	Broken string `json:"broken,omitempty"` // what is wrong; "": nothing
}
