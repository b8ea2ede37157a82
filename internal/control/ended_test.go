package control

import (
	"fmt"
	"testing"
	"time"
)

// detached attaches a new ENI, detaches it and waits until it is available.
func (s *site) detached(i *Instance, index int) (n *NetworkInterface, attachment string) {
	s.t.Helper()
	n = s.attach(s.eni(s.a, ""), i, index)
	attachment = n.Attachment.ID
	must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: attachment}) })
	s.now = s.now.Add(20 * time.Millisecond)
	s.ok(func(t *tx) error { return t.finish(TableNetworkInterface, n.ID) })
	return s.state.NetworkInterface(n.ID), attachment
}

// field.md D.1: Terraform's waiter asks for an attachment that has ended until
// it reads "detached", for 150 s if nobody says so.
func TestEndedAttachmentIsSeenForAWhile(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	n, id := s.detached(i, 1)
	if n.Attachment != nil || s.state.InterfaceByAttachment(id) != nil {
		t.Fatal("the ENI still shows its attachment")
	}
	end := s.now
	got := s.state.EndedAttachment(id, s.now)
	switch {
	case got == nil:
		t.Fatal("the attachment is forgotten at once")
	case got.ID != n.ID, got.Attachment.State != Detached, got.Attachment.Instance != i.ID, got.Attachment.DeviceIndex != 1,
		got.Status() != "available":
		t.Errorf("it is shown as %+v, %s", got.Attachment, got.Status())
	case s.state.EndedAttachment(id, end.Add(30*time.Second-time.Nanosecond)) == nil:
		t.Error("forgotten within 30 s")
	case s.state.EndedAttachment(id, end.Add(30*time.Second)) != nil:
		t.Error("still known after 30 s")
	case s.state.EndedAttachment(noAttachment, s.now) != nil:
		t.Error("an attachment that never was is known")
	}
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	if s.state.EndedAttachment(id, s.now) != nil {
		t.Error("known of an ENI that is no more")
	}
}

func TestMovedAttachmentHasEnded(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, ""), s.run(s.a, "")
	n := s.attach(s.eni(s.a, ""), one, 1)
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1})
	})
	if got := s.state.EndedAttachment(n.Attachment.ID, s.now); got == nil || got.Attachment.Instance != one.ID {
		t.Errorf("the old attachment is %+v", got)
	}
}

// AWS shows no ended attachment, and a restart forgets them all.
func TestEndedAttachmentsAreOfTimingFast(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	s.timing.EndedAttachments = TimingAWS.EndedAttachments
	if _, id := s.detached(i, 1); s.state.EndedAttachment(id, s.now) != nil {
		t.Error("shown in timing aws")
	}
	s.timing = TimingFast
	_, id := s.detached(i, 1)
	if again := restore(Commit{Changes: s.state.rows()}); again.EndedAttachment(id, s.now) != nil {
		t.Error("a restart remembers it")
	}
}

func TestEndedAttachmentsAreBounded(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	n := s.eni(s.a, "")
	count := func() int { return len(allIn[*ended](s.state.db, tableEnded, byOrdinal)) }
	add := func(k int) {
		a := &Attachment{ID: fmt.Sprint("eni-attach-", k), Instance: i.ID}
		s.ok(func(t *tx) error { t.end(n, a); t.put(TableNetworkInterface, new(*n)); return nil })
	}
	for k := range maxEnded + 5 {
		add(k)
	}
	if got := count(); got != maxEnded {
		t.Errorf("%d are remembered, want %d", got, maxEnded)
	}
	if s.state.EndedAttachment("eni-attach-4", s.now) != nil || s.state.EndedAttachment("eni-attach-5", s.now) == nil {
		t.Error("not the oldest were forgotten")
	}
	s.now = s.now.Add(time.Minute)
	add(maxEnded + 5)
	if got := count(); got != 1 {
		t.Errorf("%d are remembered after a minute, want 1", got)
	}
}
