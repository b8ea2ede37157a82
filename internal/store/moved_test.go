package store

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"

	"enilab/internal/control"
)

// TestOlderRecordsAreOfInterfaces: up to schema 40 a failover record did not say
// what moved.
func TestOlderRecordsAreOfInterfaces(t *testing.T) {
	dir := t.TempDir()
	before := fstest.MapFS{}
	for _, name := range []string{"00001_resources.sql", "00010_durations.sql", "00020_fewer_pages.sql", "00040_volumes.sql"} {
		text, err := fs.ReadFile(migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		before[name] = &fstest.MapFile{Data: text}
	}
	ctx, path := context.Background(), filepath.Join(dir, fileName)
	pool, err := openPool(writerDSN(path, SyncNormal), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(ctx, pool, path, before); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.ExecContext(ctx, `INSERT INTO failovers VALUES
		('fo-1', 'us-east-1', 'move', 'completed', '', '', 'eni-1', 'i-1', 'i-2', 1, 2, '{"Notes":["a"]}')`); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range load(t, open(t, dir)).Changes {
		if f, ok := c.After.(*control.Failover); ok {
			if want := "eni-1"; f.Moved.Kind != control.MovedInterface || f.Moved.From != want || f.Moved.To != want || len(f.Notes) != 1 {
				t.Errorf("loaded as %+v", f)
			}
			return
		}
	}
	t.Error("the record is gone")
}
