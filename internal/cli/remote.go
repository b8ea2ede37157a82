package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Remote says which laboratory is asked, and how answers are shown.
type Remote struct {
	Endpoint string `placeholder:"URL" help:"Where the laboratory is. Default: as the server says in its data directory, else http://127.0.0.1:4566."`
	Token    string `placeholder:"TOKEN" help:"Token that a laboratory beyond loopback asks for."`
	Data     string `default:".enilab" placeholder:"DIR" help:"Data directory of the server, in which it says where it is and what its token is."`
	Output   string `short:"o" default:"table" enum:"table,json" help:"What is printed: table or json."`
}

const (
	defaultEndpoint = "http://127.0.0.1:4566"
	defaultData     = ".enilab"
	serverFile      = "server.json"
	// maxServerFile bounds what is read of it.
	maxServerFile = 1 << 16
)

// Server is what a server leaves of itself in its data directory while it runs,
// for whoever may read that.
type Server struct {
	URL   string `json:"url"`
	Token string `json:"token,omitempty"`
}

// Leave writes it; remove takes it away.
func Leave(dir string, s Server) (remove func() error, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, serverFile)
	// Readers see all of it or none; the mode is a new file's.
	partial := path + ".partial"
	err = ignoreMissing(os.Remove(partial))
	if err == nil {
		err = os.WriteFile(partial, append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		_ = os.Remove(partial) // of a full disk
		return nil, fmt.Errorf("leaving word of where the server is: %w", err)
	}
	return func() error { return ignoreMissing(os.Remove(path)) }, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// client finds the laboratory.
func (r *Remote) client() (*client, error) {
	if r.Endpoint != "" {
		return newClient(r.Endpoint, r.Token, "--endpoint")
	}
	path := filepath.Join(r.Data, serverFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && r.Data != defaultData {
		// Another laboratory is not what was meant.
		return nil, fmt.Errorf("%w: no server is at work in %s, or it does not say so. Start one with enilab serve --data, or say where it is with --endpoint", errAbsent, r.Data)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return newClient(defaultEndpoint, r.Token, "the default; no server is at work in "+r.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("finding the server by --data: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	var s Server
	text := make([]byte, maxServerFile)
	n, _ := f.Read(text)
	if err := json.Unmarshal(text[:n], &s); err != nil || s.URL == "" {
		return nil, fmt.Errorf("%s does not say where the server is: delete it, and give --endpoint", path)
	}
	if r.Token != "" {
		s.Token = r.Token
	}
	return newClient(s.URL, s.Token, "as "+path+" says")
}

// parseEndpoint takes what a person has at hand: a URL as the server prints it,
// with the token, or an address alone.
func parseEndpoint(text string) (base, token string, err error) {
	full := text
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return "", "", fmt.Errorf("--endpoint %s: want the URL that the server prints, such as %s", text, defaultEndpoint)
	}
	return u.Scheme + "://" + u.Host, u.Query().Get("token"), nil
}
