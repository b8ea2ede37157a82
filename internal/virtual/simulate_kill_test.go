package virtual

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/store"
	"enilab/internal/store/memory"
)

var (
	errStore = errors.New("the simulated store refuses")
	errPlane = errors.New("the simulated data plane refuses")
	errDead  = errors.New("the process has been killed")
)

// diskEvery is how many simulations share one on SQLite: it costs as much as several.
const diskEvery = 32

// brittle is a store that refuses, and that dies with its process in the middle of
// a commit: before it is durable, or behind that and before anybody is told.
type brittle struct {
	control.Store
	disk *store.Store // nil: in memory
	dirs []string     // of disk, the newest last

	refuse   int // so many more steps fail
	refused  int
	dieIn    int // steps until the kill; 0: there is none
	dead     bool
	cut      bool             // it died behind a commit that was acknowledged to nobody
	untold   []control.Change // of that
	left     string           // copy of the files that a kill left; "": none yet
	leftOver error
}

func (w *world) newStore() *brittle {
	b := &brittle{Store: &memory.Store{}}
	if w.seed%diskEvery != 0 {
		return b
	}
	w.OnDisk++
	if err := b.openDisk(""); err != nil {
		w.fail("%w", err)
	}
	return b
}

// scratch is a new directory, in memory where the system has a place for that: a
// killed process leaves what is in the page cache, whatever the disk has of it.
func scratch() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "enilab-simulate-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "enilab-simulate-")
}

// openDisk opens SQLite on a copy of the files of another directory, as they are
// now, which is what a killed process leaves behind; "": on none.
func (b *brittle) openDisk(left string) error {
	if left == "" {
		dir, err := scratch()
		if err != nil {
			return err
		}
		left = dir
		b.dirs = append(b.dirs, dir)
	}
	disk, err := store.Open(context.Background(), store.Options{Dir: left})
	if err != nil {
		return fmt.Errorf("opening what a kill has left: %w", err)
	}
	b.disk, b.Store = disk, disk
	return nil
}

func (b *brittle) discard() (err error) {
	if b.disk != nil {
		err = b.disk.Close()
	}
	for _, d := range b.dirs {
		err = errors.Join(err, os.RemoveAll(d))
	}
	return err
}

// step is one more at which the process may die, or the store refuse.
func (b *brittle) step() error {
	if b.dead {
		return errDead
	}
	if b.dieIn > 0 {
		if b.dieIn--; b.dieIn == 0 {
			b.die()
			return errDead
		}
	}
	if b.refuse > 0 {
		b.refuse--
		b.refused++
		return errStore
	}
	return nil
}

// die keeps the files as they are in this instant.
func (b *brittle) die() {
	b.dead = true
	if b.disk == nil {
		return
	}
	from := filepath.Dir(b.disk.Path())
	dir, err := scratch()
	b.left = dir
	b.dirs = append(b.dirs, dir)
	b.leftOver = errors.Join(err, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, d.Name()), data, 0o600)
	}))
}

// Begin implements control.Store.
func (b *brittle) Begin(ctx context.Context) (control.Batch, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	batch, err := b.Store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &brittleBatch{Batch: batch, store: b}, nil
}

type brittleBatch struct {
	control.Batch
	store   *brittle
	changes []control.Change
}

func (b *brittleBatch) Write(c control.Commit) error {
	if err := b.store.step(); err != nil {
		return err
	}
	b.changes = append(b.changes, c.Changes...)
	return b.Batch.Write(c)
}

func (b *brittleBatch) Commit() error {
	if err := b.store.step(); err != nil {
		b.Rollback()
		return err
	}
	if err := b.Batch.Commit(); err != nil {
		return err
	}
	if err := b.store.step(); errors.Is(err, errDead) {
		b.store.cut, b.store.untold = true, b.changes
		return err
	}
	return nil
}

// open runs a laboratory on what is stored, from a time on; 0: from the epoch.
func (w *world) open(at int64) (err error) {
	w.lab, w.revision = nil, 0
	seed := w.seed
	if at != 0 {
		seed = w.rand.Uint64() // ids are not given twice
	}
	w.judge.begin()
	w.lab, err = Open(Options{Seed: seed, Timing: w.timing, Store: w.store, at: at, crowded: w.judge.crowded, plane: w.follow, prober: w.probe})
	if err != nil {
		return err
	}
	w.watch()
	w.lab.Each = w.look
	w.lab.Sim.Between = w.between
	return nil
}

// kill ends the process as SIGKILL does, between two commits if it has not died in
// one, and starts it again on what is stored.
func (w *world) kill() {
	w.Kills++
	w.midway, w.judge.refuse, w.judge.impaired = false, 0, false
	if !w.store.dead {
		w.store.die()
	}
	at := w.lab.Now()
	w.say("killed")
	w.lab.kill()
	if w.checkStored(); w.failed != nil {
		return
	}
	w.store.dead, w.store.dieIn, w.store.refuse, w.store.cut, w.store.untold = false, 0, 0, false, nil
	w.Unwritten += w.store.refused
	w.store.refused = 0
	if err := w.open(at + w.rand.Int64N(int64(10*time.Second))); err != nil {
		w.fail("starting again: %w", err)
		return
	}
	w.look()
}

// checkStored holds what is stored to what was acknowledged, of every kind of
// row: all of it is there, and nothing else but a commit whose end nobody was told.
func (w *world) checkStored() {
	b := w.store
	if b.disk != nil {
		if b.left == "" {
			b.die()
		}
		err := errors.Join(b.leftOver, b.disk.Close())
		if err == nil {
			err = b.openDisk(b.left)
		}
		if b.left = ""; err != nil {
			w.fail("%w", err)
			return
		}
	}
	stored, err := b.Load(context.Background())
	if err != nil {
		w.fail("reading what is stored: %w", err)
		return
	}
	want, have := map[string]any{}, map[string]any{}
	s := w.lab.State()
	if n := stored.Revision; n < s.Revision() || n > s.Revision() && !b.cut {
		w.fail("revision %d is stored, and %d was acknowledged", n, s.Revision())
		return
	}
	for _, k := range control.Kinds() {
		for _, row := range k.Rows(s) {
			want[string(k.Table)+" "+row.Identity().ID] = row
		}
	}
	for _, c := range stored.Changes {
		have[string(c.Table)+" "+c.ID] = c.After
	}
	for _, c := range b.untold {
		if key := string(c.Table) + " " + c.ID; c.After == nil {
			delete(want, key)
		} else {
			want[key] = c.After
		}
	}
	keys := maps.Clone(want)
	maps.Copy(keys, have)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if want[key] == have[key] {
			continue // the same row in memory
		}
		acknowledged, kept := written(want[key]), written(have[key])
		if acknowledged != kept {
			w.fail("of what was acknowledged\n%s\nthis is stored\n%s", acknowledged, kept)
			return
		}
	}
}

func written(row any) string {
	if row == nil {
		return "nothing"
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
