package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

const (
	fileName = "enilab.db"
	lockName = "enilab.lock"

	// readers is how many connections read beside the writer.
	readers = 4
)

// lockDir makes dir if need be and takes the lock that one server holds. The
// kernel releases it when the process ends, however it ends.
func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be made: %w", dir, err)
	}
	lock := flock.New(filepath.Join(dir, lockName))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("data directory %s cannot be written: %w", dir, err)
	}
	if !ok {
		return nil, &LockedError{Dir: dir}
	}
	return lock, nil
}

// removeDatabase deletes the file with its log and index. The caller has the lock.
// The file goes first: without its log it would be an older laboratory if we
// were interrupted, but a log without its file is nothing, and SQLite deletes it.
func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("deleting the old database: %w", err)
		}
	}
	return nil
}

// writerDSN sets in the connection string what PRAGMA statements on a pool would
// set on one of its connections only. BEGIN takes the write lock at once
// (_txlock): a transaction that reads first and locks later fails with
// SQLITE_BUSY no matter how long it would wait.
func writerDSN(path string, sync Sync) string {
	return fileURL(path, url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {"5000"},
		"_foreign_keys": {"on"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {strings.ToUpper(string(sync))},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_pragma":       {"trusted_schema(0)", "wal_autocheckpoint(0)"}, // see checkpointer
	})
}

func readerDSN(path string) string {
	return fileURL(path, url.Values{
		"mode":          {"ro"},
		"_query_only":   {"on"},
		"_busy_timeout": {"5000"},
		"_foreign_keys": {"on"},
		"_dqs":          {"0"},
		"_pragma":       {"trusted_schema(0)"},
	})
}

// fileURL escapes what a path may hold and a URI may not, and puts the slash
// before a Windows drive letter that SQLite expects there.
func fileURL(path string, query url.Values) string {
	if abs, err := filepath.Abs(path); err == nil { // else the first folder is taken for a host
		path = abs
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return u.String()
}

// openPool opens a pool that keeps its connections: opening one costs more than
// anything done with it.
func openPool(dsn string, size int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(0)
	return db, nil
}
