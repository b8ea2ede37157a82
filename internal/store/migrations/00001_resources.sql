-- +goose Up

-- Times are Unix nanoseconds, NULL for "never". Addresses and prefixes are text
-- in canonical form. Columns of JSON hold what no query and no constraint needs.
-- A reference exists where EC2 refuses to delete the thing referred to, so that
-- a control plane that forgets to refuse is caught here.

-- One row: where the state stands, and the counters that must never go back.
CREATE TABLE meta (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    revision       INTEGER NOT NULL CHECK (revision >= 0),
    committed_at   INTEGER,
    next_group_ref INTEGER NOT NULL,
    next_rule_ref  INTEGER NOT NULL,
    event_seq      INTEGER NOT NULL CHECK (event_seq >= 0)
) STRICT;

INSERT INTO meta (id, revision, committed_at, next_group_ref, next_rule_ref, event_seq)
VALUES (1, 0, NULL, 0, 0, 0);

CREATE TABLE vpcs (
    id         TEXT NOT NULL PRIMARY KEY,
    region     TEXT NOT NULL,
    cidr       TEXT NOT NULL,
    tags       TEXT,
    created_at INTEGER,
    settings   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE subnets (
    id         TEXT NOT NULL PRIMARY KEY,
    vpc        TEXT NOT NULL REFERENCES vpcs (id),
    region     TEXT NOT NULL,
    zone       TEXT NOT NULL,
    cidr       TEXT NOT NULL,
    router_mac INTEGER NOT NULL UNIQUE CHECK (router_mac BETWEEN 0 AND 0xffffffffffff),
    tags       TEXT,
    created_at INTEGER,
    settings   TEXT NOT NULL,
    UNIQUE (vpc, cidr)
) STRICT, WITHOUT ROWID;

-- An instance does not refer to its subnet: a terminated one stays visible for
-- an hour and must not keep the subnet from being deleted. While it lives, its
-- network interfaces do.
CREATE TABLE instances (
    id          TEXT NOT NULL PRIMARY KEY,
    region      TEXT NOT NULL,
    zone        TEXT NOT NULL,
    vpc         TEXT NOT NULL,
    subnet      TEXT NOT NULL,
    type        TEXT NOT NULL,
    state       TEXT NOT NULL,
    state_at    INTEGER,
    boot        INTEGER NOT NULL CHECK (boot >= 0),
    fault       TEXT NOT NULL,
    fault_at    INTEGER,
    workloads   TEXT,
    tags        TEXT,
    launch_at   INTEGER,
    reason_code TEXT NOT NULL,
    reason_text TEXT NOT NULL,
    settings    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Resources that no other table's constraint speaks of, whole, in JSON: route
-- tables, gateways, network ACLs, key pairs and the like. kind is control's name
-- of the table. A VPC that one of them is in cannot be deleted.
CREATE TABLE documents (
    id   TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    vpc  TEXT REFERENCES vpcs (id),
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX documents_by_kind ON documents (kind, id);
CREATE INDEX documents_by_vpc ON documents (vpc) WHERE vpc IS NOT NULL;

CREATE TABLE security_groups (
    id          TEXT NOT NULL PRIMARY KEY,
    ref         INTEGER NOT NULL UNIQUE,
    region      TEXT NOT NULL,
    vpc         TEXT NOT NULL REFERENCES vpcs (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    tags        TEXT,
    created_at  INTEGER,
    UNIQUE (vpc, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE security_group_rules (
    id               TEXT NOT NULL PRIMARY KEY,
    security_group   TEXT NOT NULL REFERENCES security_groups (id) ON DELETE CASCADE,
    ref              INTEGER NOT NULL UNIQUE,
    egress           INTEGER NOT NULL CHECK (egress IN (0, 1)),
    protocol         INTEGER NOT NULL CHECK (protocol BETWEEN -1 AND 255),
    from_port        INTEGER NOT NULL CHECK (from_port BETWEEN -1 AND 65535),
    to_port          INTEGER NOT NULL CHECK (to_port BETWEEN -1 AND 65535),
    cidr             TEXT,
    referenced_group TEXT REFERENCES security_groups (id),
    prefix_list      TEXT REFERENCES documents (id),
    description      TEXT NOT NULL,
    tags             TEXT,
    CHECK ((cidr IS NOT NULL) + (referenced_group IS NOT NULL) + (prefix_list IS NOT NULL) = 1)
) STRICT, WITHOUT ROWID;

CREATE INDEX security_group_rules_by_group ON security_group_rules (security_group, id);
CREATE INDEX security_group_rules_by_reference ON security_group_rules (referenced_group)
    WHERE referenced_group IS NOT NULL;

CREATE INDEX security_group_rules_by_prefix_list ON security_group_rules (prefix_list)
    WHERE prefix_list IS NOT NULL;

CREATE TABLE network_interfaces (
    id                TEXT NOT NULL PRIMARY KEY,
    region            TEXT NOT NULL,
    zone              TEXT NOT NULL,
    vpc               TEXT NOT NULL REFERENCES vpcs (id),
    subnet            TEXT NOT NULL REFERENCES subnets (id),
    mac               INTEGER NOT NULL UNIQUE CHECK (mac BETWEEN 0 AND 0xffffffffffff),
    description       TEXT NOT NULL,
    source_dest_check INTEGER NOT NULL CHECK (source_dest_check IN (0, 1)),
    tags              TEXT,
    created_at        INTEGER,
    settings          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- No index by VPC, subnet or group here and below: only the deletion of one of
-- those would use it, with a scan of milliseconds otherwise, and each costs
-- every creation another page of the log.

-- The VPC is repeated so that the database itself forbids a second owner.
CREATE TABLE interface_addresses (
    network_interface TEXT NOT NULL REFERENCES network_interfaces (id) ON DELETE CASCADE,
    position          INTEGER NOT NULL CHECK (position >= 0),
    vpc               TEXT NOT NULL,
    address           TEXT NOT NULL,
    is_primary        INTEGER NOT NULL CHECK (is_primary = (position = 0)),
    PRIMARY KEY (network_interface, position),
    UNIQUE (vpc, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE interface_groups (
    network_interface TEXT NOT NULL REFERENCES network_interfaces (id) ON DELETE CASCADE,
    security_group    TEXT NOT NULL REFERENCES security_groups (id),
    PRIMARY KEY (network_interface, security_group)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachments (
    id                    TEXT NOT NULL PRIMARY KEY,
    network_interface     TEXT NOT NULL UNIQUE REFERENCES network_interfaces (id) ON DELETE CASCADE,
    instance              TEXT NOT NULL REFERENCES instances (id),
    device_index          INTEGER NOT NULL CHECK (device_index >= 0),
    network_card          INTEGER NOT NULL CHECK (network_card >= 0),
    state                 TEXT NOT NULL,
    state_at              INTEGER,
    attach_time           INTEGER,
    delete_on_termination INTEGER NOT NULL CHECK (delete_on_termination IN (0, 1)),
    force                 INTEGER NOT NULL CHECK (force IN (0, 1)),
    UNIQUE (instance, network_card, device_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE addresses (
    allocation_id     TEXT NOT NULL PRIMARY KEY,
    region            TEXT NOT NULL,
    public_ip         TEXT NOT NULL UNIQUE,
    association_id    TEXT UNIQUE,
    network_interface TEXT REFERENCES network_interfaces (id),
    private_ip        TEXT,
    tags              TEXT,
    created_at        INTEGER,
    UNIQUE (network_interface, private_ip)
) STRICT, WITHOUT ROWID;

-- Policies and records refer to nothing: they outlive what they speak of.
CREATE TABLE failover_policies (
    id                TEXT NOT NULL PRIMARY KEY,
    region            TEXT NOT NULL,
    network_interface TEXT NOT NULL,
    standbys          TEXT,
    probe             TEXT NOT NULL,
    fail_back         INTEGER NOT NULL CHECK (fail_back IN (0, 1)),
    enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_at        INTEGER
) STRICT, WITHOUT ROWID;

-- Instants here are those of captures: nanoseconds, 0 for "not observed".
CREATE TABLE failovers (
    id                TEXT NOT NULL PRIMARY KEY,
    region            TEXT NOT NULL,
    kind              TEXT NOT NULL,
    state             TEXT NOT NULL,
    error             TEXT NOT NULL,
    policy            TEXT NOT NULL,
    network_interface TEXT NOT NULL,
    from_instance     TEXT NOT NULL,
    to_instance       TEXT NOT NULL,
    started_at        INTEGER NOT NULL,
    ended_at          INTEGER NOT NULL,
    findings          TEXT NOT NULL
) STRICT;

CREATE TABLE events (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    revision INTEGER NOT NULL,
    at       INTEGER,
    type     TEXT NOT NULL,
    resource TEXT NOT NULL,
    detail   TEXT
) STRICT;

-- There is no Down: an older enilab refuses a newer database instead.
