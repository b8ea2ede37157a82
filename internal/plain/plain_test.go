package plain

import "testing"

func TestPlain(t *testing.T) {
	for in, want := range map[string][2]string{
		"eth1":                    {"eth1", "eth1"},
		"zone a, 동쪽 · é":          {"zone a, 동쪽 · é", "zone a, 동쪽 · é"},
		"a\x1b[2Jb\x00\x7f\u0085": {"a?[2Jb???", "a?[2Jb???"},
		"one\ntwo\tthree\r":       {"one?two?three?", "one\ntwo\tthree?"},
		"gpj.\u202etxt\u200b":     {"gpj.?txt?", "gpj.?txt?"},
		"\u2028\u2029":            {"??", "??"},
	} {
		if got := [2]string{Line(in), Text(in)}; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
