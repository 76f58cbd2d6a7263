-- Partitions are never emptied either: what refuses TRUNCATE on a table is not handed down to them, as what refuses the rest is.

CREATE FUNCTION never_empty(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse_change()', partition);
END $$;
--> statement-breakpoint
-- Who writes locks this one first: so nobody holds one partition and waits for another that is held here.
LOCK TABLE ONLY events IN SHARE ROW EXCLUSIVE MODE;
--> statement-breakpoint
SELECT never_empty(name) FROM event_partitions;
--> statement-breakpoint

-- As before, without those that are being attached: they have no bounds yet.
CREATE OR REPLACE VIEW event_partitions AS
SELECT relid::regclass::text AS name, upper(substr(parentrelid::regclass::text, 8)) AS severity,
       bounds[1]::timestamptz AS starts, bounds[2]::timestamptz AS ends
FROM pg_partition_tree('events') JOIN pg_class ON pg_class.oid = relid
CROSS JOIN regexp_match(pg_get_expr(relpartbound, relid), 'FROM \(''(.+)''\) TO \(''(.+)''\)') AS bounds
WHERE isleaf AND relkind = 'r' AND bounds IS NOT NULL;
--> statement-breakpoint

-- As before, and never emptied. Servers that run on while this is put in its place may be of another role.
CREATE OR REPLACE FUNCTION create_event_partition(of_severity text, starts timestamptz, ends timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  parent    text := 'events_' || lower(of_severity);
  partition text := parent || '_' || to_char(starts AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
  IF to_regclass(partition) IS NOT NULL THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7402003);
  IF to_regclass(partition) IS NOT NULL OR EXISTS (
    SELECT FROM event_partitions AS other WHERE other.severity = of_severity
    AND other.starts < create_event_partition.ends AND other.ends > create_event_partition.starts
  ) THEN RETURN false; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition, parent);
  PERFORM never_empty(partition);
  -- The check makes attaching a matter of catalog entries; it says what the partition's bounds will say.
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (severity = %L AND "timestamp" >= %L AND "timestamp" < %L)',
                 partition, of_severity, starts, ends);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, starts, ends);
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', partition);
  RETURN true;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION stage_event_partition(of_severity text, starts timestamptz, ends timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  parent text := 'events_' || lower(of_severity);
  staged text := parent || '_staged';
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', staged); -- of a run that was cut off
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', staged, parent);
  PERFORM never_empty(staged);
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (severity = %L AND "timestamp" >= %L AND "timestamp" < %L)',
                 staged, of_severity, starts, ends);
END $$;
