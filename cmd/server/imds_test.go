package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const someInstance = "i-0123456789abcdef0"

// metadataServer knows one instance.
func metadataServer(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /imds/"+someInstance+"/latest/api/token", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /imds/"+someInstance+"/latest/meta-data/instance-id", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, someInstance)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestIMDSCommand(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"imds", "--instance", someInstance, "--listen", "127.0.0.1:0", "--endpoint", metadataServer(t)}, in)
		_ = in.Close()
		done <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no address but %v, %v", err, <-done)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "metadata of "+someInstance+": ")
	if !ok || !strings.HasSuffix(url, "/latest/meta-data/") {
		t.Fatalf("the line is %q", line)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url + "instance-id")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || string(body) != someInstance {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	cancel() // as SIGTERM does
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestIMDSCommandRefusals(t *testing.T) {
	endpoint := metadataServer(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no instance", nil, "--instance"},
		{"a name", []string{"--instance", "web"}, `"web" is no instance id`},
		{"no URL", []string{"--instance", someInstance, "--endpoint", "localhost"}, `"localhost" is no server's address`},
		{"unknown", []string{"--instance", "i-0ffffffffffffffff", "--endpoint", endpoint}, "i-0ffffffffffffffff has no metadata"},
		{"a port in use", []string{"--instance", someInstance, "--endpoint", endpoint, "--listen", taken.Addr().String()}, "listening on " + taken.Addr().String()},
		{"an address of nobody here", []string{"--instance", someInstance, "--endpoint", endpoint, "--listen", "192.0.2.1:0"}, "give the address to an interface first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := run(t.Context(), append([]string{"imds"}, c.args...), io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
		})
	}
}
