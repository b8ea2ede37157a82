-- +goose Up

-- Failover records were of network interfaces only, and are of private addresses,
-- Elastic IPs and routes too.
UPDATE failovers
SET findings = json_set(findings, '$.Moved', json_object(
        'Kind', 'network-interface', 'From', network_interface, 'To', network_interface));

-- There is no Down: an older enilab refuses a newer database instead.
