-- The place of an attachment is for ClaimDevice to write.
-- name: InsertNetworkInterface :exec
INSERT INTO network_interfaces (
    region, zone, vpc, subnet, mac, description, source_dest_check, security_groups, tags, created_at, settings,
    attachment_id, attachment_state, state_at, state_until, attach_time, delete_on_termination, force, id
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- What keys are made of is left out, so that SQLite does not write those again:
-- the id, and the place of the attachment.
-- name: UpdateNetworkInterface :execrows
UPDATE network_interfaces
SET region = @region, zone = @zone, vpc = @vpc, subnet = @subnet, mac = @mac,
    description = @description, source_dest_check = @source_dest_check, security_groups = @security_groups,
    tags = @tags, created_at = @created_at, settings = @settings,
    attachment_id = @attachment_id, attachment_state = @attachment_state, state_at = @state_at, state_until = @state_until,
    attach_time = @attach_time, delete_on_termination = @delete_on_termination, force = @force
WHERE id = @id;

-- name: DeleteNetworkInterface :execrows
DELETE FROM network_interfaces WHERE id = ?;

-- name: ListNetworkInterfaces :many
SELECT id, region, zone, vpc, subnet, mac, description, source_dest_check, security_groups, tags, created_at, settings,
    instance, network_card, device_index,
    attachment_id, attachment_state, state_at, state_until, attach_time, delete_on_termination, force
FROM network_interfaces ORDER BY id;

-- name: ClaimDevice :exec
UPDATE network_interfaces SET instance = @instance, network_card = @network_card, device_index = @device_index
WHERE id = @id;

-- name: ReleaseDevice :execrows
UPDATE network_interfaces SET instance = NULL, network_card = 0, device_index = 0
WHERE id = @id AND instance = @instance AND network_card = @network_card AND device_index = @device_index;

-- name: InsertInterfaceAddress :exec
INSERT INTO interface_addresses (vpc, address, network_interface, position, is_primary) VALUES (?, ?, ?, ?, ?);

-- name: DeleteInterfaceAddress :execrows
DELETE FROM interface_addresses WHERE vpc = ? AND address = ? AND network_interface = ?;

-- name: ListInterfaceAddresses :many
SELECT network_interface, address, is_primary FROM interface_addresses ORDER BY network_interface, position;
