/*
 * conf/comments.h - makes the comments of a configuration blank.
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_COMMENTS_H
#define CONF_COMMENTS_H

#include <stddef.h>

/*
 * Puts spaces in place of comments (# and // to the end of the line, and
 * C's), keeping line ends: libconfuse 3.3 understands comments, but
 * counts lines wrong behind them.  Quoted texts and ${NAME} are left
 * alone, and so is a comment that is not closed.
 *
 * Returns where the first '*' outside of both stands, len if there is
 * none: libconfuse would leave it out without a word.
 */
size_t comments_blank(char *text, size_t len);

#endif
