-- name: InsertFailoverPolicy :exec
INSERT INTO failover_policies (id, region, network_interface, standbys, probe, fail_back, enabled, created_at, terms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateFailoverPolicy :execrows
UPDATE failover_policies
SET id = @id, region = @region, network_interface = @network_interface, standbys = @standbys, probe = @probe,
    fail_back = @fail_back, enabled = @enabled, created_at = @created_at, terms = @terms
WHERE id = @id;

-- name: DeleteFailoverPolicy :execrows
DELETE FROM failover_policies WHERE id = ?;

-- name: ListFailoverPolicies :many
SELECT id, region, network_interface, standbys, probe, fail_back, enabled, created_at, terms
FROM failover_policies ORDER BY id;

-- name: InsertFailover :exec
INSERT INTO failovers (
    id, region, kind, state, error, policy, network_interface, from_instance, to_instance, started_at, ended_at,
    findings
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateFailover :execrows
UPDATE failovers
SET id = @id, region = @region, kind = @kind, state = @state, error = @error, policy = @policy,
    network_interface = @network_interface, from_instance = @from_instance, to_instance = @to_instance,
    started_at = @started_at, ended_at = @ended_at, findings = @findings
WHERE id = @id;

-- name: DeleteFailover :execrows
DELETE FROM failovers WHERE id = ?;

-- name: ListFailovers :many
SELECT id, region, kind, state, error, policy, network_interface, from_instance, to_instance, started_at, ended_at,
       findings
FROM failovers ORDER BY id;
