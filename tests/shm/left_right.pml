/*
 * tests/shm/left_right.pml - the publication of the route table, as a
 * model for spin; run by tests/shm/check-model.
 *
 * A table is two words, x and y, that each state of it gives the same
 * value: a reader that sees two values has seen a torn table.  The
 * writer takes the steps of src/shm/table_store.c in their order and may
 * die before any of them; then a successor opens the table, repairs the
 * copy that is not active if it is torn or behind, and publishes, and it
 * may die as well.  Readers look up, each at any speed; they do not see
 * each other, so that one is enough where the writers die often.
 *
 * Memory is sequentially consistent here: that the code may count on the
 * order of these steps is the business of its release stores and acquire
 * loads (src/shm/words.h).
 */
/* SPDX-License-Identifier: ISC */
#ifndef DEATHS
#define DEATHS	     1	/* of writers, at most */
#endif
#ifndef READERS
#define READERS	     2
#endif
#ifndef ABORTS
#define ABORTS	     1	/* of batches */
#endif
#define PUBLICATIONS 2	/* in all; each copy is published once */

byte state_active;		/* in one word with the change count, */
byte published;			/* which is what readers must see by now */
byte seq[2];
byte change[2];
byte x[2];
byte y[2];

byte deaths, aborts;
bool is_writer_gone = false;

/* A step at which the writer may die instead of taking it. */
#define STEP(action)							\
	if								\
	:: deaths < DEATHS -> deaths++; goto dead			\
	:: atomic { action }						\
	fi

proctype writer()
{
	byte target, other, value;

open_table:
	/* store_open(): repair() */
	target = 1 - state_active;
	other = state_active;
	assert(seq[other] % 2 == 0);
	if
	:: seq[target] % 2 == 1 || change[target] != change[other] ->
		if
		:: seq[target] % 2 == 0 -> STEP(seq[target]++)
		:: else
		fi;
		STEP(change[target] = change[other]);
		STEP(x[target] = x[other]);
		STEP(y[target] = y[other]);
		STEP(seq[target]++)
	:: else
	fi;
	assert(x[0] == x[1] && y[0] == y[1] && change[0] == change[1]);
	assert(seq[0] % 2 == 0 && seq[1] % 2 == 0);

next_batch:
	if
	:: change[state_active] == PUBLICATIONS -> goto gone
	:: else
	fi;
	/* store_begin() */
	target = 1 - state_active;
	other = state_active;
	value = change[other] + 1;
	STEP(seq[target]++);
	STEP(x[target] = value);
	if
	:: true					/* commit */
	:: aborts < ABORTS ->			/* abort: store_revert() */
		aborts++;
		STEP(x[target] = x[other]);
		STEP(seq[target]++);
		goto next_batch
	fi;
	STEP(y[target] = value);
	/* store_publish() */
	STEP(change[target] = value);
	STEP(seq[target]++);
	STEP(state_active = target; published = value);
	STEP(seq[other]++);
	STEP(change[other] = value);
	STEP(x[other] = value);
	STEP(y[other] = value);
	STEP(seq[other]++);
	goto next_batch;
dead:
	value = 0;
	goto open_table;
gone:
	is_writer_gone = true
}

proctype reader()
{
	byte second, copy, expected, before, a, b, floor, latest;
	bool is_again;

	do
	:: is_writer_gone && latest == PUBLICATIONS -> break
	:: !is_writer_gone || latest != PUBLICATIONS ->
		is_again = false;
		floor = published;
again:
		atomic { second = state_active; expected = published };
		/* Copy 0 if it shows what is published, else the active
		 * one.  Without a look at the change count, a reader that
		 * was held up since it loaded the state could see a batch
		 * that is complete, but is published only with the
		 * writer's next step. */
		copy = 0;
look:
		before = seq[copy];
		if
		:: before % 2 == 0 && change[copy] == expected
		:: else ->
			if
			:: copy != second -> copy = second; goto look
			:: else -> goto torn
			fi
		fi;
		second = 0;
		a = x[copy];
		b = y[copy];
		if
		:: seq[copy] != before -> goto torn
		:: else
		fi;
		/* Whole, not older than what was published before the read
		 * began, not from a batch that was never published, and
		 * never older than the last answer. */
		assert(a == b);
		assert(a >= floor);
		assert(a <= published);
		assert(a >= latest);
		latest = a;
		goto answered;
torn:
		/* With nobody writing, one more try is enough. */
		assert(!is_again);
		is_again = is_writer_gone;
		goto again;
answered:
		second = 0; copy = 0; expected = 0; before = 0;
		a = 0; b = 0; floor = 0
	od
}

init
{
	atomic {
		run writer();
		run reader();
#if READERS > 1
		run reader()
#endif
	}
}
