-- Nobody knows the ids any more: sessions stay until their clients, who are
-- told to register again, replace them, or their grace is over.
DELETE FROM schema_version WHERE version = 8;
