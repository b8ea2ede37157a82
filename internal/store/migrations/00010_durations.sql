-- +goose Up

-- When a transitional state ends, NULL for "not by itself". It is drawn when the
-- state begins. What was under way before there were draws ends now.
ALTER TABLE instances ADD COLUMN state_until INTEGER;
ALTER TABLE attachments ADD COLUMN state_until INTEGER;

UPDATE instances SET state_until = state_at WHERE state IN ('pending', 'stopping', 'shutting-down');
UPDATE instances SET state_until = state_at + 3600000000000 WHERE state = 'terminated';
UPDATE attachments SET state_until = state_at WHERE state IN ('attaching', 'detaching');

-- What forced detaches have left on an instance.
ALTER TABLE instances ADD COLUMN stale TEXT;
