# SPDX-License-Identifier: ISC
#
# Makes a C source of the SQL of one dialect:
#
#	awk -f embed.awk -v dialect=sqlite 0001_*.up.sql 0001_*.down.sql ... \
#	    queries.sql
#
# NNNN_name.up.sql and, right behind it, NNNN_name.down.sql become a row of
# DIALECT_migrations[], each "-- name: insert_change" of queries.sql, up to
# the next one, a row of DIALECT_queries[].  Whole-line comments and blank
# lines are left out.

function quoted(text)
{
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	return "\"" text "\\n\""
}

function close_row()
{
	if (row_open)
		printf " },\n"
	row_open = 0
}

function base_name(path)
{
	sub(/^.*\//, "", path)
	return path
}

BEGIN {
	print "/* Made from sql/" dialect "/ by sql/embed.awk. */"
	print "#include \"registryd/store/queries.h\"\n"
	print "const struct store_migration " dialect "_migrations[] = {"
}

FNR == 1 {
	file = base_name(FILENAME)
	if (file == name ".down.sql") {
		printf ","
		next
	}
	close_row()
	if (file ~ /^[0-9]+_.*\.up\.sql$/) {
		name = file
		sub(/\.up\.sql$/, "", name)
		printf "\t{ %d, \"%s\",", ++migration_count, name
		row_open = 1
	} else {
		print "};"
		printf "const uint32_t %s_migration_count = %d;\n\n",
		    dialect, migration_count
		print "const struct store_query_text " dialect \
		    "_queries[QUERY_COUNT] = {"
	}
}

/^-- name: / {
	close_row()
	printf "\t[QUERY_%s] = { \"%s\",", toupper($3), $3
	row_open = 1
	next
}

/^[ \t]*--/ || /^[ \t]*$/ { next }

row_open { printf "\n\t    %s", quoted($0) }

END {
	close_row()
	print "};"
}
