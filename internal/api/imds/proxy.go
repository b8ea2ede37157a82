package imds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
)

const (
	// checkTime bounds Check, answerTime what the server may take for one
	// request, stopTime what requests under way may take at the end.
	checkTime  = 5 * time.Second
	answerTime = 10 * time.Second
	stopTime   = time.Second

	headerTime     = 5 * time.Second
	clientIdleTime = time.Minute
	maxHeaderBytes = 16 << 10
	// maxIdle bounds the connections to the server kept for reuse.
	maxIdle = 16
)

// forwarded are the only request headers that pass: those that IMDS reads, and
// those by which the server knows a foreign page's request.
var forwarded = []string{
	headerToken, headerTokenTTL, headerForwarded,
	"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "User-Agent", "Accept",
}

var instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)

// Proxy serves one instance's metadata at the root of an address of its own,
// as agents expect to find it at 169.254.169.254. It is a window on that tree
// and on nothing else of the server, whose token it may hold.
type Proxy struct {
	instance string
	base     *url.URL // of the tree: .../imds/{instance}
	token    string
	client   *http.Transport
}

// NewProxy returns a Proxy for an instance of the server at endpoint, such as
// http://127.0.0.1:4566; token is what a server beyond loopback requires, ""
// for none. Close it after use.
func NewProxy(instance, endpoint, token string) (*Proxy, error) {
	if !instanceID.MatchString(instance) {
		return nil, fmt.Errorf("%q is no instance id, want one such as i-0123456789abcdef0", instance)
	}
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no server's address, want one such as http://127.0.0.1:4566", endpoint)
	}
	return &Proxy{
		instance: instance,
		base:     &url.URL{Scheme: u.Scheme, Host: u.Host, Path: prefix + "/" + instance},
		token:    token,
		client: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DisableCompression:    true,
			MaxIdleConnsPerHost:   maxIdle,
			IdleConnTimeout:       clientIdleTime,
			ResponseHeaderTimeout: answerTime,
		},
	}, nil
}

// Close ends the connections to the server.
func (p *Proxy) Close() { p.client.CloseIdleConnections() }

// Check asks the server for a session token, which works whatever versions of
// IMDS the instance takes, and says what is wrong if it gets none.
func (p *Proxy) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.base.JoinPath("latest/api/token").String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set(headerTokenTTL, "1")
	p.authorize(req.Header)
	resp, err := p.client.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no enilab server answers at %s://%s: %w", p.base.Scheme, p.base.Host, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return fmt.Errorf("%s has no metadata: it does not exist there or is not running", p.instance)
	case http.StatusForbidden:
		return fmt.Errorf("the server at %s refuses: metadata of %s is disabled (HttpEndpoint), or the server does not answer to this name (--allow-host)", p.base.Host, p.instance)
	case http.StatusUnauthorized:
		return fmt.Errorf("the server at %s wants its token (--token)", p.base.Host)
	}
	return fmt.Errorf("the server at %s answers %s: is it enilab?", p.base.Host, resp.Status)
}

func (p *Proxy) authorize(h http.Header) {
	if p.token != "" {
		h.Set("Authorization", "Bearer "+p.token)
	}
}

// Serve answers on ln until ctx ends, and closes ln.
func (p *Proxy) Serve(ctx context.Context, ln net.Listener) error {
	quiet := log.New(io.Discard, "", 0)
	srv := &http.Server{
		Handler:           p.handler(quiet),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       clientIdleTime,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          quiet,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving metadata on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := srv.Shutdown(stopping)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-served
	return err
}

func (p *Proxy) handler(quiet *log.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:   p.rewrite,
		Transport: p.client,
		ErrorLog:  quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			// 503 is what clients of IMDS retry.
			http.Error(w, "the enilab server does not answer: "+err.Error(), http.StatusServiceUnavailable)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !knownHost(r.Host) {
			http.Error(w, "the Host header is a foreign name", http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// rewrite makes the request to the server from the one that came. The path is
// cleaned here, once decoded and encoded anew, so that no dot segment, however
// it is written, leads out of the instance's tree.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	inside := path.Clean("/" + r.In.URL.Path)
	r.Out.URL = &url.URL{Scheme: p.base.Scheme, Host: p.base.Host, Path: p.base.Path + inside}
	r.Out.Host = p.base.Host
	r.Out.Body, r.Out.ContentLength = http.NoBody, 0
	r.Out.TransferEncoding, r.Out.Trailer = nil, nil
	r.Out.Header = make(http.Header)
	for _, name := range forwarded {
		// ReverseProxy has taken X-Forwarded-For out by now, but the server
		// must see it to refuse a token.
		if v := r.In.Header.Values(name); len(v) > 0 {
			r.Out.Header[http.CanonicalHeaderKey(name)] = v
		}
	}
	if r.Out.Header.Get("User-Agent") == "" {
		r.Out.Header.Set("User-Agent", "") // or net/http names itself
	}
	p.authorize(r.Out.Header)
}

// knownHost keeps pages out of whose name somebody has made this address (DNS
// rebinding): addresses pass, and the names that AWS and hosts use.
func knownHost(hostport string) bool {
	host := strings.ToLower(hostport)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	switch host {
	case "", "localhost", "instance-data", "instance-data.ec2.internal":
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
