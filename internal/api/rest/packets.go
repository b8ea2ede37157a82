package rest

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

type injectPacket struct {
	NetworkInterfaceID string        `json:"networkInterfaceId" maxLength:"64" doc:"The interface whose guest seems to send it, or the id of a host of the modelled internet"`
	Hex                string        `json:"hex,omitempty" maxLength:"196605" doc:"The whole frame; spaces, colons and line ends are skipped"`
	Fields             *PacketFields `json:"fields,omitempty" doc:"Instead of hex"`
	Answer             bool          `json:"answer,omitempty" doc:"Has whoever gets the frame answer it, and traces that too"`
	Follow             bool          `json:"follow,omitempty" doc:"Goes on with what a guest behind an interface without source/destination check sends on of the frame, guest by guest, and of the answer likewise. A frame built from fields then has an identification of its own"`
}

// Injection is the fate of an injected frame.
type Injection struct {
	Verdict    string      `json:"verdict" enum:"accept,reject,lost,control"`
	Reason     string      `json:"reason"`
	ReasonText string      `json:"reasonText"`
	Code       string      `json:"code,omitempty" doc:"AWS Reachability Analyzer's code, where one fits"`
	Step       string      `json:"step" doc:"Where on its path the frame ended: one of the steps of /status"`
	Rule       string      `json:"rule,omitempty" doc:"What decided: a security group rule, a network ACL entry, a route or an impairment"`
	RuleKind   string      `json:"ruleKind,omitempty" enum:"group_rule,acl_entry,route,gateway,impairment" doc:"What rule is"`
	Hops       []Hop       `json:"hops"`
	LeftBy     string      `json:"leftBy,omitempty" doc:"The internet gateway or gateway endpoint by which the frame left its VPC: the VPC has let it go, whatever the internet did with it"`
	Frame      HexFrame    `json:"frame"`
	Answer     *Injection  `json:"answer,omitempty" doc:"The fate of the answer, if one was asked for and the frame arrived and has one"`
	Arrived    *HexFrame   `json:"arrived,omitempty" doc:"The frame as its receiver got it: gateways may have changed its addresses"`
	Passed     string      `json:"passed,omitempty" enum:"forwarded,translated,icmp-error" doc:"Of an item of followed, what the guest has made of the frame: as it came, but for the TTL; with another source or destination; nothing, this is an ICMP error about it"`
	Followed   []Injection `json:"followed,omitempty" doc:"With follow: what each guest on the way has sent on, in order. The last item tells what became of the frame in the end"`
	Ended      string      `json:"followEnded,omitempty" enum:"arrived,undelivered,silent,answered,bound" doc:"With follow, why it ended: the frame is for the last guest, or its interface has source/destination check; the last frame was not delivered; the last guest sent nothing on within a second that looks like the frame; it sent an ICMP error about it; eight guests have sent it on"`
}

// Translation is what gateways made of a frame's two ends; the port is 0 where there is none.
type Translation struct {
	Source         string `json:"source"`
	Destination    string `json:"destination"`
	NewSource      string `json:"newSource"`
	NewDestination string `json:"newDestination"`
}

// Hop is one station on the frame's way.
type Hop struct {
	Station            string       `json:"station" enum:"egress,fabric,ingress,delivery"`
	NetworkInterfaceID string       `json:"networkInterfaceId,omitempty"`
	Verdict            string       `json:"verdict" doc:"pass if the frame went on"`
	Step               string       `json:"step,omitempty" doc:"Where the frame ended, if it did here: one of the steps of /status"`
	Reason             string       `json:"reason,omitempty"`
	Code               string       `json:"code,omitempty" doc:"AWS Reachability Analyzer's code for the reason, where one fits"`
	Rule               string       `json:"rule,omitempty"`
	RuleKind           string       `json:"ruleKind,omitempty" enum:"group_rule,acl_entry,route,gateway,impairment" doc:"What rule is"`
	Established        bool         `json:"established,omitempty" doc:"The connection table knew the flow, so that no rule was asked; rule names the one that had admitted it"`
	Route              string       `json:"route,omitempty" doc:"The route that decided, by its table's id and destination"`
	Onward             string       `json:"onward,omitempty" doc:"The route of a gateway's own table that was followed after that, by its table's id and destination"`
	Via                string       `json:"via,omitempty" doc:"What the routes lead through: the id of a gateway, a peering connection, a transit gateway or a network interface"`
	Gateways           []string     `json:"gateways,omitempty" doc:"The internet gateways that the frame passed here, in order, or the gateway endpoint that it leaves by"`
	Translation        *Translation `json:"translation,omitempty" doc:"What gateways made of the frame's addresses here"`
	NetworkACLEntry    string       `json:"networkAclEntry,omitempty" doc:"The network ACL entry that was asked, by its ACL's id, direction and number"`
	Detail             string       `json:"detail"`
}

// HexFrame is a frame and what it says.
type HexFrame struct {
	Hex  string      `json:"hex"`
	Tree *frame.Tree `json:"tree,omitempty"`
}

type decodePacket struct {
	Hex string `json:"hex" maxLength:"196605"`
}

// Decoding is a frame taken apart.
type Decoding struct {
	Summary string      `json:"summary"`
	Tree    *frame.Tree `json:"tree"`
	Error   string      `json:"error,omitempty" doc:"Why the rest of the frame could not be decoded"`
}

func (s *Server) packetOperations(api huma.API) {
	huma.Register(api, act("packets", "Send a frame as the guest of an interface, or as a host of the internet, and trace it"),
		func(ctx context.Context, in *withBody[injectPacket]) (*output[Injection], error) {
			raw, err := s.frameOf(in.Body)
			if err != nil {
				return nil, err
			}
			if _, err := s.sender(in.Body.NetworkInterfaceID); err != nil {
				return nil, err
			}
			out, end, err := s.put(ctx, in.Body.NetworkInterfaceID, raw, in.Body.Follow)
			if err != nil {
				return nil, newProblem(http.StatusServiceUnavailable, "", err.Error())
			}
			if reply := answerTo(end.Arrived); in.Body.Answer && reply != nil && end.Passed != dataplane.AnsweredICMP {
				if in.Body.Follow {
					identify(reply)
				}
				back, _, err := s.put(ctx, end.Hops[len(end.Hops)-1].VNIC, reply, in.Body.Follow)
				if err != nil {
					return nil, newProblem(http.StatusServiceUnavailable, "", err.Error())
				}
				out.Answer = &back
			}
			return &output[Injection]{Body: out}, nil
		})
	huma.Register(api, act("packets/decode", "Take a frame apart"),
		func(_ context.Context, in *withBody[decodePacket]) (*output[Decoding], error) {
			raw, err := parseHex(in.Body.Hex)
			if err != nil {
				return nil, err
			}
			tree, err := frame.NewDecoder().Decode(raw)
			out := Decoding{Summary: tree.Summary, Tree: tree}
			if err != nil {
				out.Error = err.Error()
			}
			return &output[Decoding]{Body: out}, nil
		})
}

// answerTo makes what a host answers to a frame that has arrived: a datagram back,
// the next segment of a connection, an echo reply. nil: it has no answer.
func answerTo(arrived []byte) []byte {
	var v frame.View
	if v.Parse(arrived) != frame.KindIPv4 || !v.HasL4 || v.Fragment {
		return nil
	}
	h := v.Back(v.DstIP)
	h.DontFrag = v.DontFrag
	payload := arrived[v.Payload:v.End]
	switch v.Proto {
	case frame.ProtoUDP:
		return frame.AppendUDP(nil, h, v.DstPort, v.SrcPort, payload)
	case frame.ProtoICMP:
		const echo, sequence = 8, 6
		if v.ICMPType != echo {
			return nil
		}
		at := int(v.L4) + sequence
		return frame.AppendICMPEcho(nil, h, true, v.ICMPID, uint16(arrived[at])<<8|uint16(arrived[at+1]), payload)
	case frame.ProtoTCP:
		if v.TCPFlags&frame.TCPRst != 0 {
			return nil
		}
		s := frame.Segment{SrcPort: v.DstPort, DstPort: v.SrcPort, Seq: v.TCPAckNo, Ack: v.TCPSeq + uint32(len(payload)), Flags: frame.TCPAck, Window: 65535}
		for _, flag := range []uint8{frame.TCPSyn, frame.TCPFin} { // each takes a sequence number
			if v.TCPFlags&flag != 0 {
				s.Ack++
			}
		}
		if v.TCPFlags&(frame.TCPSyn|frame.TCPAck) == frame.TCPSyn {
			s.Flags |= frame.TCPSyn
		}
		return frame.AppendTCP(nil, h, s, nil)
	}
	return nil
}

func (s *Server) frameOf(in injectPacket) ([]byte, error) {
	switch {
	case in.Fields != nil && in.Hex != "":
		return nil, newProblem(http.StatusBadRequest, "", "give hex or fields, not both")
	case in.Fields != nil:
		b, err := s.build(in.NetworkInterfaceID, in.Fields)
		if in.Follow {
			identify(b)
		}
		return b, err
	case in.Hex == "":
		return nil, newProblem(http.StatusBadRequest, "", "say which frame: give fields, or the whole of it as hex")
	}
	return parseHex(in.Hex)
}

// parseHex takes the dumps that people paste: separators are skipped.
func parseHex(text string) ([]byte, error) {
	digits := strings.NewReplacer(" ", "", ":", "", "\n", "", "\r", "", "\t", "").Replace(text)
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return nil, wrong("body.hex", "want pairs of hexadecimal digits: "+hexError(err), text)
	}
	if len(raw) > 65535 {
		return nil, wrong("body.hex", "want a frame of at most 65535 bytes", "")
	}
	return raw, nil
}

func hexError(err error) string {
	if errors.Is(err, hex.ErrLength) {
		return "a digit is missing at the end"
	}
	return strings.TrimPrefix(err.Error(), "encoding/hex: ")
}

func injectionView(t dataplane.Trace, raw []byte) Injection {
	// A frame too long for the decoder still has its headers shown.
	tree, _ := frame.NewDecoder().Decode(raw)
	v := Injection{
		LeftBy: t.LeftBy, Passed: passNames[t.Passed],
		Verdict: t.Verdict.String(), Reason: t.Reason.String(), ReasonText: t.Reason.Text(), Code: codeOf(t.Reason, t.LeftBy),
		Step: t.Step.String(), Rule: t.Rule, RuleKind: kindOf(t.Rule, t.RuleKind), Hops: views(t.Hops, hopView(t.LeftBy)), Frame: HexFrame{Hex: hex.EncodeToString(raw), Tree: tree},
	}
	if t.Arrived != nil {
		tree, _ := frame.NewDecoder().Decode(t.Arrived)
		v.Arrived = &HexFrame{Hex: hex.EncodeToString(t.Arrived), Tree: tree}
	}
	return v
}

// kindOf is what a rule is, "" of none.
func kindOf(rule string, k verdict.RuleKind) string {
	if rule == "" {
		return ""
	}
	return k.String()
}

// stepName names where a frame ended, "" if it did not.
func stepName(s verdict.Step) string {
	if s == verdict.StepNone {
		return ""
	}
	return s.String()
}

func translationView(h *dataplane.Hop) *Translation {
	if h.Was == (dataplane.Ends{}) {
		return nil
	}
	return &Translation{
		Source: h.Was.Source.String(), Destination: h.Was.Destination.String(),
		NewSource: h.Now.Source.String(), NewDestination: h.Now.Destination.String(),
	}
}

// codeOf is AWS's code for a reason. What left a VPC for an address that nobody
// has is no fault of the VPC's, and AWS has no code for it; what comes from the
// internet to such an address has one.
func codeOf(r verdict.Reason, leftBy string) string {
	if r == verdict.NoPublicHost && leftBy != "" {
		return ""
	}
	return r.Code()
}

func hopView(leftBy string) func(dataplane.Hop) Hop {
	return func(h dataplane.Hop) Hop { return hopOf(h, leftBy) }
}

func hopOf(h dataplane.Hop, leftBy string) Hop {
	v := Hop{Station: h.Station, NetworkInterfaceID: h.VNIC, Verdict: "pass", Rule: h.Rule, RuleKind: kindOf(h.Rule, h.RuleKind), Established: h.Established,
		Route: h.Route, Onward: h.Onward, Via: h.Via, Gateways: h.Gateways, Translation: translationView(&h), NetworkACLEntry: h.ACLEntry, Detail: h.Detail}
	if h.Verdict != verdict.None {
		v.Step = stepName(h.Step)
		v.Verdict, v.Reason, v.Code = h.Verdict.String(), h.Reason.String(), codeOf(h.Reason, leftBy)
	}
	return v
}
