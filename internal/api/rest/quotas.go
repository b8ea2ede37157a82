package rest

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// Quotas are how many of each the account may have.
type Quotas struct {
	Preset string  `json:"preset" enum:"none,aws" doc:"What a restart begins with"`
	Items  []Quota `json:"items"`
}

// Quota is how many of one resource there may be.
type Quota struct {
	Resource string `json:"resource" doc:"Such as vpcs or addresses"`
	Of       string `json:"of" enum:"region,vpc" doc:"What it is counted in"`
	Most     *int   `json:"most,omitempty" doc:"Absent: as many as one likes"`
	AWS      int    `json:"aws" doc:"A new account's"`
	Code     string `json:"code" doc:"EC2's error code for one more"`
}

type putQuotas struct {
	Preset *string         `json:"preset,omitempty" enum:"none,aws" doc:"All of them so, before what limits says"`
	Limits map[string]*int `json:"limits,omitempty" doc:"By resource, zero to 1,000,000; null: as many as one likes"`
}

const mostQuota = 1_000_000

func quotasView(preset string, now control.Quotas) Quotas {
	v := Quotas{Preset: preset, Items: []Quota{}}
	for _, table := range slices.Sorted(maps.Keys(control.QuotasAWS)) {
		aws := control.QuotasAWS[table]
		one := Quota{Resource: string(table), Of: "region", AWS: aws.Most, Code: aws.Code}
		if aws.PerVPC {
			one.Of = "vpc"
		}
		if q, ok := now[table]; ok {
			one.Most = &q.Most
		}
		v.Items = append(v.Items, one)
	}
	return v
}

func (s *Server) quotasOf(now control.Quotas) *output[Quotas] {
	preset := "none"
	if s.opt.Control.StartQuotas() != nil {
		preset = "aws"
	}
	return &output[Quotas]{Body: quotasView(preset, now)}
}

func (s *Server) requota(ctx context.Context, change func(control.Quotas) (control.Quotas, error)) (*output[Quotas], error) {
	now, err := s.opt.Control.ChangeQuotas(ctx, change)
	if err != nil {
		return nil, problem(err)
	}
	return s.quotasOf(now), nil
}

func (s *Server) quotaOperations(api huma.API) {
	huma.Register(api, get("quotas", "How many of each the account may have"), func(context.Context, *struct{}) (*output[Quotas], error) {
		return s.quotasOf(s.state().Quotas()), nil
	})
	op := replace("quotas", "Change the account's quotas")
	op.Description = "From the next call on; what there is more of already stays. Not stored: a restart and a reset go back to those the server was started with."
	huma.Register(api, op, func(ctx context.Context, in *withBody[putQuotas]) (*output[Quotas], error) {
		return s.requota(ctx, func(now control.Quotas) (control.Quotas, error) {
			if name := in.Body.Preset; name != nil {
				now = nil
				if *name == "aws" {
					now = maps.Clone(control.QuotasAWS)
				}
			}
			if now == nil {
				now = control.Quotas{}
			}
			for resource, most := range in.Body.Limits {
				table := control.Table(resource)
				q, known := control.QuotasAWS[table]
				switch {
				case !known:
					return nil, limitProblem(resource, "there is no quota of "+clip(resource)+": GET /api/v1/quotas lists those that there are")
				case most == nil:
					delete(now, table)
				case *most < 0 || *most > mostQuota:
					return nil, limitProblem(resource, "want zero to 1000000, or null for as many as one likes")
				default:
					q.Most = *most
					now[table] = q
				}
			}
			return now, nil
		})
	})
	huma.Register(api, operation(http.MethodDelete, "quotas", "Go back to the quotas that the server was started with", http.StatusOK), func(ctx context.Context, _ *struct{}) (*output[Quotas], error) {
		return s.requota(ctx, func(control.Quotas) (control.Quotas, error) { return maps.Clone(s.opt.Control.StartQuotas()), nil })
	})
}

func limitProblem(resource, text string) error {
	return newProblem(http.StatusUnprocessableEntity, "", text, &huma.ErrorDetail{Location: "body.limits." + clip(resource), Message: text})
}
