package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the numbered steps from nothing to this version's schema.
func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return sub
}

// migrate applies the steps the database has not seen, each in a transaction of
// its own, and refuses a database that has seen more than there are.
func migrate(ctx context.Context, db *sql.DB, path string, steps fs.FS) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, steps,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	stored, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema version: %w", err)
	}
	if stored > known {
		return &SchemaError{Path: path, Stored: stored, Known: known}
	}
	if stored == known {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			return fmt.Errorf("migrating from schema version %d to %d, step %d: %w",
				stored, known, partial.Failed.Source.Version, partial.Err)
		}
		return fmt.Errorf("migrating from schema version %d to %d: %w", stored, known, err)
	}
	return nil
}

// newestSchema is the version that migrate brings a database to.
func newestSchema() (version int64, err error) {
	steps, err := fs.Glob(migrations(), "*.sql")
	if err != nil {
		return 0, fmt.Errorf("reading the migrations: %w", err)
	}
	for _, name := range steps {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("reading the migrations: %w", err)
		}
		version = max(version, n)
	}
	return version, nil
}
