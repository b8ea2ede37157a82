-- +goose Up

-- Policies moved network interfaces only, and now by one of four strategies, with
-- a fence and a hold-down. JSON: what a policy moves depends on its strategy.
ALTER TABLE failover_policies
ADD COLUMN terms TEXT NOT NULL DEFAULT '{"Strategy":"eni","Fence":"none"}';

-- There is no Down: an older enilab refuses a newer database instead.
