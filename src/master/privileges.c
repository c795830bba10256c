/*
 * master/privileges.c - who the roles run as, and what they may use.
 */
/* SPDX-License-Identifier: ISC */
#include "master/privileges.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

/* Beside clients and their backends: log files, segment, database. */
#define DESCRIPTORS_BESIDE 256

static int
find_group(const char *name, gid_t *gid_r, struct buf *why)
{
	const struct group *group = getgrnam(name);

	if (group == NULL) {
		buf_printf(why, "group \"%s\": no such group on this machine",
		    name);
		return EX_CONFIG;
	}
	*gid_r = group->gr_gid;
	return 0;
}

static int
find_user(const struct settings *settings, struct identity *identity,
    struct buf *why)
{
	const struct passwd *user = getpwnam(settings->user);

	if (user == NULL) {
		buf_printf(why, "user \"%s\": no such user on this machine; "
				"create it, or set user", settings->user);
		return EX_CONFIG;
	}
	identity->uid = user->pw_uid;
	identity->gid = user->pw_gid;
	identity->group_count = IDENTITY_GROUPS_MAX;
	if (getgrouplist(settings->user, user->pw_gid, identity->groups,
		&identity->group_count) == -1)
		identity->group_count = IDENTITY_GROUPS_MAX;
	return 0;
}

int
identity_find(const struct settings *settings, struct identity *identity,
    struct buf *why)
{
	int status;

	*identity = (struct identity){ .uid = geteuid(), .gid = getegid() };
	if (settings->user[0] == '\0') {
		if (geteuid() == 0)
			buf_append_text(why, "started by root and user is not "
					     "set: all of sluice runs as root");
		return 0;
	}
	if ((status = find_user(settings, identity, why)) != 0)
		return status;
	if (settings->group[0] != '\0' &&
	    (status = find_group(settings->group, &identity->gid, why)) != 0)
		return status;
	if (geteuid() != 0) {
		if (identity->uid != geteuid())
			buf_printf(why, "user \"%s\": not started by root: "
					"the roles run as uid %u",
			    settings->user, (unsigned int)geteuid());
		*identity = (struct identity){
			.uid = geteuid(), .gid = getegid()
		};
		return 0;
	}
	identity->is_switched = identity->uid != 0;
	return 0;
}

int
identity_assume(const struct identity *identity)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (!identity->is_switched)
		return 0;
	if (setgroups((size_t)identity->group_count, identity->groups) == -1 ||
	    setresgid(identity->gid, identity->gid, identity->gid) == -1 ||
	    setresuid(identity->uid, identity->uid, identity->uid) == -1)
		return -1;
	return 0;
}

void
identity_enter(const struct identity *identity)
{
	if (!identity->is_switched)
		return;
	/* root may do so; where it may not, opening as root is the danger */
	if (setegid(identity->gid) == -1 || seteuid(identity->uid) == -1)
		fatal(EX_OSERR, "seteuid %u: %m", (unsigned int)identity->uid);
}

void
identity_leave(const struct identity *identity)
{
	if (!identity->is_switched)
		return;
	if (seteuid(0) == -1 || setegid(0) == -1)
		fatal(EX_OSERR, "seteuid 0: %m");
}

/* Raises the limit as far as we may; returns what it is then. */
static uint64_t
raise_limit(uint64_t need)
{
	struct rlimit limit, wish;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 0;
	if (limit.rlim_cur >= need)
		return limit.rlim_cur;
	wish = limit;
	wish.rlim_cur = need;
	if (wish.rlim_max < need)
		wish.rlim_max = need;
	if (setrlimit(RLIMIT_NOFILE, &wish) == 0)
		return need;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

void
descriptors_raise(const struct settings *settings)
{
	uint64_t need = 2 * (uint64_t)settings->max_connections +
	    settings->http.upstream_idle_max + DESCRIPTORS_BESIDE;
	uint64_t limit = raise_limit(need);

	if (limit < need)
		log_warn("open files: a worker may need %llu, and %llu are "
			 "allowed; raise the limit, or lower max_connections",
		    (unsigned long long)need, (unsigned long long)limit);
}
