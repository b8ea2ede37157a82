-- name: InsertDocument :exec
INSERT INTO documents (id, kind, vpc, body) VALUES (?, ?, ?, ?);

-- name: UpdateDocument :execrows
UPDATE documents SET vpc = @vpc, body = @body WHERE id = @id AND kind = @kind;

-- name: DeleteDocument :execrows
DELETE FROM documents WHERE id = ? AND kind = ?;

-- name: ListDocuments :many
SELECT id, body FROM documents WHERE kind = ? ORDER BY id;
