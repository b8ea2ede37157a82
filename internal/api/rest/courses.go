package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control/failover"
)

// FailoverCourse is how the requests of the clients that a move concerned went over
// its time. Lists have one value for each bin.
type FailoverCourse struct {
	From     string     `json:"from" doc:"Beginning of the first bin, Unix nanoseconds"`
	BinMs    float64    `json:"binMs"`
	Sent     []int      `json:"sent" doc:"Requests"`
	Answered []int      `json:"answered" doc:"Replies that came"`
	Lost     []int      `json:"lost" doc:"Requests sent then that were not answered within a second"`
	RTTP50Ms []*float64 `json:"rttP50Ms" doc:"Of the replies that came; null: none did"`
	RTTP99Ms []*float64 `json:"rttP99Ms"`
	Open     []*int     `json:"open" doc:"TCP connections that were open at the bin's end; null: nobody's were measured"`
}

func courseView(c failover.Course) FailoverCourse {
	n := len(c.Bins)
	v := FailoverCourse{
		From: instant(c.From), BinMs: millis(c.Width), Sent: make([]int, n), Answered: make([]int, n), Lost: make([]int, n),
		RTTP50Ms: make([]*float64, n), RTTP99Ms: make([]*float64, n), Open: make([]*int, n),
	}
	for i, b := range c.Bins {
		v.Sent[i], v.Answered[i], v.Lost[i] = b.Sent, b.Answered, b.Lost
		v.RTTP50Ms[i], v.RTTP99Ms[i] = ifSet(b.P50), ifSet(b.P99)
		if b.Open >= 0 {
			v.Open[i] = &b.Open
		}
	}
	return v
}

func (s *Server) courseOperations(api huma.API) {
	op := get("failovers/{id}/course", "How requests and connections went over the time of a move")
	op.Description = "Kept in memory for the newest moves: a server that was started anew has only those since."
	huma.Register(api, op, func(_ context.Context, in *idInput) (*output[FailoverCourse], error) {
		if s.state().Failover(in.ID) == nil {
			return nil, missing("failover record", in.ID)
		}
		if s.opt.Course != nil {
			if c, ok := s.opt.Course(in.ID); ok {
				return &output[FailoverCourse]{Body: courseView(c)}, nil
			}
		}
		return nil, newProblem(http.StatusNotFound, "", "the course of "+clip(in.ID)+" is not known: the move is still measured, no measured client was "+
			"concerned, or it was before the server's last start")
	})
}
