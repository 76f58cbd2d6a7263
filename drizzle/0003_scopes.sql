-- Scopes under names that say of what. Who could read is not thereby shown what is personal: that is a scope of its own.
UPDATE api_keys
SET scopes = array_replace(array_replace(scopes, 'read', 'events:read'), 'write', 'events:write');
