/*
 * conf/grammar.h - the configuration file, by libconfuse.
 *
 * The grammar is made from the rows.  All values are read as texts; what
 * they mean is value.c's.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_GRAMMAR_H
#define CONF_GRAMMAR_H

#include "conf/draft.h"

/*
 * Reads a configuration into the draft, reporting what is wrong there.
 *
 * name             of the text, for messages and, with includes allowed,
 *                  to find included files beside it.
 * allows_include   include("file") may be used.
 */
void grammar_read(struct draft *, struct bytes text, const char *name,
    bool allows_include);

#endif
