-- The secret of the keyed hashes that stand in place of sessions. One row: the servers of a database agree on it.
CREATE TABLE hash_key (
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),
  key   bytea,                           -- null where the operator keeps it
  proof bytea NOT NULL                   -- tells whether another key is the same
);
