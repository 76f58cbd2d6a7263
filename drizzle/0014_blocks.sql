-- Who came from a block of addresses is found as well: an address is marked by the blocks that it is in, among them the one of
-- itself alone. A block that is asked for is within one of these, or too large to be rare.
DROP INDEX events_marks;
--> statement-breakpoint
DROP FUNCTION event_marks(text, text, text, text, text, inet, text, text, text, text, text, text, text[]);
--> statement-breakpoint
CREATE FUNCTION address_block(address inet, bits integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN network(set_masklen(address, bits))::text;
--> statement-breakpoint
CREATE FUNCTION address_blocks(address inet) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE family(address)
    WHEN 4 THEN ARRAY[address_block(address, 32), address_block(address, 24), address_block(address, 16)]
    WHEN 6 THEN ARRAY[address_block(address, 128), address_block(address, 64), address_block(address, 48)]
  END;
--> statement-breakpoint
CREATE FUNCTION event_marks(
  code text, type text, status text, username text, user_role text, ip_address inet, session_id text, resource_type text,
  action text, endpoint text, http_method text, error_code text, tags text[]
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN array_remove(ARRAY[code, type, status, username, user_role, session_id, resource_type,
                            action, endpoint, http_method, error_code], NULL) || address_blocks(ip_address) || tags;
--> statement-breakpoint
CREATE INDEX events_marks ON events USING gin (event_marks(
  code, event_type, status, username, user_role, ip_address, session_id, resource_type, action, endpoint, http_method, error_code, tags
)) WITH (gin_pending_list_limit = 512);
