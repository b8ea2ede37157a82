package rest

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
)

// edition stands where LocalStack names its editions; it is none of theirs, so
// that nobody takes enilab for one.
const edition = "enilab"

// openPath reports whether a path tells nothing that is worth a token: programs
// ask these before they have one.
func openPath(path string) bool {
	switch path {
	case "/healthz", "/readyz", "/health", "/_localstack/health", "/_localstack/info":
		return true
	}
	return false
}

// healthRoutes are enilab's own paths and those under which LocalStack tells
// its clients how it is and is reset, and moto is reset.
func (s *Server) healthRoutes() {
	for _, path := range []string{"/healthz", "/readyz", "/health"} {
		s.app.Get(path, s.health)
	}
	s.app.Get("/_localstack/health", s.localStackHealth)
	s.app.Get("/_localstack/info", s.localStackInfo)
	s.app.Post("/_localstack/state/reset", s.resetAs(struct{}{}))
	s.app.Post("/moto-api/reset", s.resetAs(map[string]string{"status": "ok"}))
}

func (s *Server) health(c *fiber.Ctx) error {
	if err := s.opt.Ready(); err != nil {
		return newProblem(http.StatusServiceUnavailable, "", err.Error())
	}
	return c.SendString("ok\n")
}

// LocalStackHealth is the answer of /_localstack/health, in LocalStack's form.
type LocalStackHealth struct {
	Services map[string]string `json:"services"`
	Edition  string            `json:"edition"`
	Version  string            `json:"version"`
	Detail   string            `json:"detail,omitempty"` // enilab's own: why not yet
}

// NewLocalStackHealth tells how both services are: "available", or
// "initializing" with what is waited for.
func NewLocalStackHealth(version, waitsFor string) LocalStackHealth {
	state := "available"
	if waitsFor != "" {
		state = "initializing"
	}
	return LocalStackHealth{
		Services: map[string]string{"ec2": state, "sts": state, "fis": state}, Edition: edition, Version: version, Detail: waitsFor,
	}
}

func (s *Server) localStackHealth(c *fiber.Ctx) error {
	waitsFor := ""
	if err := s.opt.Ready(); err != nil {
		waitsFor = err.Error()
		c.Status(http.StatusServiceUnavailable)
	}
	return c.JSON(NewLocalStackHealth(s.opt.Version, waitsFor))
}

func (s *Server) localStackInfo(c *fiber.Ctx) error {
	return c.JSON(struct {
		Version   string  `json:"version"`
		Edition   string  `json:"edition"`
		Activated bool    `json:"is_license_activated"`
		Session   string  `json:"session_id"`
		Time      string  `json:"server_time_utc"`
		Uptime    float64 `json:"uptime"` // seconds
	}{
		s.opt.Version, edition, false, s.epoch,
		time.Unix(0, s.opt.Clock.Now()).UTC().Format("2006-01-02T15:04:05"), time.Since(s.started).Truncate(time.Second).Seconds(),
	})
}
