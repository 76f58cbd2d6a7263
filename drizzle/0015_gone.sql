-- Where a period was made longer: what was older than the one before may be gone by then, and stays gone.
CREATE TABLE retention_gone (
  target  varchar(20) PRIMARY KEY,       -- a severity or a code
  "until" timestamptz NOT NULL
);
