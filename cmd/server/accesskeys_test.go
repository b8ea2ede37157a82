package main

import (
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestAccessKeys(t *testing.T) {
	for _, c := range []struct {
		name  string
		given []string
		want  map[string]string
		any   bool
		err   string
	}{
		{"none", nil, nil, false, ""},
		{"one", []string{"AK=secret"}, map[string]string{"AK": "secret"}, false, ""},
		{"two", []string{"AK=s", "BK=t"}, map[string]string{"AK": "s", "BK": "t"}, false, ""},
		{"two in a variable", []string{"AK=s;BK=t"}, map[string]string{"AK": "s", "BK": "t"}, false, ""},
		{"a secret with a sign of equality and a comma", []string{"AK=a=b,c"}, map[string]string{"AK": "a=b,c"}, false, ""},
		{"any", []string{"any"}, nil, true, ""},
		{"nothing", []string{""}, nil, false, "--access-key is empty"},
		{"an unset variable", []string{"AK="}, nil, false, "--access-key AK= has no secret: is a variable unset?"},
		{"a blank secret", []string{"AK= "}, nil, false, "--access-key AK= has no secret"},
		{"a blank id", []string{" =topsecret"}, nil, false, "has no id"},
		{"no id", []string{"=topsecret"}, nil, false, "has no id"},
		{"a secret alone", []string{"topsecret"}, nil, false, "has no ="},
		{"the second is empty", []string{"AK=topsecret;"}, nil, false, "is empty"},
		{"one id twice", []string{"AK=topsecret", "AK=t"}, nil, false, "two secrets for AK"},
		{"any and one", []string{"any", "AK=topsecret"}, nil, false, "both any and a key"},
	} {
		got, err := parseAccessKeys(c.given)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%s: %v, want %q and no secret", c.name, err, c.err)
			}
			continue
		}
		if err != nil || got.any != c.any || !maps.Equal(got.secrets, c.want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// A variable that is set to nothing is refused like a flag.
func TestAnAccessKeyOfTheEnvironmentIsChecked(t *testing.T) {
	for value, want := range map[string]string{
		"":              "--access-key is empty",
		"AK=":           "--access-key AK= has no secret",
		"any;AK=hidden": "both any and a key",
	} {
		cmd := exec.Command(enilab(t), serveArgs(t.TempDir())...)
		cmd.Env = append(os.Environ(), "ENILAB_ACCESS_KEY="+value)
		text, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "hidden") || strings.Count(string(text), "\n") != 1 {
			t.Errorf("%q: %v, said %q, want %q", value, err, text, want)
		}
	}
}
