-- Who supplied an id: who sends an event again is told so, and others no more than that the id is taken.
ALTER TABLE event_ids ADD COLUMN owner text;
