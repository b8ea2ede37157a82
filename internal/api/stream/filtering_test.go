package stream

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/filter"
)

// someState has two instances, of which the first has eni-1 and the owner eni-2.
func someState(t *testing.T, owner string) *control.State {
	t.Helper()
	store := controltest.NewStore()
	store.Put(control.Change{Table: control.TableVPC, ID: "vpc-1", After: &control.VPC{ID: "vpc-1"}})
	store.Put(control.Change{Table: control.TableSubnet, ID: "subnet-1", After: &control.Subnet{ID: "subnet-1", VPC: "vpc-1"}})
	for _, i := range []string{"i-1", "i-2"} {
		store.Put(control.Change{Table: control.TableInstance, ID: i, After: &control.Instance{ID: i, VPC: "vpc-1", Subnet: "subnet-1", Tags: control.Tags{"Name": "EC2" + i[1:]}}})
	}
	for n, of := range []string{"i-1", owner} {
		id := fmt.Sprintf("eni-%d", n+1)
		store.Put(control.Change{Table: control.TableNetworkInterface, ID: id, After: &control.NetworkInterface{
			ID: id, VPC: "vpc-1", Subnet: "subnet-1", MAC: frame.MAC(n + 1), Attachment: &control.Attachment{Instance: of, DeviceIndex: n, State: control.Attached},
		}})
	}
	return controltest.Restore(t, store)
}

// mixed tells the hub of n frames to each of two ports, all at an instant.
func (s *site) mixed(n int, at int64) {
	rs := make([]dataplane.Record, 0, 2*n)
	for i := range n {
		for _, port := range []uint16{80, 443} {
			rs = append(rs, dataplane.Record{
				At: at + int64(i), SrcVNIC: 1, DstVNIC: 2, EtherType: frame.EtherTypeIPv4, Proto: frame.ProtoTCP, SrcIP: 10, DstIP: 20,
				SrcPort: uint16(1024 + i), DstPort: port, Length: 60, Verdict: verdict.Accept,
			})
		}
	}
	s.hub.Records(rs, nil, 0)
}

func (v *viewer) say(m string) {
	v.t.Helper()
	if err := v.conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
		v.t.Fatal(err)
	}
}

// choose sets a filter and waits until it is in force.
func (v *viewer) choose(n int, filter string) message {
	v.t.Helper()
	v.say(fmt.Sprintf(`{"type":"filter","n":%d,"filter":%q}`, n, filter))
	for {
		if m := v.until("filtered"); m.N == n {
			return m
		}
	}
}

func ports(m message) (all []uint16) {
	for r := m.records; len(r) > 0; r = r[packetSize:] {
		all = append(all, binary.LittleEndian.Uint16(r[18:]))
	}
	return all
}

// A filter brings the newest matches of the past, then all that match, however many
// others pass; what matches is counted, in bins too.
func TestAllThatMatchIsSent(t *testing.T) {
	s := newSite(t, func(t *timing) { t.status = 20 * time.Millisecond })
	v := s.dial("")
	v.until("hello")
	const past = 3000
	s.mixed(past, 1)
	if m := v.choose(1, "dport:443"); m.Error != nil || m.Filter != "dport:443" {
		t.Fatalf("%+v", m)
	}
	rows := 0
	for rows < maxFiltered {
		m := v.until("packets")
		for _, p := range ports(m) {
			if p != 443 {
				t.Fatalf("a row of port %d", p)
			}
		}
		rows += m.count
	}
	if rows != maxFiltered {
		t.Errorf("%d rows of the past", rows)
	}
	start := time.Now().Add(-time.Second).UnixNano() / 1e8 * 1e8
	const live = 700
	s.mixed(live, start)
	rows = 0
	var seen, matched, shown uint64
	binned := uint64(0)
	for rows < live || matched < live || binned < live {
		m, err := v.next()
		if err != nil {
			t.Fatalf("%v with %d rows, %d matched, %d in bins", err, rows, matched, binned)
		}
		switch m.Type {
		case "packets":
			rows += m.count
			if m.skipped != 0 {
				t.Errorf("%d left out", m.skipped)
			}
		case "matches":
			seen, matched, shown = seen+m.Seen, matched+m.Matched, shown+m.Shown
		case "matching":
			binned += uint64(binary.LittleEndian.Uint32(m.records[8:]))
		case "reduced":
			t.Error("a filter that lets through less than fits is reduced")
		}
	}
	if rows != live || seen != 2*live || matched != live || shown != live || binned != live {
		t.Errorf("%d rows; %d seen, %d matched, %d shown, %d in bins", rows, seen, matched, shown, binned)
	}
	// Without a filter everything comes again.
	v.choose(2, "")
	s.mixed(1, 1)
	for m := v.until("packets"); !contains(ports(m), 80); m = v.until("packets") {
	}
}

func contains(all []uint16, one uint16) bool {
	for _, p := range all {
		if p == one {
			return true
		}
	}
	return false
}

func TestABadFilterChangesNothing(t *testing.T) {
	s := newSite(t, nil)
	v := s.dial("filter=" + url.QueryEscape("dport:443"))
	if m := v.until("filtered"); m.Error != nil {
		t.Fatalf("%+v", m.Error)
	}
	m := v.choose(7, "prot:tcp")
	if m.Error == nil || m.Error.At != 0 || m.Error.Length != 4 || m.Error.Code != "unknown_field" || m.Error.Args["field"] != "prot" || m.Error.Problem == "" || m.Error.Hint == "" {
		t.Fatalf("%+v", m.Error)
	}
	s.mixed(3, 1)
	if got := ports(v.until("packets")); len(got) == 0 || contains(got, 80) {
		t.Errorf("rows of ports %v", got)
	}
}

// A row keeps the owner of its time, and so does a filter.
func TestOwnersOfTheirTime(t *testing.T) {
	s := newSite(t, nil)
	v := s.dial("")
	v.until("hello")
	before := time.Now().UnixNano()
	s.mixed(5, before)
	v.until("packets")
	s.state.Store(someState(t, "i-2"))
	moved := time.Now()
	s.notices <- control.Notice{Commit: control.Commit{At: moved, Changes: []control.Change{{Table: control.TableNetworkInterface, ID: "eni-2"}}}}
	for len(v.who[2]) < 3 { // told at first, and both again with the change
		if _, err := v.next(); err != nil {
			t.Fatal(err)
		}
	}
	if was, is := v.who[2][1], v.who[2][2]; was.Name != "EC2-1" || is.Name != "EC2-2" || is.Instance != "i-2" || is.Device != 1 || is.Since != fmt.Sprint(moved.UnixNano()) {
		t.Errorf("eni-2 was %+v and is %+v", was, is)
	}
	s.mixed(4, moved.UnixNano()+1)
	v.choose(1, "dst:EC2-2")
	if m := v.until("packets"); m.count != 8 {
		t.Errorf("%d rows of the present owner, want 8", m.count)
	}
	v.choose(2, "dst:EC2-1")
	if m := v.until("packets"); m.count != 10 {
		t.Errorf("%d rows of the former owner, want 10", m.count)
	}
}

// Where ends and verdict alone decide, the engine's exact counts answer.
func TestExactCountsAnswerForEnds(t *testing.T) {
	s := newSite(t, nil)
	v := s.dial("")
	v.until("hello")
	v.choose(1, "eni:eni-2 -verdict:lost")
	s.hub.Bin(dataplane.Bin{Start: 5e8, Width: 1e8, Edges: []dataplane.Edge{
		{SrcVNIC: 1, DstVNIC: 2, Frames: [verdict.NumVerdicts]uint64{verdict.Accept: 100_000, verdict.Lost: 7}},
		{SrcVNIC: 1, DstVNIC: 3, Frames: [verdict.NumVerdicts]uint64{verdict.Accept: 5}},
	}})
	m := v.until("matching")
	if m.count != 1 || binary.LittleEndian.Uint32(m.records[8:]) != 100_000 || binary.LittleEndian.Uint32(m.records[16:]) != 0 {
		t.Errorf("%d edges: %v", m.count, m.records)
	}
}

// Who does not look is told counts, and gets the newest matches when it looks again.
func TestFilteredAndHidden(t *testing.T) {
	s := newSite(t, func(t *timing) { t.status = 10 * time.Millisecond })
	v := s.dial("")
	v.until("hello")
	v.choose(1, "dport:443")
	v.say(`{"type":"mode","mode":"bins-only"}`)
	for now, _ := s.client().wants(); now != modeBinsOnly; now, _ = s.client().wants() {
		v.until("matches")
	}
	v.until("matches") // the frame under way may still be one of before
	s.mixed(900, 1)
	for matched := uint64(0); matched < 900; {
		matched += v.until("matches").Matched
	}
	v.say(`{"type":"mode","mode":"live"}`)
	if m := v.until("packets"); m.count != replayNew || contains(ports(m), 80) {
		t.Errorf("%d rows", m.count)
	}
}

func TestThinKeepsFlowsTogether(t *testing.T) {
	var rows []numbered
	for i, r := range talk(40_000, 200) {
		rows = append(rows, numbered{uint64(i), r})
	}
	total := len(rows)
	kept, factor := thin(rows, 1000, 1)
	if len(kept) == 0 || len(kept) > 1000 || factor < uint64(total/1000/reduction) {
		t.Fatalf("%d rows by a factor of %d", len(kept), factor)
	}
	for i := 0; i+1 < len(kept); i += 2 {
		if kept[i].cursor+1 != kept[i+1].cursor {
			t.Fatalf("request %d without its reply", kept[i].cursor)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	s := &Hub{opt: Options{Source: names{}}}
	s.history.restart()
	s.history.append(talk(historyLength, 100), nil, 0)
	q, fault := filter.Parse("dport:9", 0)
	if fault != nil {
		b.Fatal(fault)
	}
	sel := newSelection(s, 1, q)
	b.ReportAllocs()
	for b.Loop() {
		sel.scan(&s.history, 1, historyLength, nil, true)
	}
}
