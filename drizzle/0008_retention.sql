-- Retention: the periods that an administrator set, the holds, what the runs did, and how partitions are replaced.

-- How long events of a severity or of a code are kept, where it is not as long as the document says.
CREATE TABLE retention_rules (
  target varchar(20)  PRIMARY KEY,       -- a severity or a code
  days   integer      NOT NULL CHECK (days BETWEEN 1 AND 36500),
  set_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
  set_by varchar(100) NOT NULL           -- the name of the key
);
--> statement-breakpoint
-- Events that are kept whatever their age, until the hold is released.
CREATE TABLE holds (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        varchar(100) NOT NULL,
  reason      text         NOT NULL,
  filter      jsonb        NOT NULL,     -- an EventFilter, its range fixed
  placed_at   timestamptz  NOT NULL DEFAULT clock_timestamp(),
  placed_by   varchar(100) NOT NULL,
  released_at timestamptz,
  released_by varchar(100)
);
--> statement-breakpoint
CREATE UNIQUE INDEX holds_name ON holds (name) WHERE released_at IS NULL;
--> statement-breakpoint
-- One row: a number that grows with every change of the two, so that what was worked out with older ones is not acted upon.
CREATE TABLE retention_policy (
  version bigint NOT NULL
);
--> statement-breakpoint
INSERT INTO retention_policy VALUES (1);
--> statement-breakpoint
CREATE FUNCTION note_retention_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE retention_policy SET version = version + 1;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER retention_rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON retention_rules
  EXECUTE FUNCTION note_retention_change();
--> statement-breakpoint
CREATE TRIGGER holds_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON holds
  EXECUTE FUNCTION note_retention_change();
--> statement-breakpoint
CREATE TABLE retention_runs (
  id                 integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  started_at         timestamptz NOT NULL,
  finished_at        timestamptz,                     -- NULL while it runs, or where it was cut off
  removed            jsonb   NOT NULL DEFAULT '{}',   -- how many events, by severity
  kept               bigint  NOT NULL DEFAULT 0,      -- how many were moved out of partitions that went
  partitions_made    integer NOT NULL DEFAULT 0,
  partitions_dropped integer NOT NULL DEFAULT 0,
  postponed          integer NOT NULL DEFAULT 0,      -- partitions that others used all the time
  bytes_freed        bigint  NOT NULL DEFAULT 0,
  refused_removed    integer NOT NULL DEFAULT 0,      -- of the quarantine
  batches_removed    bigint  NOT NULL DEFAULT 0,
  ids_removed        bigint  NOT NULL DEFAULT 0,
  error              text
);
--> statement-breakpoint
-- Events that tell what retention did, written with it in one transaction, until they are in the log.
CREATE TABLE retention_outbox (
  id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event jsonb NOT NULL
);
--> statement-breakpoint

-- The partitions there are. One named events_…_kept_… holds what was kept of those that stood there before.
CREATE VIEW event_partitions AS
SELECT relid::regclass::text AS name, upper(substr(parentrelid::regclass::text, 8)) AS severity,
       bounds[1]::timestamptz AS starts, bounds[2]::timestamptz AS ends
FROM pg_partition_tree('events') JOIN pg_class ON pg_class.oid = relid
CROSS JOIN regexp_match(pg_get_expr(relpartbound, relid), 'FROM \(''(.+)''\) TO \(''(.+)''\)') AS bounds
WHERE isleaf AND relkind = 'r';
--> statement-breakpoint

-- Makes the partition of one severity for one range of time; does nothing where there is one, or what was kept of one. The
-- table is made apart and then attached, which blocks neither writers nor readers of the others (PARTITION OF would lock them
-- all out). Two callers at once take turns.
CREATE OR REPLACE FUNCTION create_event_partition(of_severity text, starts timestamptz, ends timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
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
  -- The check makes attaching a matter of catalog entries; it says what the partition's bounds will say.
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (severity = %L AND "timestamp" >= %L AND "timestamp" < %L)',
                 partition, of_severity, starts, ends);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, starts, ends);
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', partition);
  RETURN true;
END $$;
--> statement-breakpoint

-- An empty table events_…_staged, ready to become the partition of a range: with the indexes, so that attaching it builds none.
CREATE FUNCTION stage_event_partition(of_severity text, starts timestamptz, ends timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  parent text := 'events_' || lower(of_severity);
  staged text := parent || '_staged';
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', staged); -- of a run that was cut off
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', staged, parent);
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (severity = %L AND "timestamp" >= %L AND "timestamp" < %L)',
                 staged, of_severity, starts, ends);
END $$;
--> statement-breakpoint

-- Drops partitions of a severity and, where something of them is kept, puts the staged table in their place, in one
-- transaction: nobody ever sees less than both or more. False, and nothing done, where a rule or a hold changed since
-- `of_policy`, or an event came into one of them since batch `seen`. Writers of that severity are locked out for the few
-- milliseconds that this takes, and whoever waits for the lock holds up those behind him: so it waits for 50 ms and then gives
-- up with lock_not_available. The run's figures are written with it.
CREATE FUNCTION replace_event_partitions(of_run integer, of_severity text, replaced text[], staged boolean,
                                         starts timestamptz, ends timestamptz, of_policy bigint, seen bigint,
                                         of_gone bigint, of_kept bigint, of_bytes bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET lock_timeout = '50ms' AS $$
DECLARE
  parent    text := 'events_' || lower(of_severity);
  its_bit   integer := 1 << (array_position(ARRAY['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'], of_severity) - 1);
  partition text;
  is_late   boolean;
BEGIN
  PERFORM FROM retention_policy WHERE version = of_policy FOR SHARE;
  IF NOT FOUND THEN RETURN false; END IF;
  EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
  FOREACH partition IN ARRAY replaced LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM batches WHERE seq > $1 AND severities & $2 <> 0 AND earliest < $3 AND EXISTS ('
                   'SELECT FROM %I WHERE id BETWEEN batches.number * 1024 AND batches.number * 1024 + 1023))', partition)
      INTO is_late USING seen, its_bit, ends;
    IF is_late THEN RETURN false; END IF;
  END LOOP;
  FOREACH partition IN ARRAY replaced LOOP
    EXECUTE format('DROP TABLE %I', partition);
  END LOOP;
  IF staged THEN
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, parent || '_staged', starts, ends);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', parent || '_staged');
    EXECUTE format('ALTER TABLE %I RENAME TO %I', parent || '_staged',
                   parent || '_kept_' || to_char(starts AT TIME ZONE 'UTC', 'YYYYMMDD'));
  END IF;
  UPDATE retention_runs SET partitions_dropped = partitions_dropped + cardinality(replaced), kept = kept + of_kept,
    bytes_freed = bytes_freed + of_bytes,
    removed = CASE of_gone WHEN 0 THEN removed
      ELSE removed || jsonb_build_object(of_severity, coalesce((removed ->> of_severity)::bigint, 0) + of_gone) END
  WHERE id = of_run;
  RETURN true;
END $$;
--> statement-breakpoint

-- Where a batch's ids end in the guard: rows come in the order of ids, more or less, and this costs them nothing.
CREATE INDEX event_ids_id ON event_ids USING brin (id);
