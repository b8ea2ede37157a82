package rest

// Topology is everything the dashboard needs, of one State.
type Topology struct {
	Epoch             string              `json:"epoch"`
	Revision          uint64              `json:"revision"`
	EventSeq          uint64              `json:"eventSeq" doc:"Every event up to this one is included"`
	Region            string              `json:"region"`
	VPCs              []VPC               `json:"vpcs"`
	Subnets           []Subnet            `json:"subnets"`
	Instances         []Instance          `json:"instances"`
	NetworkInterfaces []NetworkInterface  `json:"networkInterfaces"`
	SecurityGroups    []SecurityGroup     `json:"securityGroups"`
	Addresses         []Address           `json:"addresses"`
	InternetHosts     []InternetHost      `json:"internetHosts"`
	InternetGateways  []InternetGateway   `json:"internetGateways"`
	NATGateways       []NATGateway        `json:"natGateways"`
	Peerings          []PeeringConnection `json:"peeringConnections"`
	TransitGateways   []TransitGateway    `json:"transitGateways"`
	VPCEndpoints      []VPCEndpoint       `json:"vpcEndpoints"`
	RouteTables       []RouteTable        `json:"routeTables"`
	NetworkACLs       []NetworkACL        `json:"networkAcls"`
	Policies          []FailoverPolicy    `json:"policies"`
	Failovers         []Failover          `json:"failovers" doc:"The newest 20"`
	Captures          []Capture           `json:"captures"`
}

const topologyFailovers = 20

func (s *Server) topology() Topology {
	// Before the State: an event told again is harmless, one left out is not.
	seq := s.hub.EventSeq()
	st := s.state()
	failovers := st.Failovers()
	return Topology{
		Epoch: s.epoch, Revision: st.Revision(), EventSeq: seq, Region: s.opt.Region,
		VPCs:              views(st.VPCs(), vpcView),
		Subnets:           views(st.Subnets(), subnetView(st)),
		Instances:         views(st.Instances(), instanceView(st)),
		NetworkInterfaces: views(st.NetworkInterfaces(), s.interfaceView(st)),
		SecurityGroups:    views(st.SecurityGroups(), groupView),
		Addresses:         views(st.Addresses(), addressView),
		InternetHosts:     views(st.InternetHosts(), internetHostView),
		InternetGateways:  views(st.InternetGateways(), internetGatewayView(st)),
		NATGateways:       views(st.NATGateways(), natGatewayView),
		Peerings:          views(st.Peerings(), peeringView),
		TransitGateways:   views(st.TransitGateways(), transitGatewayView(st)),
		VPCEndpoints:      views(st.VPCEndpoints(), vpcEndpointView),
		RouteTables:       views(st.RouteTables(), routeTableView(st)),
		NetworkACLs:       views(st.NetworkACLs(), networkACLView),
		Policies:          views(st.Policies(), s.policyView),
		Failovers:         views(failovers[:min(len(failovers), topologyFailovers)], failoverView),
		Captures:          views(s.captures.all(), captureView),
	}
}
