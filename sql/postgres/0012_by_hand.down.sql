-- Changes by hand are not noticed any more.
DROP TRIGGER by_hand ON route_target;
DROP TRIGGER by_hand ON route;
DROP TRIGGER by_hand ON backend;
DROP TRIGGER by_hand ON service;
DROP FUNCTION note_hand();
ALTER TABLE identity DROP COLUMN by_hand;
DELETE FROM schema_version WHERE version = 12;
