package scenario

import "fmt"

// Line is one line of what a drill says, in words, with its place in the file.
type Line struct {
	Line int // 0: unknown
	Text string
}

// Hypothesis is what must hold before the first step and after the last.
func (s *Scenario) Hypothesis() []Line {
	return lines(s, "hypothesis", s.file.Hypothesis)
}

// Outline is what happens, step by step, in the words of a run's record.
func (s *Scenario) Outline() []Line {
	return lines(s, "steps", s.file.Steps)
}

// Strategies are the names that WithStrategy knows.
func Strategies() []string { return append([]string(nil), strategies...) }

func lines[T fmt.Stringer](s *Scenario, key string, of []T) []Line {
	out := make([]Line, len(of))
	for i, o := range of {
		out[i].Text = o.String()
		if t := s.src.token(fmt.Sprintf("$.%s[%d]", key, i)); t != nil {
			out[i].Line = t.Position.Line
		}
	}
	return out
}
