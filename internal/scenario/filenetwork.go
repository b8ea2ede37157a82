package scenario

// peering joins two VPCs. Routes to it are the route tables'.
type peering struct {
	Name      string            `yaml:"name"`
	Requester string            `yaml:"requester"` // VPC
	Accepter  string            `yaml:"accepter"`  // VPC
	Accepted  *bool             `yaml:"accepted"`  // nil: true
	Tags      map[string]string `yaml:"tags"`
}

// transitGateway joins VPCs by attachments and route tables of its own.
type transitGateway struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	ASN         *int   `yaml:"asn"` // nil: 64512
	// DefaultAssociation and DefaultPropagation are for every attachment; nil: true.
	DefaultAssociation *bool               `yaml:"defaultAssociation"`
	DefaultPropagation *bool               `yaml:"defaultPropagation"`
	Attachments        []transitAttachment `yaml:"attachments"`
	Routes             []transitRoute      `yaml:"routes"` // of the default route table
	RouteTables        []transitTable      `yaml:"routeTables"`
	Tags               map[string]string   `yaml:"tags"`
}

type transitAttachment struct {
	Name    string            `yaml:"name"`
	VPC     string            `yaml:"vpc"`
	Subnets []string          `yaml:"subnets"` // one a zone
	Tags    map[string]string `yaml:"tags"`
}

type transitTable struct {
	Name         string            `yaml:"name"`
	Associations []string          `yaml:"associations"` // attachments whose frames ask it
	Propagations []string          `yaml:"propagations"` // attachments whose VPCs' blocks are routes
	Routes       []transitRoute    `yaml:"routes"`
	Tags         map[string]string `yaml:"tags"`
}

// transitRoute leads to an attachment, or nowhere.
type transitRoute struct {
	Destination string `yaml:"destination"` // CIDR
	Attachment  string `yaml:"attachment"`
	Blackhole   bool   `yaml:"blackhole"`
}

// endpoint is a way from a VPC to a service of AWS.
type endpoint struct {
	Name        string            `yaml:"name"`
	VPC         string            `yaml:"vpc"`
	Service     string            `yaml:"service"`     // "s3": the last part of its name
	Type        string            `yaml:"type"`        // gateway, interface; "": gateway
	RouteTables []string          `yaml:"routeTables"` // gateway
	Subnets     []string          `yaml:"subnets"`     // interface; one a zone
	Groups      []string          `yaml:"groups"`      // interface; none: the VPC's default group
	PrivateDNS  *bool             `yaml:"privateDns"`  // interface; nil: true where the service has private names
	Tags        map[string]string `yaml:"tags"`
}

// networkACL is the stateless filter of subnets. What no entry matches is denied.
type networkACL struct {
	Name    string            `yaml:"name"`
	VPC     string            `yaml:"vpc"`
	Subnets []string          `yaml:"subnets"`
	Ingress []aclEntry        `yaml:"ingress"`
	Egress  []aclEntry        `yaml:"egress"`
	Tags    map[string]string `yaml:"tags"`
}

// aclEntry is one of its rules; the lowest number that matches decides.
type aclEntry struct {
	Number   int    `yaml:"number"`
	Action   string `yaml:"action"` // allow, deny
	Protocol string `yaml:"protocol"`
	Ports    string `yaml:"ports"` // "80" or "8000-8080"; tcp and udp
	Type     *int   `yaml:"type"`  // icmp
	Code     *int   `yaml:"code"`  // icmp
	From     string `yaml:"from"`  // ingress: CIDR
	To       string `yaml:"to"`    // egress: CIDR
}

// ports gives an entry's range as EC2 takes it: ports, or ICMP type and code.
func (e aclEntry) ports() (from, to *int, err error) {
	return rule{Protocol: e.Protocol, Ports: e.Ports, Type: e.Type, Code: e.Code}.ports()
}
