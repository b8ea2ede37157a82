-- name: GetMeta :one
SELECT revision, committed_at, next_group_ref, next_rule_ref, event_seq FROM meta WHERE id = 1;

-- name: AdvanceMeta :execrows
UPDATE meta
SET revision = @revision, committed_at = @committed_at, next_group_ref = @next_group_ref,
    next_rule_ref = @next_rule_ref, event_seq = @event_seq
WHERE id = 1 AND revision < @revision AND next_group_ref <= @next_group_ref
  AND next_rule_ref <= @next_rule_ref AND event_seq <= @event_seq;
