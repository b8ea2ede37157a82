-- name: InsertSecurityGroup :exec
INSERT INTO security_groups (id, ref, region, vpc, name, description, tags, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateSecurityGroup :execrows
UPDATE security_groups
SET id = @id, ref = @ref, region = @region, vpc = @vpc, name = @name, description = @description,
    tags = @tags, created_at = @created_at
WHERE id = @id;

-- name: DeleteSecurityGroup :execrows
DELETE FROM security_groups WHERE id = ?;

-- name: ListSecurityGroups :many
SELECT id, ref, region, vpc, name, description, tags, created_at FROM security_groups ORDER BY id;

-- name: InsertSecurityGroupRule :exec
INSERT INTO security_group_rules (
    id, security_group, ref, egress, protocol, from_port, to_port, cidr, referenced_group, prefix_list, description,
    tags
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: DeleteSecurityGroupRule :execrows
DELETE FROM security_group_rules WHERE id = ? AND security_group = ?;

-- name: ListSecurityGroupRules :many
SELECT id, security_group, ref, egress, protocol, from_port, to_port, cidr, referenced_group, prefix_list, description,
       tags
FROM security_group_rules ORDER BY security_group, id;
