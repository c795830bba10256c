/*
 * http/field_name.c - what the name of a field is to sluice.
 */
/* SPDX-License-Identifier: ISC */
#include "http/field_name.h"

enum http_field_id
http_field_id(struct bytes name)
{
	return http_name_id(name);
}
