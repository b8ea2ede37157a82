// Package attached has drills carried out by a living server, in its laboratory,
// which it empties before and takes back to its start afterwards. What was observed
// comes back by the admin API and is judged here, by the rules that all runs have.
package attached

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
)

const (
	// waitSeconds is how long one question waits for the drill's end.
	waitSeconds = 10
	// askTime bounds one question, and a capture's every read.
	askTime = 30 * time.Second
	// endTime bounds breaking a drill off.
	endTime = 20 * time.Second
	// maxAnswer bounds what is read of an answer: a run of many moves.
	maxAnswer = 256 << 20
)

// Driver asks one server.
type Driver struct {
	base, token string
	set         []string
	force       bool
	client      *http.Client
}

var _ runner.Driver = (*Driver)(nil)

// New returns a Driver for the server at an address as it prints it. token is asked
// for beyond loopback, and may be in the address too; set are the values that were
// changed of the files. force has a laboratory emptied that is not empty.
func New(address, token string, set []string, force bool) (*Driver, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("--attach %s: want the address of a server, such as http://127.0.0.1:4566", Shown(address))
	}
	if t := u.Query().Get("token"); t != "" {
		token = t
	}
	// No proxy: the server is near, whatever the environment says.
	return &Driver{
		base: u.Scheme + "://" + u.Host + "/api/v1/rehearsals", token: token, set: set, force: force,
		client: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: askTime}},
	}, nil
}

// Shown is an address without its token, for what is printed.
func Shown(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return strings.TrimSuffix(address, "/")
}

// rehearsal is the server's.
type rehearsal struct {
	ID    string     `json:"id"`
	State string     `json:"state"`
	Error string     `json:"error"`
	Run   *drill.Run `json:"run"`
}

// Run implements runner.Driver.
func (d *Driver) Run(ctx context.Context, job runner.Job) (run *drill.Run, err error) {
	var r rehearsal
	// Asked to the end, whatever is broken off meanwhile: a drill of which the answer
	// is not heard would stay in the server.
	err = d.ask(context.WithoutCancel(ctx), http.MethodPost, "", map[string]any{
		"name": job.Scenario.Name + ".yaml", "text": job.Scenario.Text(), "set": append([]string{}, d.set...), "strategy": job.Strategy,
		"timing": job.Timing, "number": job.Number, "seed": job.Seed, "capture": job.Capture != "", "force": d.force,
	}, &r)
	if err != nil {
		return nil, err
	}
	at := "/" + r.ID
	defer func() {
		// Whatever has happened, the laboratory goes back to its start.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		err = errors.Join(err, d.ask(ending, http.MethodDelete, at, nil, nil))
	}()
	for r.State == "playing" {
		if err := d.ask(ctx, http.MethodGet, fmt.Sprintf("%s?wait=%d", at, waitSeconds), nil, &r); err != nil {
			return nil, err
		}
	}
	if r.Run == nil {
		return nil, fmt.Errorf("the server has broken the drill off: %s", r.Error)
	}
	if job.Capture != "" {
		if err := d.capture(ctx, at+"/pcapng", job.Capture); err != nil {
			return nil, err
		}
	}
	return r.Run, nil
}

// send sends a request; an answer that is a refusal is an error.
func (d *Driver) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, sent)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	resp, err := d.client.Do(req)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("the server does not answer: %w", err)
	case resp.StatusCode/100 == 2:
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what came is told
	var problem struct {
		Detail string
		Errors []struct{ Location, Message string }
	}
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return nil, fmt.Errorf("the server answers %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	for _, e := range problem.Errors {
		problem.Detail += "; " + e.Location + ": " + e.Message
	}
	if resp.StatusCode == http.StatusNotFound && path == "" {
		problem.Detail += "; is it an older enilab, without rehearsals?"
	}
	return nil, fmt.Errorf("the server: %s", problem.Detail)
}

func (d *Driver) ask(ctx context.Context, method, path string, body, out any) error {
	resp, err := d.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("reading what the server answers: %w", err)
	}
	return nil
}

// capture fetches the frames of the run into a file.
func (d *Driver) capture(ctx context.Context, path, file string) error {
	resp, err := d.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("writing the capture: %w", err)
	}
	_, err = io.Copy(f, resp.Body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("fetching the capture: %w", err), os.Remove(file))
	}
	return nil
}
