package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Exercises are guided ones, done in this laboratory, one at a time. Errors that
// Refused makes are answered as it says.
type Exercises interface {
	// List has all, in the order in which they are best done.
	List() ([]Exercise, error)
	// Begin puts the laboratory that an exercise begins with in the place of what there
	// is. forget ends what this package keeps of the laboratory that is no more. False:
	// there is no such exercise.
	Begin(ctx context.Context, name string, force bool, forget func() error) (ExerciseProgress, bool, error)
	// Progress looks at the laboratory. False: there is no such exercise.
	Progress(ctx context.Context, name string) (ExerciseProgress, bool, error)
}

// Words are what a learner reads, in both languages.
type Words struct {
	En string `json:"en"`
	Ko string `json:"ko"`
}

// Exercise is a guided exercise.
type Exercise struct {
	Name     string         `json:"name"`
	Title    Words          `json:"title"`
	About    Words          `json:"about"`
	Scenario string         `json:"scenario,omitempty" doc:"What the laboratory begins with; none: nothing"`
	Page     string         `json:"page,omitempty" doc:"Of docs/drills, which teaches what is behind it"`
	Drill    string         `json:"drill,omitempty" doc:"One that has that page (GET /drills/{name})"`
	Goals    []ExerciseGoal `json:"goals" doc:"Reached one after the other"`
}

// ExerciseGoal is a goal of an exercise.
type ExerciseGoal struct {
	Name string `json:"name"`
	Goal Words  `json:"goal"`
	Hint Words  `json:"hint"`
}

// ExerciseProgress is how far an exercise is.
type ExerciseProgress struct {
	Name  string `json:"name"`
	State string `json:"state" enum:"loading,underway,done,not-begun" doc:"not-begun: it is not the one under way, or the server was started since"`
	Met   int    `json:"met" doc:"Goals that are reached: the first ones"`
	Of    int    `json:"of"`
	Saw   string `json:"saw,omitempty" doc:"What is seen of the next goal"`
}

type beginExercise struct {
	Force bool `json:"force,omitempty" doc:"Also in a laboratory that is not empty: what is in it is lost"`
}

func (s *Server) exerciseOperations(api huma.API) {
	huma.Register(api, get("exercises", "List guided exercises, in the order in which they are best done"), func(context.Context, *struct{}) (*listOutput[Exercise], error) {
		out := &listOutput[Exercise]{Body: list[Exercise]{Items: []Exercise{}}}
		if s.opt.Exercises == nil {
			return out, nil
		}
		all, err := s.opt.Exercises.List()
		out.Body.Items = append(out.Body.Items, all...)
		return out, problem(err)
	})
	begin := act("exercises/{name}/begin", "Put the laboratory of an exercise in the place of what there is, and begin it")
	begin.Description = "What happens from now on counts. A laboratory that is not empty is replaced with force only. One exercise is under way at a time."
	huma.Register(api, begin, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"64"`
		Body beginExercise
	}) (*output[ExerciseProgress], error) {
		if s.opt.Exercises == nil {
			return nil, newProblem(http.StatusNotImplemented, "", "this server has no exercises")
		}
		p, ok, err := s.opt.Exercises.Begin(ctx, in.Name, in.Body.Force, s.forget)
		return exerciseAnswer(p, ok, err, in.Name)
	})
	progress := get("exercises/{name}/progress", "Look which goals of an exercise are reached")
	progress.Description = "A goal stays reached, and the one after it is looked at from then on."
	huma.Register(api, progress, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"64"`
	}) (*output[ExerciseProgress], error) {
		if s.opt.Exercises == nil {
			return nil, missing("exercise", in.Name)
		}
		p, ok, err := s.opt.Exercises.Progress(ctx, in.Name)
		return exerciseAnswer(p, ok, err, in.Name)
	})
}

func exerciseAnswer(p ExerciseProgress, ok bool, err error, name string) (*output[ExerciseProgress], error) {
	if err == nil && !ok {
		return nil, missing("exercise", name)
	}
	return answer(&p, err, func(p *ExerciseProgress) ExerciseProgress { return *p })
}
