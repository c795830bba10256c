-- SQLite has no comments.  The number stands, so that both dialects count
-- alike.
SELECT 1;
