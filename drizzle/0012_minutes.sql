-- By five minutes and endpoint, for how often requests go wrong. An endpoint may name a person: it is kept for a few days only.
CREATE TABLE rollup_endpoint_fives (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  endpoint           varchar(200),
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
  UNIQUE NULLS NOT DISTINCT ("timestamp", endpoint)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint
-- By five minutes and name, for how long things take, and for the ends of a range that is told by severity and category. Kept for a
-- few days only, as a name may be one of a person.
CREATE TABLE rollup_name_fives (
  "timestamp"        timestamptz NOT NULL, -- when it begins
  severity           varchar(20) NOT NULL,
  event_category     varchar(20) NOT NULL,
  event_name         varchar(100) NOT NULL,
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
  UNIQUE NULLS NOT DISTINCT ("timestamp", severity, event_category, event_name)
) WITH (fillfactor = 70); -- cells are updated in place
--> statement-breakpoint
-- What the others have counted before. Who counts waits meanwhile, who asks does not.
LOCK TABLE rollup_position IN EXCLUSIVE MODE;
--> statement-breakpoint
CREATE TEMPORARY VIEW counted_events AS
SELECT *, CASE WHEN response_data #>> '{confidence}' ~ '^[ \t\r\n]*[-+]?([0-9]{1,99}\.?[0-9]{0,99}|\.[0-9]{1,99})([eE][-+]?[0-3]?[0-9])?[ \t\r\n]*$'
               THEN (response_data #>> '{confidence}')::float8 END AS confidence
FROM events WHERE id / 1024 IN (SELECT number FROM batches WHERE seq <= (SELECT seq FROM rollup_position));
--> statement-breakpoint
INSERT INTO rollup_endpoint_fives
SELECT date_bin('5 minutes', "timestamp", '2000-01-01Z') AS start, endpoint, count(*), count(*) FILTER (WHERE status = 'ERROR'),
       count(*) FILTER (WHERE status IN ('FAILED', 'ERROR', 'DENIED', 'BLOCKED')), min("timestamp"), max("timestamp"),
       count(processing_time_ms), coalesce(sum(processing_time_ms), 0), min(processing_time_ms), max(processing_time_ms),
       count(confidence), coalesce(sum(confidence), 0), min(confidence), max(confidence)
FROM counted_events GROUP BY start, endpoint ORDER BY start;
--> statement-breakpoint
INSERT INTO rollup_name_fives
SELECT date_bin('5 minutes', "timestamp", '2000-01-01Z') AS start, severity, event_category, event_name, count(*), count(*) FILTER (WHERE status = 'ERROR'),
       count(*) FILTER (WHERE status IN ('FAILED', 'ERROR', 'DENIED', 'BLOCKED')), min("timestamp"), max("timestamp"),
       count(processing_time_ms), coalesce(sum(processing_time_ms), 0), min(processing_time_ms), max(processing_time_ms),
       count(confidence), coalesce(sum(confidence), 0), min(confidence), max(confidence)
FROM counted_events GROUP BY start, severity, event_category, event_name ORDER BY start;
--> statement-breakpoint
DROP VIEW counted_events;
