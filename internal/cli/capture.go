package cli

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

type captureCmd struct {
	ENI      string         `name:"eni" predictor:"eni" placeholder:"ENI" help:"Only frames at this network interface, by name, id or address."`
	Instance string         `predictor:"instance" placeholder:"INSTANCE" help:"Only frames at this instance's interfaces, by name or id."`
	Filter   string         `placeholder:"EXPR" help:"A pcap-filter expression, such as 'udp port 7'."`
	Points   []string       `placeholder:"POINT" help:"Tap points: guest_tx, egress_post, ingress_pre, guest_rx. Default: all, so that a frame is there once for each."`
	Write    string         `short:"w" placeholder:"FILE" help:"File that is written. Default: standard output, for tshark -r - and others."`
	Count    *int           `short:"c" placeholder:"N" help:"End after so many frames."`
	Duration *time.Duration `placeholder:"DURATION" help:"End after this time."`
	Remote
}

// Run writes frames until it has enough, is interrupted, or the server ends.
func (c *captureCmd) Run(e Env) error {
	return c.do(e, func(s *session) (err error) {
		if c.Count != nil && *c.Count <= 0 || c.Duration != nil && *c.Duration <= 0 {
			return errors.New("--count and --duration: want more than nothing")
		}
		if c.ENI != "" && c.Instance != "" {
			return errors.New("--eni and --instance: give one of them")
		}
		if c.Write == "" && e.Terminal {
			return errors.New("pcapng is not for a terminal: write it to a file with -w FILE, or pipe it: enilab capture | tshark -r -")
		}
		query := url.Values{}
		if c.ENI != "" {
			n, err := s.networkInterface(c.ENI)
			if err != nil {
				return err
			}
			query.Set("networkInterfaceId", n.ID)
		}
		if c.Instance != "" {
			i, err := s.instance(c.Instance)
			if err != nil {
				return err
			}
			query.Set("instanceId", i.ID)
		}
		if c.Filter != "" {
			query.Set("filter", c.Filter)
		}
		if len(c.Points) > 0 {
			query.Set("points", strings.Join(c.Points, ","))
		}
		ctx, cancel := context.WithCancel(s.Ctx)
		defer cancel()
		if c.Duration != nil {
			ctx, cancel = context.WithTimeout(ctx, *c.Duration)
			defer cancel()
		}
		answer, err := s.send(ctx, "GET", "live.pcapng?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		out := s.Stdout
		if c.Write != "" {
			f, err := os.Create(c.Write)
			if err != nil {
				return fmt.Errorf("--write: %w", err)
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			out = f
		}
		most := 0 // all
		if c.Count != nil {
			most = *c.Count
		}
		frames, err := copyBlocks(out, answer.Body, most)
		if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) { // as asked
			err = nil
		}
		if err == nil && c.Write != "" {
			_, err = fmt.Fprintf(os.Stderr, "%d frames in %s\n", frames, c.Write)
		}
		return err
	})
}

const (
	blockHead = 8
	// maxBlock bounds a block; a frame is far shorter.
	maxBlock       = 1 << 20
	enhancedPacket = 6
)

// copyBlocks copies the blocks of a pcapng file (draft-ietf-opsawg-pcapng, section
// 3.1) one by one, so that what is written ends with a whole one, until it has
// copied so many packets; 0: until the end.
func copyBlocks(w io.Writer, r io.Reader, packets int) (copied int, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	block := make([]byte, blockHead, 4096)
	for {
		block = block[:blockHead]
		if _, err := io.ReadFull(in, block); err != nil {
			if errors.Is(err, io.EOF) {
				return copied, nil
			}
			return copied, fmt.Errorf("after %d frames the server sends no more: %w", copied, err)
		}
		// The server writes little endian, as its section header says.
		length := int(binary.LittleEndian.Uint32(block[4:]))
		if length < blockHead+4 || length > maxBlock || length%4 != 0 {
			return copied, fmt.Errorf("after %d frames comes what is no pcapng", copied)
		}
		if cap(block) < length {
			block = append(make([]byte, 0, length), block...)
		}
		block = block[:length]
		if _, err := io.ReadFull(in, block[blockHead:]); err != nil {
			return copied, fmt.Errorf("after %d frames the server sends no more: %w", copied, err)
		}
		if _, err := w.Write(block); err != nil {
			return copied, fmt.Errorf("writing frames: %w", err)
		}
		if binary.LittleEndian.Uint32(block) == enhancedPacket {
			if copied++; copied == packets {
				return copied, nil
			}
		}
	}
}
