package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

// withSteps returns the migrations and further ones.
func withSteps(t *testing.T, more map[string]string) fs.FS {
	t.Helper()
	steps := fstest.MapFS{}
	names, err := fs.Glob(migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		steps[name] = &fstest.MapFile{Data: text}
	}
	for name, text := range more {
		steps[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)}
	}
	return steps
}

// migrateWith stores a commit in dir, then migrates what is there with steps.
func migrateWith(t *testing.T, dir string, steps fs.FS) error {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, pairCommit(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	pool, err := openPool(writerDSN(s.Path(), SyncNormal), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	return migrate(t.Context(), pool, s.Path(), steps)
}

// newest is the number of the last migration there is.
func newest(t *testing.T) (n int64) {
	t.Helper()
	names, err := fs.Glob(migrations(), "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("migrations %v, %v", names, err)
	}
	if _, err := fmt.Sscanf(names[len(names)-1], "%d_", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	later := withSteps(t, map[string]string{"90001_later.sql": "CREATE TABLE later (id INTEGER) STRICT;"})
	if err := migrateWith(t, dir, later); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	var schema *SchemaError
	if !errors.As(err, &schema) || schema.Stored != 90001 || schema.Known != newest(t) {
		t.Fatalf("got %v, want a SchemaError of 90001 and %d", err, newest(t))
	}
	if path := filepath.Join(dir, fileName); !strings.Contains(err.Error(), path) {
		t.Errorf("%v does not name %s", err, path)
	}
}

func TestFailedMigrationLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	err := migrateWith(t, dir, withSteps(t, map[string]string{
		"90001_bad.sql": "CREATE TABLE half (id INTEGER) STRICT; DELETE FROM vpcs; INSERT INTO nowhere VALUES (1);",
	}))
	if err == nil || !strings.Contains(err.Error(), "step 90001") {
		t.Fatalf("got %v, want step 90001 to fail", err)
	}
	s := open(t, dir) // the version has not moved either
	if half := texts(t, s, "SELECT name FROM sqlite_schema WHERE name = 'half'"); len(half) != 0 {
		t.Errorf("tables %v are left", half)
	}
	same(t, load(t, s), pairsAt(1))
}

func TestEveryTableIsStrict(t *testing.T) {
	s := open(t, t.TempDir())
	loose := texts(t, s, `SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict
		AND name NOT LIKE 'sqlite_%' AND name <> '`+goose.DefaultTablename+`'`)
	if len(loose) != 0 {
		t.Errorf("not STRICT: %v", loose)
	}
}

// TestGeneratedQueries finds sqlcgen as sqlc would write it.
func TestGeneratedQueries(t *testing.T) {
	sqlc, err := exec.LookPath("sqlc")
	if err != nil {
		if out, e := exec.Command("go", "env", "GOPATH").Output(); e == nil {
			sqlc, err = exec.LookPath(filepath.Join(strings.TrimSpace(string(out)), "bin", "sqlc"))
		}
	}
	if err != nil {
		const missing = "sqlc is not installed, so nobody has compared the generated queries with their sources; " +
			"go install github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	if out, err := exec.Command(sqlc, "diff").CombinedOutput(); err != nil {
		t.Errorf("sqlcgen is not what its sources give; run go generate ./internal/store: %v\n%s", err, out)
	}
}

// Before migration 10 no row said when its state ends: what was under way then
// ends at once, and a terminated instance an hour after it was.
func TestMigrationGivesStatesAnEnd(t *testing.T) {
	first := fstest.MapFS{}
	text, err := fs.ReadFile(migrations(), "00001_resources.sql")
	if err != nil {
		t.Fatal(err)
	}
	first["00001_resources.sql"] = &fstest.MapFile{Data: text}
	path := filepath.Join(t.TempDir(), fileName)
	pool, err := openPool(writerDSN(path, SyncNormal), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if err := migrate(t.Context(), pool, path, first); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"pending", "running", "stopping", "shutting-down", "terminated"} {
		_, err := pool.ExecContext(t.Context(), `INSERT INTO instances (id, region, zone, vpc, subnet, type, state, state_at, boot,
			fault, reason_code, reason_text, settings) VALUES (?1, '', '', '', '', '', ?1, 5, 0, '', '', '', '{}')`, state)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := migrate(t.Context(), pool, path, migrations()); err != nil {
		t.Fatal(err)
	}
	rows, err := pool.QueryContext(t.Context(), "SELECT id || ' ' || coalesce(state_until, 'never') FROM instances ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	want := []string{"pending 5", "running never", "shutting-down 5", "stopping 5", "terminated 3600000000005"}
	if !slices.Equal(got, want) {
		t.Errorf("they end at %q, want %q", got, want)
	}
}
