/*
 * http/fault.c - what is said of a message that is refused.
 */
/* SPDX-License-Identifier: ISC */
#include "http/head.h"

static const struct {
	unsigned int status;
	const char *word, *text;
} faults[HTTP_FAULT_COUNT] = {
	[HTTP_FAULT_NONE] = { 200, "none", "no fault" },
	[HTTP_FAULT_BARE_LF] = { 400, "bad_request_framing",
	    "a line ends without carriage return and line feed" },
	[HTTP_FAULT_REQUEST_LINE] = { 400, "bad_request_line",
	    "the request line is malformed" },
	[HTTP_FAULT_METHOD] = { 400, "bad_method", "the method is no token" },
	[HTTP_FAULT_CONNECT] = { 405, "connect_refused",
	    "CONNECT is not served here" },
	[HTTP_FAULT_TARGET] = { 400, "bad_target",
	    "the request target is malformed" },
	[HTTP_FAULT_TARGET_LONG] = { 414, "target_too_long",
	    "the request target is too long" },
	[HTTP_FAULT_VERSION] = { 505, "bad_version",
	    "this version of HTTP is not served" },
	[HTTP_FAULT_STATUS_LINE] = { 502, "bad_status_line",
	    "the status line is malformed" },
	[HTTP_FAULT_FIELD_NAME] = { 400, "bad_field_name",
	    "a field name is no token, or has a blank before the colon" },
	[HTTP_FAULT_FIELD_VALUE] = { 400, "bad_field_value",
	    "a field value contains a control character" },
	[HTTP_FAULT_FOLD] = { 400, "folded_field",
	    "a field line starts with a blank" },
	[HTTP_FAULT_HEAD_LONG] = { 431, "head_too_long",
	    "the fields of the request are too long" },
	[HTTP_FAULT_FIELDS_MANY] = { 431, "too_many_fields",
	    "the request has too many fields" },
	[HTTP_FAULT_HOST] = { 400, "bad_host",
	    "Host is missing, malformed, or given twice" },
	[HTTP_FAULT_LENGTH] = { 400, "bad_request_framing",
	    "Content-Length is malformed, or given twice" },
	[HTTP_FAULT_LENGTH_AND_CODING] = { 400, "bad_request_framing",
	    "Content-Length and Transfer-Encoding together" },
	[HTTP_FAULT_CODING] = { 400, "bad_request_framing",
	    "Transfer-Encoding does not end in one chunked, or is in "
	    "HTTP/1.0" },
	[HTTP_FAULT_CODING_UNKNOWN] = { 501, "unknown_transfer_coding",
	    "Transfer-Encoding names an unknown coding" },
	[HTTP_FAULT_EXPECT] = { 417, "unknown_expectation",
	    "Expect asks for more than 100-continue" },
	[HTTP_FAULT_CHUNK] = { 400, "bad_request_framing",
	    "the framing of the chunked body is malformed" },
};

unsigned int
http_fault_status(enum http_fault fault)
{
	return faults[fault].status;
}

const char *
http_fault_word(enum http_fault fault)
{
	return faults[fault].word;
}

const char *
http_fault_text(enum http_fault fault)
{
	return faults[fault].text;
}
