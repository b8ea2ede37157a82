package rest

import (
	"bufio"
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/dataplane/tap"
)

// captureFormat is a file format of downloads.
type captureFormat struct{ extension, media string }

var (
	formatPcapNg = captureFormat{"pcapng", "application/x-pcapng"}
	formatPcap   = captureFormat{"pcap", "application/vnd.tcpdump.pcap"}
)

// writeTime is how long a client may take to read what was sent before its
// stream is given up.
const writeTime = 10 * time.Second

// download streams what a capture holds; it may be recording.
func (s *Server) download(format captureFormat) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id := c.Params("id")
		rec := s.captures.get(id)
		if rec == nil {
			return missing("capture", id)
		}
		from, to, cut, err := window(c, format)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="enilab-`+id+"."+format.extension+`"`)
		s.streamBody(c, format, func(_ context.Context, w io.Writer, _ func() error) error {
			if cut {
				return s.captures.cut(rec, from, to, w)
			}
			return s.captures.write(rec, format, w)
		})
		return nil
	}
}

// window reads which part of a capture is asked for.
func window(c *fiber.Ctx, format captureFormat) (from, to int64, cut bool, err error) {
	to = math.MaxInt64
	for _, end := range []struct {
		name string
		into *int64
	}{{"from", &from}, {"to", &to}} {
		text := c.Query(end.name)
		if text == "" {
			continue
		}
		cut = true
		if *end.into, err = strconv.ParseInt(text, 10, 64); err != nil || *end.into < 0 {
			return 0, 0, false, wrong("query."+end.name, "want an instant in Unix nanoseconds", text)
		}
	}
	if from > to {
		return 0, 0, false, wrong("query.to", "want an instant that is not before from", c.Query("to"))
	}
	if cut && format != formatPcapNg {
		return 0, 0, false, newProblem(fiber.StatusBadRequest, "", "a window is cut out of pcapng only: ask for captures/{id}/pcapng")
	}
	return from, to, cut, nil
}

// live streams frames from now on until the client leaves or the server stops.
func (s *Server) live(c *fiber.Ctx) error {
	spec := startCapture{
		NetworkInterfaceID: c.Query("networkInterfaceId"), InstanceID: c.Query("instanceId"), Filter: c.Query("filter"),
		RingBytes: liveRingBytes, Comment: "live",
	}
	if points := c.Query("points"); points != "" {
		spec.Points = strings.Split(points, ",")
	}
	about, filter, points, err := s.resolveCapture(spec, "query")
	if err != nil {
		return err
	}
	if c.Method() == fiber.MethodHead {
		s.streamBody(c, formatPcapNg, nil)
		return nil
	}
	if !s.captures.enterLive() {
		return newProblem(http.StatusConflict, "CaptureLimitExceeded", "as many live streams as allowed are open: end one, or start a capture")
	}
	rec, err := tap.StartCapture(tap.CaptureConfig{
		Comment: about.Comment, Filter: filter, Points: points, RingBytes: liveRingBytes, Workers: s.opt.Engine.Workers(),
	}, s.opt.Engine, s.opt.Clock)
	if err != nil {
		s.captures.leaveLive()
		return newProblem(http.StatusBadRequest, "", err.Error())
	}
	about.tapOn(s.opt.Engine, rec.Tap())
	s.streamBody(c, formatPcapNg, func(ctx context.Context, w io.Writer, flush func() error) error {
		defer s.captures.leaveLive()
		defer s.opt.Engine.RemoveTap(rec.Tap())
		defer rec.Stop()
		return rec.Follow(ctx, w, flush)
	})
	return nil
}

func (cs *captures) enterLive() bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed || cs.live >= maxLive {
		return false
	}
	cs.live++
	return true
}

func (cs *captures) leaveLive() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.live--
}

// streamBody answers with what write writes, and with nothing to a HEAD: no
// writer is started whose end nobody would wait for. Its context ends with the server;
// that the client has left shows in an error of flush, nowhere else.
func (s *Server) streamBody(c *fiber.Ctx, format captureFormat, write func(ctx context.Context, w io.Writer, flush func() error) error) {
	c.Set(fiber.HeaderContentType, format.media)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if c.Method() == fiber.MethodHead {
		return
	}
	// Write deadlines are the connection's and would outlive this answer.
	c.Context().SetConnectionClose()
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(b *bufio.Writer) {
		w := &deadlineWriter{conn: conn, b: b}
		// The status has been sent: a stream that fails can only end early,
		// and readers of both formats notice.
		if write(s.ctx, w, w.flush) == nil {
			_ = w.flush()
		}
	})
}

// deadlineWriter gives every write writeTime to reach the client.
type deadlineWriter struct {
	conn net.Conn
	b    *bufio.Writer
}

func (w *deadlineWriter) Write(p []byte) (int, error) {
	if w.b.Available() < len(p) {
		if err := w.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return 0, err
		}
	}
	return w.b.Write(p)
}

func (w *deadlineWriter) flush() error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	return w.b.Flush()
}
