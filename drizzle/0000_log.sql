-- The log: events in partitions by severity then time, the batches that order them, the guard that keeps ids unique, and
-- the keys that open the doors.

-- The specification's thirty columns under their own names, plus `code`. Partitions of a severity are made by
-- `create_event_partition` below; which ones is decided in src/database/partitions.ts.
CREATE TABLE events (
  id                 bigint       NOT NULL,
  event_id           varchar(50)  NOT NULL,
  code               varchar(20),
  event_category     varchar(20)  NOT NULL CHECK (event_category IN ('AUTH', 'DATA', 'PRED', 'MODEL', 'SYSTEM', 'SECURITY', 'ANALYTICS', 'ADMIN')),
  event_type         varchar(50)  NOT NULL,
  event_name         varchar(100) NOT NULL,
  event_description  text,
  user_id            integer,
  username           varchar(50),
  user_role          varchar(20),
  ip_address         inet,
  user_agent         text,
  session_id         varchar(100),
  resource_type      varchar(50),
  resource_id        varchar(50),
  resource_name      varchar(200),
  action             varchar(50)  NOT NULL,
  status             varchar(20)  NOT NULL CHECK (status IN ('STARTED', 'SUCCESS', 'FAILED', 'ERROR', 'DENIED', 'BLOCKED', 'ALERT')),
  http_method        varchar(10),
  endpoint           varchar(200),
  request_data       jsonb,
  response_data      jsonb,
  error_message      text,
  error_code         varchar(20),
  processing_time_ms integer,
  "timestamp"        timestamptz  NOT NULL DEFAULT clock_timestamp(),
  metadata           jsonb,
  tags               text[],
  severity           varchar(20)  NOT NULL DEFAULT 'INFO',
  created_at         timestamptz  NOT NULL DEFAULT clock_timestamp(),
  updated_at         timestamptz  NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id, severity, "timestamp")
) PARTITION BY LIST (severity);
--> statement-breakpoint
CREATE TABLE events_debug    PARTITION OF events FOR VALUES IN ('DEBUG')    PARTITION BY RANGE ("timestamp");
--> statement-breakpoint
CREATE TABLE events_info     PARTITION OF events FOR VALUES IN ('INFO')     PARTITION BY RANGE ("timestamp");
--> statement-breakpoint
CREATE TABLE events_warning  PARTITION OF events FOR VALUES IN ('WARNING')  PARTITION BY RANGE ("timestamp");
--> statement-breakpoint
CREATE TABLE events_error    PARTITION OF events FOR VALUES IN ('ERROR')    PARTITION BY RANGE ("timestamp");
--> statement-breakpoint
CREATE TABLE events_critical PARTITION OF events FOR VALUES IN ('CRITICAL') PARTITION BY RANGE ("timestamp");
--> statement-breakpoint
-- Each index is paid on every event, so there is one per question and no more: an event by its id, pages by time, pages
-- by category and time (severity is the partition).
CREATE INDEX events_event_id ON events (event_id);
--> statement-breakpoint
CREATE INDEX events_time ON events ("timestamp", id);
--> statement-breakpoint
CREATE INDEX events_category_time ON events (event_category, "timestamp", id);
--> statement-breakpoint

-- Makes the partition of one severity for one range of time; does nothing where it exists. The table is made apart and
-- then attached, which blocks neither writers nor readers of the others (PARTITION OF would lock them all out). Two
-- callers at once take turns.
CREATE FUNCTION create_event_partition(of_severity text, starts timestamptz, ends timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  parent    text := 'events_' || lower(of_severity);
  partition text := parent || '_' || to_char(starts AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
  IF to_regclass(partition) IS NOT NULL THEN RETURN false; END IF;
  PERFORM pg_advisory_xact_lock(7402003);
  IF to_regclass(partition) IS NOT NULL THEN RETURN false; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition, parent);
  -- The check makes attaching a matter of catalog entries; it says what the partition's bounds will say.
  EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (severity = %L AND "timestamp" >= %L AND "timestamp" < %L)',
                 partition, of_severity, starts, ends);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, starts, ends);
  EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', partition);
  RETURN true;
END $$;
--> statement-breakpoint

-- One row per committed batch of events, numbered without gaps in the order of commits: the order of the log.
-- Everything that follows the log reads "what comes after seq".
CREATE TABLE batches (
  seq          bigint PRIMARY KEY,
  number       bigint NOT NULL UNIQUE,   -- events.id / 1024 of the batch's events
  key          uuid   NOT NULL UNIQUE,   -- made by the writer: a retry of a batch that was committed fails here
  size         smallint NOT NULL,        -- how many events were stored
  severities   smallint NOT NULL,        -- which severities occur, a bit each, DEBUG the lowest
  categories   smallint NOT NULL,        -- which categories occur, a bit each, in the specification's order
  earliest     timestamptz NOT NULL,     -- least and greatest `timestamp`, which prune partitions
  latest       timestamptz NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE SEQUENCE batch_numbers AS bigint;
--> statement-breakpoint

-- The commit ticket: the last act of the statement that inserts a batch. Whoever holds the lock commits next, and the
-- last seq is read in a snapshot taken after the lock was granted (VOLATILE: each statement in here has its own), so seq
-- is dense and in commit order; once a seq is visible, no lower one will appear. The lock is never held across a round
-- trip. PRIMARY KEY (seq) makes a bypassed lock fail instead of reorder.
CREATE FUNCTION take_ticket(of_number bigint, of_key uuid, of_size bigint, of_severities integer, of_categories integer,
                            of_earliest timestamptz, of_latest timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET lock_timeout = '5s' AS $$
DECLARE
  last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(7402002);
  SELECT seq INTO last FROM batches ORDER BY seq DESC LIMIT 1;
  INSERT INTO batches (seq, number, key, size, severities, categories, earliest, latest)
  VALUES (coalesce(last, 0) + 1, of_number, of_key, of_size, of_severities, of_categories, of_earliest, of_latest);
  RETURN coalesce(last, 0) + 1;
END $$;
--> statement-breakpoint

-- The guard: an id that a caller supplied exists once in the log, whatever its event's severity and time. Ids that the
-- server makes are unique by construction and have no entry.
CREATE TABLE event_ids (
  event_id varchar(50) PRIMARY KEY,
  id       bigint NOT NULL
);
--> statement-breakpoint

-- API keys: only a hash is kept; the key itself is shown once.
CREATE TABLE api_keys (
  id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       varchar(100) NOT NULL,
  hint       varchar(20)  NOT NULL,      -- the key's first characters, for people to tell keys apart
  hash       bytea        NOT NULL UNIQUE,
  scopes     text[]       NOT NULL,
  created_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
