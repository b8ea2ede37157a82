-- +goose Up

-- A creation wrote seven pages of the log: two for the row and its MAC, two for
-- the address by interface and by VPC, one for the groups, the event and the
-- counters. An attachment wrote six, and six more when it was complete. A row
-- that holds groups and attachment, and tables of one key each, leave four and
-- four, and three. That a MAC, and the id of an attachment, mean one thing is for
-- control's indexes to see to, and that a group which is used stays.
CREATE TABLE slim_interfaces (
    id                TEXT NOT NULL PRIMARY KEY,
    region            TEXT NOT NULL,
    zone              TEXT NOT NULL,
    vpc               TEXT NOT NULL REFERENCES vpcs (id),
    subnet            TEXT NOT NULL REFERENCES subnets (id),
    mac               INTEGER NOT NULL CHECK (mac BETWEEN 0 AND 0xffffffffffff),
    description       TEXT NOT NULL,
    source_dest_check INTEGER NOT NULL CHECK (source_dest_check IN (0, 1)),
    security_groups   TEXT,
    tags              TEXT,
    created_at        INTEGER,
    settings          TEXT NOT NULL,

    -- The attachment; without an instance it means nothing.
    instance              TEXT REFERENCES instances (id),
    network_card          INTEGER NOT NULL DEFAULT 0 CHECK (network_card >= 0),
    device_index          INTEGER NOT NULL DEFAULT 0 CHECK (device_index >= 0),
    attachment_id         TEXT NOT NULL,
    attachment_state      TEXT NOT NULL,
    state_at              INTEGER,
    state_until           INTEGER,
    attach_time           INTEGER,
    delete_on_termination INTEGER NOT NULL CHECK (delete_on_termination IN (0, 1)),
    force                 INTEGER NOT NULL CHECK (force IN (0, 1))
) STRICT, WITHOUT ROWID;

-- The VPC is repeated so that the database itself forbids a second owner. The
-- interface is not a reference: to check one from the other end would need an
-- index, and that is the page saved.
CREATE TABLE slim_addresses (
    vpc               TEXT NOT NULL,
    address           TEXT NOT NULL,
    network_interface TEXT NOT NULL,
    position          INTEGER NOT NULL CHECK (position >= 0),
    is_primary        INTEGER NOT NULL CHECK (is_primary = (position = 0)),
    PRIMARY KEY (vpc, address)
) STRICT, WITHOUT ROWID;

INSERT INTO slim_interfaces
SELECT n.id, n.region, n.zone, n.vpc, n.subnet, n.mac, n.description, n.source_dest_check,
       (SELECT nullif(json_group_array(member), '[]') FROM (
           SELECT g.security_group AS member FROM interface_groups g WHERE g.network_interface = n.id ORDER BY 1
       )),
       n.tags, n.created_at, n.settings,
       a.instance, coalesce(a.network_card, 0), coalesce(a.device_index, 0), coalesce(a.id, ''), coalesce(a.state, ''),
       a.state_at, a.state_until, a.attach_time, coalesce(a.delete_on_termination, 0), coalesce(a.force, 0)
FROM network_interfaces n LEFT JOIN attachments a ON a.network_interface = n.id;

INSERT INTO slim_addresses
SELECT a.vpc, a.address, a.network_interface, a.position, a.is_primary FROM interface_addresses a;

-- Dropping a table deletes its rows, and with them those that refer to them.
CREATE TABLE kept_addresses AS SELECT * FROM addresses;
DELETE FROM addresses;
DROP TABLE attachments;
DROP TABLE interface_groups;
DROP TABLE interface_addresses;
DROP TABLE network_interfaces;
ALTER TABLE slim_interfaces RENAME TO network_interfaces;
ALTER TABLE slim_addresses RENAME TO interface_addresses;
INSERT INTO addresses SELECT * FROM kept_addresses;
DROP TABLE kept_addresses;

CREATE UNIQUE INDEX network_interfaces_by_device ON network_interfaces (instance, network_card, device_index)
    WHERE instance IS NOT NULL;
