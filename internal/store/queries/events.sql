-- name: InsertEvent :exec
INSERT INTO events (seq, revision, at, type, resource, detail) VALUES (?, ?, ?, ?, ?, ?);

-- name: TrimEvents :exec
DELETE FROM events WHERE seq <= ?;

-- name: ListEvents :many
SELECT seq, revision, at, type, resource, detail FROM events
WHERE seq > @after ORDER BY seq LIMIT @max_events;

-- name: OldestEvent :one
SELECT CAST(coalesce(min(seq), 0) AS INTEGER) AS seq FROM events;
