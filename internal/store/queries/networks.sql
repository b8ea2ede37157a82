-- An update sets the key to itself so that it takes the same parameters, in the
-- same order, as the insert: one Go value serves both.

-- name: InsertVPC :exec
INSERT INTO vpcs (id, region, cidr, tags, created_at, settings) VALUES (?, ?, ?, ?, ?, ?);

-- name: UpdateVPC :execrows
UPDATE vpcs
SET id = @id, region = @region, cidr = @cidr, tags = @tags, created_at = @created_at, settings = @settings
WHERE id = @id;

-- name: DeleteVPC :execrows
DELETE FROM vpcs WHERE id = ?;

-- name: ListVPCs :many
SELECT id, region, cidr, tags, created_at, settings FROM vpcs ORDER BY id;

-- name: InsertSubnet :exec
INSERT INTO subnets (id, vpc, region, zone, cidr, router_mac, tags, created_at, settings)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateSubnet :execrows
UPDATE subnets
SET id = @id, vpc = @vpc, region = @region, zone = @zone, cidr = @cidr, router_mac = @router_mac,
    tags = @tags, created_at = @created_at, settings = @settings
WHERE id = @id;

-- name: DeleteSubnet :execrows
DELETE FROM subnets WHERE id = ?;

-- name: ListSubnets :many
SELECT id, vpc, region, zone, cidr, router_mac, tags, created_at, settings FROM subnets ORDER BY id;
