-- What an outage of the database needs: by what this store is told from
-- others.  The other tables are used in a file that follows a PostgreSQL
-- server.
CREATE TABLE identity (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	id TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))));

-- Of a replica, one row: which server it follows, and when it was last as
-- that was.
CREATE TABLE replica (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	target TEXT NOT NULL,
	confirmed_at INTEGER NOT NULL
) STRICT;

-- Commits that were kept while the server was away, in their order.
CREATE TABLE spool (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	state TEXT NOT NULL CHECK (state IN ('waiting', 'played', 'dropped')),
	generation INTEGER NOT NULL CHECK (generation >= 0),
	reason TEXT NOT NULL,
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	from_addr TEXT NOT NULL,
	channel TEXT NOT NULL,
	request_id TEXT NOT NULL,
	body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
