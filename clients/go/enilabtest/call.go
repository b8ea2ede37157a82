package enilabtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Call asks the admin API, of which docs/api.md tells: with in as JSON unless it is
// nil, and the answer's JSON into out unless it is nil. A refusal fails the test.
func (l *Lab) Call(method, path string, in, out any) {
	l.t.Helper()
	if err := l.call(method, path, in, out); err != nil {
		l.fatal(method+" "+path, err)
	}
}

func (l *Lab) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("the body: %w", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.Endpoint+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		var problem struct{ Code, Detail string }
		if json.Unmarshal(data, &problem) == nil && problem.Detail != "" {
			if problem.Code != "" {
				problem.Code += ": "
			}
			return fmt.Errorf("%s: %s%s", resp.Status, problem.Code, problem.Detail)
		}
		return fmt.Errorf("%s: %s", resp.Status, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	return nil
}
