-- name: InsertAddress :exec
INSERT INTO addresses (
    allocation_id, region, public_ip, association_id, network_interface, private_ip, tags, created_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateAddress :execrows
UPDATE addresses
SET allocation_id = @allocation_id, region = @region, public_ip = @public_ip, association_id = @association_id,
    network_interface = @network_interface, private_ip = @private_ip, tags = @tags, created_at = @created_at
WHERE allocation_id = @allocation_id;

-- name: ReleaseAssociation :exec
UPDATE addresses SET association_id = NULL, network_interface = NULL, private_ip = NULL WHERE allocation_id = ?;

-- name: DeleteAddress :execrows
DELETE FROM addresses WHERE allocation_id = ?;

-- name: ListAddresses :many
SELECT allocation_id, region, public_ip, association_id, network_interface, private_ip, tags, created_at
FROM addresses ORDER BY allocation_id;
