package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type healthCmd struct {
	Endpoint string        `default:"http://127.0.0.1:4566" help:"The laboratory."`
	Timeout  time.Duration `default:"2s" help:"How long it may take to answer."`
}

// Run asks once, and fails unless the laboratory is ready: for containers, which
// hold no other program that could ask.
func (c *healthCmd) Run(e env) error {
	ctx, cancel := context.WithTimeout(e.ctx, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.Endpoint, "/")+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("--endpoint %s: %w", c.Endpoint, err)
	}
	// No proxy: the question is for the laboratory, whatever the environment says.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the laboratory does not answer: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("the laboratory does not answer: %w", err)
	}
	answer := strings.TrimSpace(string(text))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the laboratory is not ready: %s: %s", resp.Status, answer)
	}
	_, err = fmt.Fprintln(e.stdout, answer)
	return err
}
