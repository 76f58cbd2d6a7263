-- Whether an event with this id is in the log. A function, so that the statement which stores a batch prepares to look into
-- every partition only where it has to: as a part of it that was 0.3 of its 1.0 ms.
CREATE FUNCTION is_logged(of_event_id varchar) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT FROM events WHERE event_id = of_event_id);
END $$;
