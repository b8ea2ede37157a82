package fis

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/control"
)

// Options of a Service. Control, Faults and Impairments are required.
type Options struct {
	Control *control.Service
	Faults  *apifault.Set
	// Impairments are for the documents of aws:ssm:send-command.
	Impairments Impairments
	Account     string           // 12 digits
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // nil: slog.Default
}

// Service keeps templates and runs experiments.
type Service struct {
	opt  Options
	wake chan struct{}
	// back says that experiments are of another time, see Resume.
	back atomic.Bool
}

// New returns a Service; Run runs its experiments.
func New(opt Options) (*Service, error) {
	if opt.Control == nil || opt.Faults == nil || opt.Impairments == nil {
		return nil, errors.New("fis: Control, Faults and Impairments are required")
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	return &Service{opt: opt, wake: make(chan struct{}, 1)}, nil
}

func (s *Service) arn(region, kind, id string) string {
	return "arn:" + control.Partition(region) + ":ec2:" + region + ":" + s.opt.Account + ":" + kind + "/" + id
}

// Create keeps a template that is right.
func (s *Service) Create(ctx context.Context, region string, x control.ExperimentTemplate) (*control.ExperimentTemplate, error) {
	if err := Check(&x.ExperimentPlan); err != nil {
		return nil, err
	}
	return s.opt.Control.In(region).CreateExperimentTemplate(ctx, x)
}

// Change puts what change makes of a template in its place, if that is right.
func (s *Service) Change(ctx context.Context, region, id string, change func(*control.ExperimentPlan)) (*control.ExperimentTemplate, error) {
	return s.opt.Control.In(region).ChangeExperimentTemplate(ctx, id, func(x *control.ExperimentTemplate) error {
		change(&x.ExperimentPlan)
		return Check(&x.ExperimentPlan)
	})
}

// Start makes an experiment of a template and has it run.
func (s *Service) Start(ctx context.Context, region string, x control.Experiment) (*control.Experiment, error) {
	made, err := s.opt.Control.In(region).CreateExperiment(ctx, x)
	s.rouse()
	return made, err
}

// Stop ends an experiment: what its actions do is undone.
func (s *Service) Stop(ctx context.Context, region, id string) (*control.Experiment, error) {
	x, err := s.opt.Control.In(region).ChangeExperiment(ctx, id, func(x *control.Experiment) error {
		if x.State.Ended() {
			return &control.Error{Code: CodeValidation, Message: "Experiment " + id + " has ended: it is " + string(x.State)}
		}
		x.State, x.Reason = control.ExperimentStopping, "Experiment stopping"
		return nil
	})
	s.rouse()
	return x, err
}

// Resume has Run go on with experiments that have come from another time, as with
// those that it finds at its start: what they had done in memory only is done again.
func (s *Service) Resume() {
	s.back.Store(true)
	s.rouse()
}

func (s *Service) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
