package control

import (
	"context"
	"reflect"
	"slices"
	"time"
)

// maxClientTokens bounds the requests that are remembered by their tokens, of
// all regions together. EC2 remembers for 24 hours or longer ("Ensuring
// idempotency in Amazon EC2 API requests").
const maxClientTokens = 4096

// ClientToken is a request that a client may send again, as when it got no
// answer, and that is carried out once.
type ClientToken struct {
	ID     string // of region, action and token
	Region string
	Action string
	Token  string
	Params string // a digest of the other parameters
	Answer string // "" while there is none
	// Made is what its commands have made, of each that was carried out. It is
	// what the request is answered from if the server ended before Answer was
	// kept.
	Made    []Made
	Ordinal uint64 // of its creation; no number is left out
	// CreatedAt is when the request was carried out.
	CreatedAt time.Time
}

// Made is what one command of a request has made.
type Made struct {
	Command int      // which of the request's commands it was, from 0
	IDs     []string // of the rows that it returned, in their order
}

// request is a request under way in one view of the control plane.
type request struct {
	ClientToken
	commands int // begun
}

func clientTokenID(region, action, token string) string { return region + "/" + action + "/" + token }

// Remembering is the view whose commands leave word of the request that they
// carry out, in the same commit: whatever happens then, they are not carried out
// again. Action, Token and Params of the request are given; the region is the
// view's. With Made of an earlier try, what that had carried out is not done
// again: such a command returns what is there now of what it made. The view is
// for one goroutine.
func (s *Service) Remembering(r ClientToken) *Service {
	c := *s
	r.Region, r.ID = s.region, clientTokenID(s.region, r.Action, r.Token)
	c.request = &request{ClientToken: r}
	return &c
}

// begun counts a command, and returns what it made if an earlier try of the
// request has carried it out.
func (r *request) begun() (command int, made *Made) {
	command = r.commands
	r.commands++
	for i := range r.Made {
		if r.Made[i].Command == command {
			return command, &r.Made[i]
		}
	}
	return command, nil
}

// recalled gives what a command returned when it was carried out, a row or rows,
// as it is now.
func recalled[T any](s *State, made *Made) (out T, err error) {
	value := reflect.ValueOf(&out).Elem()
	element := value.Type()
	if value.Kind() == reflect.Slice {
		element = element.Elem()
	}
	of := slices.IndexFunc(kinds, func(k *Kind) bool { return reflect.TypeOf(k.blank()) == element })
	if of < 0 {
		return out, refuse(codeInternal, "", "The request with this client token was carried out, but its answer was lost, as when the server ends at that moment. What it made is there.")
	}
	for _, id := range made.IDs {
		row := kinds[of].Row(s, id)
		if row == nil {
			return out, refuse("IncorrectState", "", "The request with this client token was carried out, but %s, which it made, is there no more.", id) // unverified: the text
		}
		if value.Kind() == reflect.Slice {
			value.Set(reflect.Append(value, reflect.ValueOf(row)))
		} else {
			value.Set(reflect.ValueOf(row))
		}
	}
	return out, nil
}

// idsOf are the ids of what a command returns, nil if that is no row.
func idsOf(out any) []string {
	if row, ok := out.(Row); ok {
		return []string{row.Identity().ID}
	}
	rows := reflect.ValueOf(out)
	if rows.Kind() != reflect.Slice {
		return nil
	}
	var ids []string
	for i := range rows.Len() {
		if row, ok := rows.Index(i).Interface().(Row); ok {
			ids = append(ids, row.Identity().ID)
		}
	}
	return ids
}

// Answered keeps what the remembered request was answered. It does nothing for
// one that changed nothing.
func (s *Service) Answered(ctx context.Context, answer string) error {
	plain := *s
	plain.request = nil // this is no command of the request
	return plain.change(ctx, func(t *tx) error {
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

// remember leaves word of a request and of what its command has made, and
// forgets the oldest for it if need be.
func (t *tx) remember(request ClientToken, made Made) {
	if row := get[*ClientToken](t, TableClientToken, byID, request.ID); row != nil {
		c := *row // by an earlier command of the same request
		c.Made = append(slices.Clone(row.Made), made)
		t.put(TableClientToken, &c)
		return
	}
	request.Made = []Made{made}
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
	row, _ := t.Last(string(TableClientToken), byCreation).(*ClientToken)
	return row
}
