-- name: InsertInstance :exec
INSERT INTO instances (
    id, region, zone, vpc, subnet, type, state, state_at, boot, fault, fault_at, workloads, tags, launch_at,
    reason_code, reason_text, settings, state_until, stale
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateInstance :execrows
UPDATE instances
SET id = @id, region = @region, zone = @zone, vpc = @vpc, subnet = @subnet, type = @type, state = @state,
    state_at = @state_at, boot = @boot, fault = @fault, fault_at = @fault_at, workloads = @workloads,
    tags = @tags, launch_at = @launch_at, reason_code = @reason_code, reason_text = @reason_text,
    settings = @settings, state_until = @state_until, stale = @stale
WHERE id = @id;

-- name: DeleteInstance :execrows
DELETE FROM instances WHERE id = ?;

-- name: ListInstances :many
SELECT id, region, zone, vpc, subnet, type, state, state_at, boot, fault, fault_at, workloads, tags, launch_at,
       reason_code, reason_text, settings, state_until, stale
FROM instances ORDER BY id;
