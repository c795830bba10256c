-- A SQLite file is loaded whole at each start.  The number stands, so that
-- both dialects count alike.
SELECT 1;
