package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"enilab/internal/api/imds"
)

type imdsCmd struct {
	Instance string `required:"" placeholder:"i-..." help:"The instance whose metadata is served."`
	// A variable of its own: ENILAB_LISTEN is the laboratory's address.
	Listen   string `default:"169.254.169.254:80" env:"ENILAB_IMDS_LISTEN" help:"Address and port to serve it at."`
	Endpoint string `default:"http://127.0.0.1:4566" help:"The laboratory."`
	Token    string `help:"The laboratory's token, if it listens beyond loopback."`
}

// Run serves until the context ends.
func (c *imdsCmd) Run(e env) error {
	proxy, err := imds.NewProxy(c.Instance, c.Endpoint, c.Token)
	if err != nil {
		return err
	}
	defer proxy.Close()
	if err := proxy.Check(e.ctx); err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(e.ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w%s", c.Listen, err, remedy(err))
	}
	if _, err := fmt.Fprintf(e.stdout, "metadata of %s: http://%s/latest/meta-data/\n", c.Instance, ln.Addr()); err != nil {
		return errors.Join(err, ln.Close())
	}
	return proxy.Serve(e.ctx, ln)
}

// remedy says what to do about an address that cannot be listened on.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return " (give the address to an interface first, or choose another with --listen)"
	case errors.Is(err, os.ErrPermission):
		return " (ports below 1024 need privileges; choose another with --listen)"
	}
	return ""
}
