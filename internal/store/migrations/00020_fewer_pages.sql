-- +goose Up

-- A creation wrote seven pages of the log: two for the row and its MAC, two for
-- the address by interface and by VPC, one for the groups, the event and the
-- counters. Two tables of one key each leave four. That a MAC and a group's name
-- mean one thing is for control's indexes to see to, and that a group which is
-- used stays.
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
    settings          TEXT NOT NULL
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
       n.tags, n.created_at, n.settings
FROM network_interfaces n;

INSERT INTO slim_addresses
SELECT a.vpc, a.address, a.network_interface, a.position, a.is_primary FROM interface_addresses a;

-- Dropping a table deletes its rows, and with them those that refer to them.
CREATE TABLE kept_attachments AS SELECT * FROM attachments;
CREATE TABLE kept_addresses AS SELECT * FROM addresses;
DELETE FROM attachments;
DELETE FROM addresses;
DROP TABLE interface_groups;
DROP TABLE interface_addresses;
DROP TABLE network_interfaces;
ALTER TABLE slim_interfaces RENAME TO network_interfaces;
ALTER TABLE slim_addresses RENAME TO interface_addresses;
INSERT INTO attachments SELECT * FROM kept_attachments;
INSERT INTO addresses SELECT * FROM kept_addresses;
DROP TABLE kept_attachments;
DROP TABLE kept_addresses;
