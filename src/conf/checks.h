/*
 * conf/checks.h - what a text must be to be an address, a path, a network.
 *
 * Each returns NULL, or what is wrong and what to do about it, to stand
 * behind "setting: 'value': ".
 */
/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECKS_H
#define CONF_CHECKS_H

#include "conf/rows.h"

setting_check_fn check_instance;
setting_check_fn check_absolute_path;
setting_check_fn check_optional_path;	/* may be empty */
setting_check_fn check_listen;
setting_check_fn check_network;		/* an address, or address/bits */
setting_check_fn check_access_target;	/* path, stderr, syslog, off */
setting_check_fn check_error_target;	/* path, stderr, syslog */
setting_check_fn check_log_format;	/* combined, json, or with $names */
setting_check_fn check_backend_url;
setting_check_fn check_domain;
setting_check_fn check_prefix;

#endif
