package filter

// Op is a comparison.
type Op uint8

// Operators. Match and Equal differ for flags alone, which Match wants among
// others and Equal alone.
const (
	Match    Op = iota // :
	Equal              // =
	Unequal            // !=
	Less               // <
	AtMost             // <=
	More               // >
	AtLeast            // >=
	Contains           // ~
)

var opTexts = [...]string{":", "=", "!=", "<", "<=", ">", ">=", "~"}

func (o Op) String() string { return opTexts[o] }

// kind is how a field's values are read.
type kind uint8

const (
	kindAddress kind = iota
	kindPort
	kindNumber
	kindProto
	kindName
	kindVerdict
	kindReason
	kindHop
	kindFlow
	kindFlags
	kindTime
)

const (
	opsEqual   = 1<<Match | 1<<Equal | 1<<Unequal
	opsNames   = opsEqual | 1<<Contains
	opsOrdered = opsEqual | 1<<Less | 1<<AtMost | 1<<More | 1<<AtLeast
)

var kindOps = [...]uint16{
	kindAddress: opsNames, kindPort: opsOrdered, kindNumber: opsOrdered, kindProto: opsEqual, kindName: opsNames,
	kindVerdict: opsEqual, kindReason: opsNames, kindHop: opsOrdered, kindFlow: opsEqual, kindFlags: opsEqual, kindTime: opsOrdered,
}

// Field is what can be asked of a record.
type Field struct {
	Name    string
	Text    string // what it is, for a person
	Example string
	kind    kind
}

// Fields in the order in which they are told.
var Fields = []Field{
	{"ip", "address at either end; or the name or id of who has the end", "ip:192.168.0.42", kindAddress},
	{"src", "source address; or who sent", "src:client", kindAddress},
	{"dst", "destination address; or whose interface it was to reach", "dst:192.168.0.0/24", kindAddress},
	{"port", "port at either end, of TCP and UDP", "port:443", kindPort},
	{"sport", "source port", "sport>=32768", kindPort},
	{"dport", "destination port", "dport:(80,443)", kindPort},
	{"proto", "protocol", "proto:tcp", kindProto},
	{"mac", "MAC of the interface at either end", "mac:02:00:00:00:00:01", kindName},
	{"eni", "interface at either end", "eni:eni-0123456789abcdef0", kindName},
	{"inst", "instance at either end, at the time", "inst:EC2-1", kindName},
	{"subnet", "subnet of either end", "subnet:subnet-a", kindName},
	{"vpc", "VPC of either end", "vpc:lab", kindName},
	{"az", "Availability Zone of either end", "az:us-east-1a", kindName},
	{"sg", "security group of either end, at the time", "sg:web", kindName},
	{"rule", "rule that decided: of a group, an ACL or a table", "rule:sgr-0123456789abcdef0", kindName},
	{"via", "route, gateway or ACL entry on its way", "via:igw-0123456789abcdef0", kindName},
	{"verdict", "what became of it", "verdict:lost", kindVerdict},
	{"reason", "why it ended so; or AWS's code", "reason:ingress_denied", kindReason},
	{"hop", "step at which it ended, in the order of the way", "hop:groups_in", kindHop},
	{"flow", "one conversation, both directions", "flow:192.168.0.10:40000-192.168.0.42:80/tcp", kindFlow},
	{"flags", "TCP flags that are set; = for no others", "flags:syn", kindFlags},
	{"len", "bytes of the frame", "len>1000", kindNumber},
	{"seq", "number of the record", "seq:1000..2000", kindNumber},
	{"t", "instant", "t>=-5s", kindTime},
}

var (
	fieldByName = map[string]*Field{}
	fieldNames  []string
)

// notRecorded are fields that other tools have and records have not: why, and what
// to ask instead.
var notRecorded = map[string][2]string{
	"ttl":   {"records hold no TTL", "open a frame's packet view, or filter a capture"},
	"vlan":  {"a VPC carries no VLAN tags", "reason:tagged finds frames that had one"},
	"dir":   {"a frame has no direction of its own", "src: or dst: with an address or a name"},
	"run":   {"records do not know which run they belong to", "t: with the run's begin and end, a..b"},
	"phase": {"a phase is known only once it is over", "t: with the phase's begin and end, a..b"},
}

// aliases are what people of other tools type.
var aliases = map[string]string{
	"source": "src", "destination": "dst", "host": "ip", "addr": "ip", "net": "ip", "protocol": "proto",
	"instance": "inst", "interface": "eni", "group": "sg", "zone": "az", "length": "len", "time": "t", "step": "hop",
}

func init() {
	for i := range Fields {
		fieldByName[Fields[i].Name] = &Fields[i]
		fieldNames = append(fieldNames, Fields[i].Name)
	}
}
