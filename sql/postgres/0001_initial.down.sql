-- Takes the first schema away, with all that is in it.
DROP TABLE change;
DROP TABLE route_target;
DROP TABLE route;
DROP TABLE backend;
DROP TABLE service;
DROP TABLE generation;
DELETE FROM schema_version WHERE version = 1;
