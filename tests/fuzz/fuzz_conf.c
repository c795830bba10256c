/*
 * fuzz/fuzz_conf.c - configurations: whatever is read is printed and read
 * back to the same values; what is not read says why.
 */
/* SPDX-License-Identifier: ISC */
#include "fuzz/fuzz.h"

#include "conf/settings.h"

static void
read_back(const struct settings *settings)
{
	struct buf text = { 0 }, errors = { 0 }, names = { 0 };
	struct settings *again;

	settings_print(settings, true, &text);
	invariant(settings_parse(buf_bytes(&text), &again, &errors) == 0);
	invariant(settings_compare(settings, again, &names) == SETTINGS_SAME);
	buf_clear(&text);
	settings_print(settings, false, &text);
	settings_free(&again);
	buf_free(&names);
	buf_free(&errors);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text =
	    fuzz_exact_copy(bytes_slice((const char *)data, size));
	struct settings *settings;
	struct buf errors = { 0 };

	if (settings_parse(text, &settings, &errors) == 0) {
		read_back(settings);
		settings_free(&settings);
	} else {
		invariant(settings == NULL && errors.len > 0 &&
		    errors.data[errors.len - 1] == '\n');
	}
	buf_free(&errors);
	fuzz_release(text);
	return 0;
}
