//go:build unix

// Command docs does what the README and the documents tell their reader to do:
// all of a document's shell blocks in their order, in one shell, in a fresh copy
// of the source, with an empty home, against the server that the document has
// started. The first command that fails ends it.
//
//	go run ./test/docs [-v] [document ...]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	verbose := flag.Bool("v", false, "show what each block prints")
	flag.Parse()
	if err := start(ctx, flag.Args(), *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "docs: "+err.Error())
		os.Exit(1)
	}
}

// apart is set in the environment of a runner that has a network of its own, in
// which the documents' port is free whatever else runs here.
const apart = "ENILAB_DOCS_APART"

func start(ctx context.Context, names []string, verbose bool) error {
	if os.Getenv(apart) == "" {
		if again, err := moveApart(ctx); again {
			var exit *exec.ExitError
			if errors.As(err, &exit) { // it has said why
				os.Exit(exit.ExitCode())
			}
			return err
		}
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if names, err = documents(root); err != nil {
			return err
		}
	}
	t := tally{verbose: verbose}
	var failed []string
	for _, name := range names {
		if err := t.document(ctx, root, name); err != nil {
			failed = append(failed, name)
			fmt.Printf("FAILED %v\n", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("docs: %d blocks ran, %d were only read, %d no test runs, %d missed a program\n", t.ran, t.read, len(t.excused), len(t.missing))
	for _, s := range append(t.excused, t.missing...) {
		fmt.Println("  " + s)
	}
	if len(failed) > 0 {
		return fmt.Errorf("these do not do as they say: %s", strings.Join(failed, ", "))
	}
	if len(t.missing) > 0 && os.Getenv("CI") != "" {
		return errors.New("CI has everything that a document needs, except what is said to be missing")
	}
	return nil
}

// moveApart runs the runner again in namespaces of its own, where Linux lets it.
func moveApart(ctx context.Context) (again bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, nil
	}
	flags := []string{"--net", "--mount"}
	if os.Getuid() != 0 {
		flags = append(flags, "--user", "--map-root-user")
	}
	if exec.CommandContext(ctx, "unshare", append(flags, "ip", "link", "set", "lo", "up")...).Run() != nil {
		fmt.Println("no network of its own can be had here: port 4566 must be free")
		return false, nil
	}
	// Names of network namespaces are files: those of a document stay its own.
	script := `ip link set lo up; mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns || true; exec "$@"`
	cmd := exec.CommandContext(ctx, "unshare", append(append(flags, "sh", "-c", script, "sh", self), os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), apart+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return true, cmd.Run()
}

// tally counts blocks by what became of them.
type tally struct {
	verbose          bool
	ran, read        int
	excused, missing []string
}

// document runs one document in a folder of its own.
func (t *tally) document(ctx context.Context, root, name string) error {
	blocks, err := read(root, name)
	if err != nil || len(blocks) == 0 {
		return err
	}
	fmt.Println("== " + name)
	work, err := os.MkdirTemp("", "enilab-docs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	home, source := filepath.Join(work, "home"), filepath.Join(work, "enilab")
	if err := errors.Join(os.Mkdir(home, 0o700), copySource(root, source)); err != nil {
		return err
	}
	env, err := environment(home)
	if err != nil {
		return err
	}
	shell, err := begin(source, env)
	if err != nil {
		return err
	}
	defer shell.end()
	if _, err := shell.in.Write([]byte(prelude)); err != nil {
		return err
	}
	for i, b := range blocks {
		if why := b.reason(); why != "" {
			t.excused = append(t.excused, b.String()+": "+why)
			continue
		}
		if b.lang != "sh" {
			t.read++
			continue
		}
		if program := lacking(b); program != "" {
			t.missing = append(t.missing, fmt.Sprintf("%v: MISSING %s; the rest of the document was not run", b, program))
			return nil
		}
		script := filepath.Join(home, fmt.Sprintf("block-%d.sh", b.line))
		if err := os.WriteFile(script, []byte(b.text), 0o600); err != nil {
			return err
		}
		begun := time.Now()
		if strings.Contains(strings.ToLower(b.before), ownTerminal) {
			server, err := begin(source, env, "-euo", "pipefail", script)
			if err != nil {
				return err
			}
			defer server.end()
			if _, err := server.until(ctx, started); err != nil {
				return fmt.Errorf("%v: no server: %w\n%s", b, err, server.output.String())
			}
			fmt.Printf("%7.1f s %v: it serves\n", time.Since(begun).Seconds(), b)
			t.ran++
			continue
		}
		var want string
		if i+1 < len(blocks) && blocks[i+1].lang == "json" {
			want = blocks[i+1].text
		}
		out, status, err := shell.run(ctx, script, want != "")
		if err == nil {
			err = judge(out, status, want)
		}
		if err != nil {
			return fmt.Errorf("%v: %w\n%s-- it printed:\n%s", b, err, b.text, out)
		}
		fmt.Printf("%7.1f s %v\n", time.Since(begun).Seconds(), b)
		if t.verbose {
			fmt.Print(out)
		}
		t.ran++
	}
	return nil
}

// judge decides whether a block did what it should. A block that shows its answer
// must give it, be it an error; others must not fail, nor print a null, which is
// jq's way to say that there is no such thing.
func judge(out string, status int, want string) error {
	if want != "" {
		var a, b any
		if err := errors.Join(json.Unmarshal([]byte(out), &a), json.Unmarshal([]byte(want), &b)); err != nil {
			return fmt.Errorf("want the JSON that the document shows: %w", err)
		}
		if !reflect.DeepEqual(a, b) {
			return errors.New("the answer is not the one that the document shows")
		}
		return nil
	}
	if status != 0 {
		return fmt.Errorf("exit status %d", status)
	}
	for line := range strings.Lines(out) {
		if strings.TrimSpace(line) == "null" {
			return errors.New("it prints null")
		}
	}
	return nil
}

// programs are those that a reader may lack, and what finds them.
var programs = map[string][]string{
	"aws": {"aws", "--version"}, "jq": {"jq", "--version"}, "tshark": {"tshark", "--version"}, "tcpdump": {"tcpdump", "--version"},
	"terraform": {"terraform", "version"}, "python3": {"python3", "-c", "import boto3"}, "ip": {"ip", "-V"},
}

var word = regexp.MustCompile(`[A-Za-z0-9_./-]+`)

// lacking returns a program that a block uses and that is not here.
func lacking(b block) string {
	if strings.Contains(b.before, asRoot) && os.Getuid() != 0 {
		return "root's rights"
	}
	for _, w := range word.FindAllString(b.text, -1) {
		if test, ok := programs[w]; ok && exec.Command(test[0], test[1:]...).Run() != nil {
			return w
		}
	}
	return ""
}

// copySource copies what a clone would have: the files of git as they are now.
func copySource(root, to string) error {
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("listing the files of the source: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		from, target := filepath.Join(root, name), filepath.Join(to, name)
		info, err := os.Stat(from)
		if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		text, err2 := os.ReadFile(from)
		if err := errors.Join(err, err2, os.MkdirAll(filepath.Dir(target), 0o755)); err != nil {
			return err
		}
		if err := os.WriteFile(target, text, info.Mode().Perm()); err != nil {
			return err
		}
	}
	// A clone has a commit, which the version is made of.
	script := "git init -q && git add -A && git -c user.name=reader -c user.email=reader@localhost commit -qm clone"
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = to
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making a repository of the copy: %w\n%s", err, out)
	}
	return nil
}
