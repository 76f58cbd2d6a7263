-- What was refused, as it was sent, until somebody mends it or the shortest retention has passed.
CREATE TABLE quarantine (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at timestamptz  NOT NULL DEFAULT clock_timestamp(),
  key_name    varchar(100) NOT NULL,      -- of the API key it came with
  code        varchar(20)  NOT NULL,      -- why, as in rejectionCode
  reason      text         NOT NULL,
  source      text         NOT NULL       -- JSON as text: jsonb could not hold all that was refused
);
--> statement-breakpoint
CREATE INDEX quarantine_received_at ON quarantine (received_at);
