-- A server has a table of the sluices that share it; a file has one sluice,
-- and so no table.  The number stands, so that both dialects count alike.
SELECT 1;
