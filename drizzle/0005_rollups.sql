-- The roll-ups: what was measured of the events of an hour or a quarter of one, and up to which batch they were counted. Which
-- there are, and how they are added up, is said in src/database/rollups.ts.

-- One row. It is locked by whoever counts, and moved on in the transaction that counts.
CREATE TABLE rollup_position (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint  NOT NULL,
  up_to bigint -- the last batch that is being counted, within the transaction that does
);
--> statement-breakpoint
INSERT INTO rollup_position (seq) VALUES (0);
--> statement-breakpoint
-- By quarter of an hour and kind of event.
CREATE TABLE rollup_kind_quarters (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  severity           varchar(20) NOT NULL,
  event_category     varchar(20) NOT NULL,
  event_type         varchar(50) NOT NULL,
  code               varchar(20),
  status             varchar(20) NOT NULL,
  count              bigint NOT NULL,
  errors             bigint NOT NULL,
  failures           bigint NOT NULL,
  first_at           timestamptz NOT NULL,
  last_at            timestamptz NOT NULL,
  time_count         bigint NOT NULL,
  time_sum           bigint NOT NULL,
  time_minimum       bigint,
  time_maximum       bigint,
  confidence_count   bigint NOT NULL,
  confidence_sum     float8 NOT NULL,
  confidence_minimum float8,
  confidence_maximum float8,
  UNIQUE NULLS NOT DISTINCT ("timestamp", severity, event_category, event_type, code, status)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint
-- The same by the hour.
CREATE TABLE rollup_kind_hours (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  severity           varchar(20) NOT NULL,
  event_category     varchar(20) NOT NULL,
  event_type         varchar(50) NOT NULL,
  code               varchar(20),
  status             varchar(20) NOT NULL,
  count              bigint NOT NULL,
  errors             bigint NOT NULL,
  failures           bigint NOT NULL,
  first_at           timestamptz NOT NULL,
  last_at            timestamptz NOT NULL,
  time_count         bigint NOT NULL,
  time_sum           bigint NOT NULL,
  time_minimum       bigint,
  time_maximum       bigint,
  confidence_count   bigint NOT NULL,
  confidence_sum     float8 NOT NULL,
  confidence_minimum float8,
  confidence_maximum float8,
  UNIQUE NULLS NOT DISTINCT ("timestamp", severity, event_category, event_type, code, status)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint
-- The same by severity and category alone.
CREATE TABLE rollup_hours (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  severity           varchar(20) NOT NULL,
  event_category     varchar(20) NOT NULL,
  count              bigint NOT NULL,
  errors             bigint NOT NULL,
  failures           bigint NOT NULL,
  first_at           timestamptz NOT NULL,
  last_at            timestamptz NOT NULL,
  time_count         bigint NOT NULL,
  time_sum           bigint NOT NULL,
  time_minimum       bigint,
  time_maximum       bigint,
  confidence_count   bigint NOT NULL,
  confidence_sum     float8 NOT NULL,
  confidence_minimum float8,
  confidence_maximum float8,
  UNIQUE NULLS NOT DISTINCT ("timestamp", severity, event_category)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint
-- By hour and user. It names people, and is kept for a few days only.
CREATE TABLE rollup_user_hours (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  username           varchar(50),
  user_id            integer,
  user_role          varchar(20),
  count              bigint NOT NULL,
  errors             bigint NOT NULL,
  failures           bigint NOT NULL,
  first_at           timestamptz NOT NULL,
  last_at            timestamptz NOT NULL,
  time_count         bigint NOT NULL,
  time_sum           bigint NOT NULL,
  time_minimum       bigint,
  time_maximum       bigint,
  confidence_count   bigint NOT NULL,
  confidence_sum     float8 NOT NULL,
  confidence_minimum float8,
  confidence_maximum float8,
  UNIQUE NULLS NOT DISTINCT ("timestamp", username, user_id, user_role)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint
-- The same by six hours, from midnight UTC on.
CREATE TABLE rollup_user_quarter_days (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  username           varchar(50),
  user_id            integer,
  user_role          varchar(20),
  count              bigint NOT NULL,
  errors             bigint NOT NULL,
  failures           bigint NOT NULL,
  first_at           timestamptz NOT NULL,
  last_at            timestamptz NOT NULL,
  time_count         bigint NOT NULL,
  time_sum           bigint NOT NULL,
  time_minimum       bigint,
  time_maximum       bigint,
  confidence_count   bigint NOT NULL,
  confidence_sum     float8 NOT NULL,
  confidence_minimum float8,
  confidence_maximum float8,
  UNIQUE NULLS NOT DISTINCT ("timestamp", username, user_id, user_role)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint

-- What the roll-ups have not come to yet, as of the snapshot of the statement that asks. A function, so that only what is there
-- to be read is planned: as a part of the statement it cost every question the planning of all partitions.
CREATE FUNCTION uncounted_events() RETURNS SETOF events
LANGUAGE plpgsql STABLE AS $$
DECLARE
  next record;
BEGIN
  SELECT min(number) AS first, max(number) AS last, min(earliest) AS earliest, max(latest) AS latest INTO next
  FROM batches WHERE seq > (SELECT seq FROM rollup_position);
  IF next.first IS NULL THEN RETURN; END IF;
  RETURN QUERY EXECUTE format(
    'SELECT * FROM events WHERE id >= %s AND id < %s AND "timestamp" BETWEEN %L AND %L '
    'AND id / 1024 IN (SELECT number FROM batches WHERE seq > (SELECT seq FROM rollup_position))',
    next.first * 1024, (next.last + 1) * 1024, next.earliest, next.latest);
END $$;
