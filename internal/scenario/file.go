package scenario

import "enilab/internal/drill"

// file is a scenario as written: only names, no ids. The keys are documented
// in docs/scenarios.md.
type file struct {
	Description       string             `yaml:"description"`
	Laboratory        laboratory         `yaml:"laboratory"`
	Start             *beginning         `yaml:"start"`
	VPCs              []vpc              `yaml:"vpcs"`
	Subnets           []subnet           `yaml:"subnets"`
	SecurityGroups    []group            `yaml:"securityGroups"`
	Instances         []instance         `yaml:"instances"`
	NetworkInterfaces []networkInterface `yaml:"networkInterfaces"`
	InternetGateways  []internetGateway  `yaml:"internetGateways"`
	ElasticIPs        []elasticIP        `yaml:"elasticIps"`
	NATGateways       []natGateway       `yaml:"natGateways"`
	RouteTables       []routeTable       `yaml:"routeTables"`
	Peerings          []peering          `yaml:"peerings"`
	TransitGateways   []transitGateway   `yaml:"transitGateways"`
	Endpoints         []endpoint         `yaml:"endpoints"`
	NetworkACLs       []networkACL       `yaml:"networkAcls"`
	Internet          internet           `yaml:"internet"`
	Policies          []policy           `yaml:"policies"`
	Hypothesis        []condition        `yaml:"hypothesis"`
	Strategies        []string           `yaml:"strategies"`
	Steps             []step             `yaml:"steps"`
	Assert            []drill.Assertion  `yaml:"assert"`
	Repeat            *repetition        `yaml:"repeat"`
}

// laboratory is what a drill's laboratory is like beyond its network.
type laboratory struct {
	Shape           bool                `yaml:"shape"`
	AnnounceMoves   bool                `yaml:"announceMoves"`
	StaleAfterForce bool                `yaml:"staleAfterForce"`
	Timings         map[string]duration `yaml:"timings"` // by control.Operation
}

// repetition is how often a drill is run.
type repetition struct {
	Runs *int   `yaml:"runs"` // nil: once
	Seed uint64 `yaml:"seed"` // of the first run; 0: 1
}

type vpc struct {
	Name         string            `yaml:"name"`
	CIDR         string            `yaml:"cidr"`
	DNSHostnames *bool             `yaml:"dnsHostnames"` // nil: false
	Tags         map[string]string `yaml:"tags"`
}

type subnet struct {
	Name string            `yaml:"name"`
	VPC  string            `yaml:"vpc"`
	CIDR string            `yaml:"cidr"`
	Zone string            `yaml:"zone"` // a letter, or the number of the zone in its region
	Tags map[string]string `yaml:"tags"`
}

type group struct {
	Name        string            `yaml:"name"`
	VPC         string            `yaml:"vpc"`
	Description string            `yaml:"description"`
	Ingress     []rule            `yaml:"ingress"`
	Egress      []rule            `yaml:"egress"` // nil: EC2's default, everything
	Tags        map[string]string `yaml:"tags"`
}

type rule struct {
	Protocol    string `yaml:"protocol"`
	Ports       string `yaml:"ports"` // "80" or "8000-8080"; tcp and udp
	Type        *int   `yaml:"type"`  // icmp
	Code        *int   `yaml:"code"`  // icmp
	From        string `yaml:"from"`  // ingress: CIDR or name of a group
	To          string `yaml:"to"`    // egress: the same
	Description string `yaml:"description"`
}

type instance struct {
	Name   string `yaml:"name"`
	Type   string `yaml:"type"`
	Subnet string `yaml:"subnet"`
	IP     string `yaml:"ip"`
	// SecondaryIPs are of the primary network interface, as SourceDestCheck.
	SecondaryIPs []string          `yaml:"secondaryIps"`
	Groups       []string          `yaml:"groups"`
	Role         string            `yaml:"role"`
	Tags         map[string]string `yaml:"tags"`
	Workloads    []workload        `yaml:"workloads"`
	Serve        []servedPort      `yaml:"serve"`
	// SourceDestCheck is of the primary network interface; nil: true.
	SourceDestCheck *bool `yaml:"sourceDestCheck"`
}

type servedPort struct {
	Protocol string `yaml:"protocol"`
	Port     uint16 `yaml:"port"`
}

type workload struct {
	Name        string  `yaml:"name"`
	Kind        string  `yaml:"kind"`
	Target      string  `yaml:"target"` // IPv4 address, or name of an Elastic IP or internet host
	Port        uint16  `yaml:"port"`
	Rate        float64 `yaml:"rate"`
	Connections int     `yaml:"connections"`
	Size        int     `yaml:"size"`
	Paused      bool    `yaml:"paused"`
}

type networkInterface struct {
	Name            string            `yaml:"name"`
	Subnet          string            `yaml:"subnet"`
	IP              string            `yaml:"ip"`
	SecondaryIPs    []string          `yaml:"secondaryIps"`
	Groups          []string          `yaml:"groups"`
	Description     string            `yaml:"description"`
	SourceDestCheck *bool             `yaml:"sourceDestCheck"`
	Attach          *attachment       `yaml:"attach"`
	Tags            map[string]string `yaml:"tags"`
}

type attachment struct {
	Instance            string `yaml:"instance"`
	DeviceIndex         int    `yaml:"deviceIndex"`
	DeleteOnTermination bool   `yaml:"deleteOnTermination"`
}

type elasticIP struct {
	Name             string            `yaml:"name"`
	NetworkInterface string            `yaml:"networkInterface"`
	IP               string            `yaml:"ip"` // the private address; "": the primary one
	Tags             map[string]string `yaml:"tags"`
}

type internetGateway struct {
	Name string            `yaml:"name"`
	VPC  string            `yaml:"vpc"`
	Tags map[string]string `yaml:"tags"`
}

type natGateway struct {
	Name      string            `yaml:"name"`
	Subnet    string            `yaml:"subnet"`
	IP        string            `yaml:"ip"`
	ElasticIP string            `yaml:"elasticIp"` // "": a private one
	Tags      map[string]string `yaml:"tags"`
}

type routeTable struct {
	Name    string            `yaml:"name"`
	VPC     string            `yaml:"vpc"`
	Subnets []string          `yaml:"subnets"`
	Gateway string            `yaml:"gateway"` // internet gateway whose incoming frames ask it
	Routes  []route           `yaml:"routes"`
	Tags    map[string]string `yaml:"tags"`
}

// route has one target.
type route struct {
	Destination      string `yaml:"destination"` // CIDR
	InternetGateway  string `yaml:"internetGateway"`
	NATGateway       string `yaml:"natGateway"`
	NetworkInterface string `yaml:"networkInterface"`
	Peering          string `yaml:"peering"`
	TransitGateway   string `yaml:"transitGateway"`
}

// internet is what VPCs see beyond their internet gateways.
type internet struct {
	Hosts []internetHost `yaml:"hosts"`
}

type internetHost struct {
	Name      string       `yaml:"name"`
	Address   string       `yaml:"address"`
	Workloads []workload   `yaml:"workloads"`
	Serve     []servedPort `yaml:"serve"`
}

type policy struct {
	NetworkInterface string   `yaml:"networkInterface"`
	Standbys         []string `yaml:"standbys"`
	Probe            probe    `yaml:"probe"`
	FailBack         bool     `yaml:"failBack"`
	Enabled          *bool    `yaml:"enabled"` // nil: true

	Strategy      string        `yaml:"strategy"`  // "": eni
	Addresses     []string      `yaml:"addresses"` // of address
	ElasticIP     string        `yaml:"elasticIp"` // of eip
	Routes        []policyRoute `yaml:"routes"`    // of route
	Fence         string        `yaml:"fence"`
	FenceOptional bool          `yaml:"fenceOptional"`
	HoldDown      duration      `yaml:"holdDown"`
	NeverFailBack bool          `yaml:"neverFailBack"`
}

type policyRoute struct {
	RouteTable  string `yaml:"routeTable"`
	Destination string `yaml:"destination"`
}

type probe struct {
	Type     string   `yaml:"type"`
	From     string   `yaml:"from"`
	Port     int      `yaml:"port"`
	Path     string   `yaml:"path"`
	Interval duration `yaml:"interval"`
	Timeout  duration `yaml:"timeout"`
	Misses   int      `yaml:"misses"`
}

// step is one action, or conditions to wait for or to find true at once.
type step struct {
	Start     string      `yaml:"start"`
	Stop      string      `yaml:"stop"`
	Reboot    string      `yaml:"reboot"`
	Terminate string      `yaml:"terminate"`
	Fail      *failure    `yaml:"fail"`
	Recover   string      `yaml:"recover"`
	Attach    *attaching  `yaml:"attach"`
	Detach    *detaching  `yaml:"detach"`
	Move      *moving     `yaml:"move"`
	Traffic   string      `yaml:"traffic"` // paused, flowing
	Inject    *injection  `yaml:"inject"`
	Clear     string      `yaml:"clear"` // a fault's name, or all
	Sleep     duration    `yaml:"sleep"`
	Change    changes     `yaml:",inline"`
	WaitUntil []condition `yaml:"waitUntil"`
	Expect    []condition `yaml:"expect"`

	Within  duration `yaml:"within"`  // of waitUntil; 0: defaultWithin
	Refused string   `yaml:"refused"` // the EC2 error code that the action must be refused with
}

type failure struct {
	Instance string `yaml:"instance"` // or an internet host
	Fault    string `yaml:"fault"`
}

type attaching struct {
	NetworkInterface string `yaml:"networkInterface"`
	Instance         string `yaml:"instance"`
	DeviceIndex      int    `yaml:"deviceIndex"`
}

type detaching struct {
	NetworkInterface string `yaml:"networkInterface"`
	Force            bool   `yaml:"force"`
}

type moving struct {
	NetworkInterface string `yaml:"networkInterface"`
	Instance         string `yaml:"instance"`
	DeviceIndex      *int   `yaml:"deviceIndex"` // nil: the same if it is free, else the lowest free one
	Force            bool   `yaml:"force"`
}

// condition is one fact; exactly one field is set.
type condition struct {
	Instance         *instanceIs  `yaml:"instance"`
	NetworkInterface *interfaceIs `yaml:"networkInterface"`
	Failover         *failoverIs  `yaml:"failover"`
	Policy           *policyIs    `yaml:"policy"`
	Metadata         *metadataIs  `yaml:"metadata"`
	Event            *eventSeen   `yaml:"event"`
	Answers          *answers     `yaml:"answers"`
	Replies          *replies     `yaml:"replies"`
	Frames           string       `yaml:"frames"`    // accounted
	Addresses        string       `yaml:"addresses"` // one-owner
}

type instanceIs struct {
	Name  string  `yaml:"name"` // or an internet host
	State string  `yaml:"state"`
	Fault *string `yaml:"fault"` // "none" or a fault
}

type interfaceIs struct {
	Name       string `yaml:"name"`
	Status     string `yaml:"status"` // available, in-use
	AttachedTo string `yaml:"attachedTo"`
	Attachment string `yaml:"attachment"` // attaching, attached, detaching
	Address    string `yaml:"address"`    // among its addresses
	Unchanged  bool   `yaml:"unchanged"`  // id, MAC, addresses, groups as after loading
}

// failoverIs is a record of what has moved: the first of the network interface,
// Elastic IP, secondary address or route that is given.
type failoverIs struct {
	NetworkInterface string `yaml:"networkInterface"`
	ElasticIP        string `yaml:"elasticIp"`
	Address          string `yaml:"address"`
	RouteTable       string `yaml:"routeTable"`
	Destination      string `yaml:"destination"`
	Kind             string `yaml:"kind"`
	State            string `yaml:"state"`
	From             string `yaml:"from"`
	To               string `yaml:"to"`
	// MinLost is how many requests one measured client must have lost.
	MinLost uint64 `yaml:"minLost"`
	// Unchanged: no check found a difference.
	Unchanged bool `yaml:"unchanged"`
}

// policyIs is what the policy that moves a network interface, or moves something
// away from it, is doing.
type policyIs struct {
	NetworkInterface string `yaml:"networkInterface"` // as the policy names it
	State            string `yaml:"state"`
}

// metadataIs is what an instance reads of a network interface in its metadata.
type metadataIs struct {
	Instance string `yaml:"instance"`
	Lists    string `yaml:"lists"` // a network interface
	Lacks    string `yaml:"lacks"`
}

type eventSeen struct {
	Type string `yaml:"type"`
	Of   string `yaml:"of"`
}

type answers struct {
	From    string `yaml:"from"`
	Address string `yaml:"address"`
	By      string `yaml:"by"`
}

type replies struct {
	Client   string   `yaml:"client"`
	Workload string   `yaml:"workload"`
	By       string   `yaml:"by"`     // "": anybody
	Within   duration `yaml:"within"` // how long ago the newest may have come; 0: any time since
}

// duration is a time such as 200ms.
type duration = drill.Duration
