-- name: InsertNetworkInterface :exec
INSERT INTO network_interfaces (
    id, region, zone, vpc, subnet, mac, description, source_dest_check, security_groups, tags, created_at, settings
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateNetworkInterface :execrows
UPDATE network_interfaces
SET id = @id, region = @region, zone = @zone, vpc = @vpc, subnet = @subnet, mac = @mac,
    description = @description, source_dest_check = @source_dest_check, security_groups = @security_groups,
    tags = @tags, created_at = @created_at, settings = @settings
WHERE id = @id;

-- name: DeleteNetworkInterface :execrows
DELETE FROM network_interfaces WHERE id = ?;

-- name: ListNetworkInterfaces :many
SELECT id, region, zone, vpc, subnet, mac, description, source_dest_check, security_groups, tags, created_at, settings
FROM network_interfaces ORDER BY id;

-- name: InsertInterfaceAddress :exec
INSERT INTO interface_addresses (vpc, address, network_interface, position, is_primary) VALUES (?, ?, ?, ?, ?);

-- name: DeleteInterfaceAddress :execrows
DELETE FROM interface_addresses WHERE vpc = ? AND address = ? AND network_interface = ?;

-- name: ListInterfaceAddresses :many
SELECT network_interface, address, is_primary FROM interface_addresses ORDER BY network_interface, position;

-- name: InsertAttachment :exec
INSERT INTO attachments (
    id, network_interface, instance, device_index, network_card, state, state_at, attach_time,
    delete_on_termination, force, state_until
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: DeleteAttachment :execrows
DELETE FROM attachments WHERE network_interface = ?;

-- name: ListAttachments :many
SELECT id, network_interface, instance, device_index, network_card, state, state_at, attach_time, delete_on_termination, force, state_until
FROM attachments ORDER BY network_interface;
