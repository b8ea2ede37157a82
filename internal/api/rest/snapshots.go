package rest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"enilab/internal/snapshot"
)

// downloadTime bounds the download of a snapshot.
const downloadTime = 10 * time.Minute

// mediaDatabase is SQLite's registered media type.
const mediaDatabase = "application/vnd.sqlite3"

// Snapshot is a copy of what was stored at an instant.
type Snapshot struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"createdAt"`
	Revision    uint64    `json:"revision" doc:"That the laboratory was at"`
	Bytes       int64     `json:"bytes"`
}

type takeSnapshot struct {
	Name        string `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$" patternDescription:"a name of letters, digits, dots, hyphens and underscores that begins and ends with a letter or digit" doc:"Letters, digits, dots, hyphens and underscores"`
	Description string `json:"description,omitempty" maxLength:"1024"`
}

type snapshotInput struct {
	Name string `path:"name" maxLength:"64"`
}

func snapshotView(o snapshot.Snapshot) Snapshot { return Snapshot(o) }

func snapshotName(o snapshot.Snapshot) string { return o.Name }

func (s *Server) snapshotOperations(api huma.API) {
	huma.Register(api, get("snapshots", "List snapshots, oldest first"), func(_ context.Context, in *pageInput) (*listOutput[Snapshot], error) {
		set, err := s.snapshots()
		if err != nil {
			return nil, err
		}
		all, err := set.List()
		if err != nil {
			return nil, problem(err)
		}
		return paginate(*in, all, snapshotName, snapshotView)
	})
	take := create("snapshots", "Copy everything that is stored, under a name")
	take.Description = "The copy has every change that was acknowledged before, and is of one revision. Faults of API calls, impairments, timings and " +
		"captures are of the process and not in it. What is kept is bounded; 507 says that the disk is full."
	huma.Register(api, take, func(ctx context.Context, in *withBody[takeSnapshot]) (*output[Snapshot], error) {
		set, err := s.snapshots()
		if err != nil {
			return nil, err
		}
		o, err := set.Take(ctx, in.Body.Name, in.Body.Description)
		return answer(&o, snapshotProblem(err, in.Body.Name), func(o *snapshot.Snapshot) Snapshot { return snapshotView(*o) })
	})
	huma.Register(api, get("snapshots/{name}", "Get a snapshot"), func(_ context.Context, in *snapshotInput) (*output[Snapshot], error) {
		o, err := s.snapshot(in.Name)
		return answer(&o, err, func(o *snapshot.Snapshot) Snapshot { return snapshotView(*o) })
	})
	huma.Register(api, remove("snapshots/{name}", "Delete a snapshot"), func(_ context.Context, in *snapshotInput) (*struct{}, error) {
		set, err := s.snapshots()
		if err != nil {
			return nil, err
		}
		return nil, snapshotProblem(set.Delete(in.Name), in.Name)
	})
	back := operation(http.MethodPost, "snapshots/{name}/restore", "Take everything to a snapshot, in one step", http.StatusNoContent)
	back.Description = "Resources, policies, records of moves and client tokens are those of the snapshot, with their ids; guests boot anew. Faults of API calls, " +
		"impairments and changed timings go. The event log, the counters of the process and captures go on; a scenario's steps that are played end."
	huma.Register(api, back, func(ctx context.Context, in *snapshotInput) (*struct{}, error) {
		if _, err := s.snapshot(in.Name); err != nil {
			return nil, err
		}
		return nil, problem(s.opt.Restore(ctx, in.Name, s.forgetTrouble))
	})
}

// snapshots is the set, or why there is none.
func (s *Server) snapshots() (*snapshot.Set, error) {
	if s.opt.Snapshots == nil {
		return nil, newProblem(http.StatusNotFound, "", "this server keeps no snapshots")
	}
	return s.opt.Snapshots, nil
}

func (s *Server) snapshot(name string) (snapshot.Snapshot, error) {
	set, err := s.snapshots()
	if err != nil {
		return snapshot.Snapshot{}, err
	}
	o, err := set.Get(name)
	return o, snapshotProblem(err, name)
}

func snapshotProblem(err error, name string) error {
	switch {
	case errors.Is(err, snapshot.ErrMissing):
		return missing("snapshot", name)
	case errors.Is(err, snapshot.ErrName):
		return wrong("body.name", err.Error(), name)
	case errors.Is(err, snapshot.ErrExists):
		return newProblem(http.StatusConflict, "", clip(name)+": "+err.Error())
	case errors.Is(err, snapshot.ErrLimit):
		return newProblem(http.StatusConflict, "SnapshotLimitExceeded", err.Error())
	case errors.Is(err, syscall.ENOSPC):
		return newProblem(http.StatusInsufficientStorage, "", err.Error())
	}
	return problem(err)
}

// downloadSnapshot sends the file. One that is deleted meanwhile is sent whole.
func (s *Server) downloadSnapshot(c *fiber.Ctx) error {
	o, err := s.snapshot(c.Params("name"))
	if err != nil {
		return err
	}
	f, err := os.Open(s.opt.Snapshots.Path(o.Name))
	if err != nil {
		return problem(err)
	}
	// A client that stops reading holds the file no longer than this. The deadline
	// is the connection's and would outlive this answer.
	c.Context().SetConnectionClose()
	if err := c.Context().Conn().SetWriteDeadline(time.Now().Add(downloadTime)); err != nil {
		return errors.Join(err, f.Close())
	}
	c.Set(fiber.HeaderContentType, mediaDatabase)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="enilab-`+o.Name+`.db"`)
	return c.SendStream(f, int(o.Bytes)) // which closes it
}
