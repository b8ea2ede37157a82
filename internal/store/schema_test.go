package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"

	"enilab/internal/control"
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

// older returns the path of a database as the migrations up to a version leave
// it, and a connection to it.
func older(t *testing.T, version int) (string, *sql.DB) {
	t.Helper()
	steps := withSteps(t, nil).(fstest.MapFS)
	for name := range steps {
		var n int
		if _, err := fmt.Sscanf(name, "%d_", &n); err != nil {
			t.Fatal(err)
		}
		if n > version {
			delete(steps, name)
		}
	}
	path := filepath.Join(t.TempDir(), fileName)
	pool, err := openPool(writerDSN(path, SyncNormal), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	if err := migrate(t.Context(), pool, path, steps); err != nil {
		t.Fatal(err)
	}
	return path, pool
}

// Migration 20 rebuilds tables that others refer to: nothing of them may go.
func TestMigrationKeepsInterfaces(t *testing.T) {
	path, pool := older(t, 10)
	for _, text := range []string{
		"INSERT INTO vpcs VALUES ('vpc-1', '', '10.0.0.0/16', NULL, NULL, '{}')",
		"INSERT INTO subnets VALUES ('subnet-1', 'vpc-1', '', '', '10.0.0.0/24', 1, NULL, NULL, '{}')",
		`INSERT INTO instances (id, region, zone, vpc, subnet, type, state, boot, fault, reason_code, reason_text, settings)
			VALUES ('i-1', '', '', 'vpc-1', 'subnet-1', '', 'running', 0, '', '', '', '{}')`,
		"INSERT INTO security_groups VALUES ('sg-1', 1, '', 'vpc-1', 'one', '', NULL, NULL)",
		"INSERT INTO security_groups VALUES ('sg-2', 2, '', 'vpc-1', 'two', '', NULL, NULL)",
		`INSERT INTO network_interfaces VALUES ('eni-1', 'us-east-1', 'us-east-1a', 'vpc-1', 'subnet-1', 7, 'mine', 1, '{"a":"b"}', 5, '{}')`,
		"INSERT INTO network_interfaces VALUES ('eni-2', '', '', 'vpc-1', 'subnet-1', 8, '', 0, NULL, NULL, '{}')",
		"INSERT INTO interface_addresses VALUES ('eni-1', 0, 'vpc-1', '10.0.0.9', 1), ('eni-1', 1, 'vpc-1', '10.0.0.8', 0)",
		"INSERT INTO interface_groups VALUES ('eni-1', 'sg-2'), ('eni-1', 'sg-1')",
		"INSERT INTO attachments VALUES ('eni-attach-1', 'eni-1', 'i-1', 1, 0, 'attached', 6, 5, 1, 0, NULL)",
		"INSERT INTO addresses VALUES ('eipalloc-1', '', '198.51.100.1', 'eipassoc-1', 'eni-1', '10.0.0.8', NULL, NULL)",
	} {
		if _, err := pool.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Dir(path))
	found := make(map[string]any)
	for _, c := range load(t, s).Changes {
		found[c.ID] = c.After
	}
	at := func(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }
	for id, want := range map[string]any{
		"eni-1": &control.NetworkInterface{
			ID: "eni-1", Region: "us-east-1", Zone: "us-east-1a", VPC: "vpc-1", Subnet: "subnet-1", MAC: 7, Description: "mine",
			Addresses: []control.PrivateAddress{
				{Addr: netip.MustParseAddr("10.0.0.9"), Primary: true}, {Addr: netip.MustParseAddr("10.0.0.8")},
			},
			Groups: []string{"sg-1", "sg-2"}, SourceDestCheck: true, Tags: control.Tags{"a": "b"}, CreatedAt: at(5),
			Attachment: &control.Attachment{
				ID: "eni-attach-1", Instance: "i-1", DeviceIndex: 1, State: control.Attached, StateAt: at(6), AttachTime: at(5),
				DeleteOnTermination: true,
			},
		},
		"eni-2": &control.NetworkInterface{ID: "eni-2", VPC: "vpc-1", Subnet: "subnet-1", MAC: 8},
		"eipalloc-1": &control.Address{
			AllocationID: "eipalloc-1", PublicIP: netip.MustParseAddr("198.51.100.1"), AssociationID: "eipassoc-1",
			NetworkInterface: "eni-1", PrivateIP: netip.MustParseAddr("10.0.0.8"),
		},
	} {
		if !reflect.DeepEqual(found[id], want) {
			t.Errorf("%s is %+v, want %+v", id, found[id], want)
		}
	}
	if broken := texts(t, s, `SELECT "table" FROM pragma_foreign_key_check`); len(broken) != 0 {
		t.Errorf("references of %v lead nowhere", broken)
	}
}

// Before migration 10 no row said when its state ends: what was under way then
// ends at once, and a terminated instance an hour after it was.
func TestMigrationGivesStatesAnEnd(t *testing.T) {
	path, pool := older(t, 1)
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
