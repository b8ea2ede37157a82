package control

import (
	"context"
	"time"
)

// maxClientTokens bounds the requests that are remembered by their tokens, of
// all regions together. EC2 remembers for 24 hours or longer ("Ensuring
// idempotency in Amazon EC2 API requests").
const maxClientTokens = 4096

// ClientToken is a request that a client may send again, as when it got no
// answer, and that is carried out once.
type ClientToken struct {
	ID      string // of region, action and token
	Region  string
	Action  string
	Token   string
	Params  string // a digest of the other parameters
	Answer  string // "" while there is none
	Ordinal uint64 // of its creation; no number is left out
	// CreatedAt is when the request was carried out.
	CreatedAt time.Time
}

func clientTokenID(region, action, token string) string { return region + "/" + action + "/" + token }

// Remembering is the view whose commands leave word of the request that they
// carry out, in the same commit: whatever happens then, they are not carried out
// again. Action, Token and Params of the request are given; the region is the
// view's.
func (s *Service) Remembering(request ClientToken) *Service {
	c := *s
	request.Region, request.ID = s.region, clientTokenID(s.region, request.Action, request.Token)
	c.request = &request
	return &c
}

// Answered keeps what the remembered request was answered. It does nothing for
// one that changed nothing.
func (s *Service) Answered(ctx context.Context, answer string) error {
	return s.change(ctx, func(t *tx) error {
		row := get[*ClientToken](t, TableClientToken, byID, s.request.ID)
		if row == nil {
			return nil
		}
		c := *row
		c.Answer = answer
		t.put(TableClientToken, &c)
		return nil
	})
}

// ClientToken returns what is remembered of a request, nil if nothing is.
func (s *State) ClientToken(region, action, token string) *ClientToken {
	return seek[ClientToken](s, TableClientToken, byID, clientTokenID(region, action, token))
}

// remember leaves word of a request, and forgets the oldest for it if need be.
func (t *tx) remember(request ClientToken) {
	if exists(t, TableClientToken, byID, request.ID) {
		return // a further command of the same request
	}
	if last := t.newestToken(); last != nil {
		request.Ordinal = last.Ordinal + 1
		if first := get[*ClientToken](t, TableClientToken, byCreation); request.Ordinal-first.Ordinal >= maxClientTokens {
			t.remove(TableClientToken, first)
		}
	}
	request.CreatedAt = t.now
	t.put(TableClientToken, &request)
}

func (t *tx) newestToken() *ClientToken {
	raw, err := t.Last(string(TableClientToken), byCreation)
	if err != nil {
		panic("reading client tokens: " + err.Error())
	}
	row, _ := raw.(*ClientToken)
	return row
}
