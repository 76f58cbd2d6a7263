-- An owner is a keyed hash; one in clear is forgotten.
UPDATE event_ids SET owner = NULL WHERE owner NOT LIKE 'h:%';
