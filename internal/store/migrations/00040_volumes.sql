-- +goose Up

-- An instance said what its root volume was like, and had the tags of it; the
-- volume had the digits of the instance's id. Now it is a row of its own, with
-- the id, tags and settings that it was shown with, and what was shown where
-- nothing had been said: 8 GiB of gp3 with 3,000 IOPS and 125 MiB/s, of gp2
-- three IOPS a GiB within bounds. Instances that are terminated had none.
INSERT INTO documents (id, kind, vpc, body)
SELECT volume, 'volumes', NULL, json_patch(json_object(
           'ID', volume, 'Region', region, 'Zone', zone, 'Size', size, 'Type', type,
           'IOPS', CASE type WHEN 'gp2' THEN min(max(3 * size, 100), 16000)
                             WHEN 'gp3' THEN coalesce(root ->> 'IOPS', 3000) ELSE coalesce(root ->> 'IOPS', 0) END,
           'Throughput', CASE type WHEN 'gp3' THEN coalesce(root ->> 'Throughput', 125) ELSE 0 END,
           'Encrypted', json(iif(root ->> 'Encrypted', 'true', 'false')), 'Image', image,
           'State', 'in-use', 'StateAt', launched,
           'Attachments', json_array(json_object(
               'Instance', instance, 'Device', '/dev/xvda', 'State', iif(state = 'pending', 'attaching', 'attached'),
               'AttachTime', launched, 'DeleteOnTermination', json(iif(root ->> 'Keep', 'false', 'true')))),
           'CreatedAt', launched),
       json_object('Tags', json(tags)))
FROM (
    SELECT id AS instance, 'vol-' || substr(id, 3) AS volume, region, zone, state,
           coalesce(settings -> '$.RootVolume', '{}') AS root,
           coalesce(settings ->> '$.RootVolume.Size', 8) AS size,
           coalesce(settings ->> '$.RootVolume.Type', 'gp3') AS type,
           coalesce(settings -> '$.VolumeTags', 'null') AS tags,
           coalesce(nullif(settings ->> '$.ImageID', ''), 'ami-00000000000000000') AS image,
           -- Nanoseconds of a second apart: SQLite's dates know milliseconds.
           coalesce(strftime('%Y-%m-%dT%H:%M:%S', launch_at / 1000000000, 'unixepoch')
               || printf('.%09dZ', launch_at % 1000000000), '0001-01-01T00:00:00Z') AS launched
    FROM instances WHERE state <> 'terminated'
);

UPDATE instances SET settings = json_remove(settings, '$.RootVolume', '$.VolumeTags');
