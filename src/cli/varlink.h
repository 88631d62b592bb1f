/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of fwadmitd's control plane (spec/org.fwadmit.Control.varlink).
 *
 * 1. What answers at the socket is not trusted: messages are bounded in length, depth and time, and a
 *    member that is missing or of another type reads as not there.
 * 2. An error is said once, in one line, with the exit code that fits.
 */
#pragma once

#include <json-c/json_object.h>

#include "cli/cli.h"

#define CLI_MEMBER_TEXT 256

/* What went wrong, in one line. */
struct cli_failure {
	char text[1024];
};

/*
 * Calls @method ("GetInfo") of org.fwadmit.Control with @parameters, which are taken (NULL: none).
 * CLI_OK and the reply's parameters, which the caller puts; or the exit code after cli_fail().
 */
int cli_varlink_call(const struct cli *cli, const char *method, struct json_object *parameters,
		     struct json_object **ret);
/* The same, with the error in *ret_failure and not said. */
int cli_varlink_try(const struct cli *cli, const char *method, struct json_object *parameters,
		    struct json_object **ret, struct cli_failure *ret_failure);

/* Called with the parameters of one reply; false ends the stream. */
typedef bool (*cli_varlink_fn)(const struct cli *cli, struct json_object *reply, void *userdata);
/*
 * The same for a method that goes on replying ("more"): @fn is called for each reply until it
 * wants no more or fwadmitd says that it was the last: CLI_OK. Else the exit code after cli_fail().
 */
int cli_varlink_stream(const struct cli *cli, const char *method, struct json_object *parameters,
		       cli_varlink_fn fn, void *userdata);

/* --- reading replies ------------------------------------------------------------------------ */

/* Member @key of @o as one printable line, cut to fit; @otherwise when it is not there or no text. */
const char *cli_member(struct json_object *o, const char *key, const char *otherwise,
		       char text[CLI_MEMBER_TEXT]);
/* The number at @key, @otherwise when it is not there or no number. */
int64_t cli_member_number(struct json_object *o, const char *key, int64_t otherwise);
/* The array or object at @key, NULL for none. */
struct json_object *cli_member_array(struct json_object *o, const char *key);
struct json_object *cli_member_object(struct json_object *o, const char *key);
/* The texts of the array at @key as one printable line, @separator between them; "" for none. */
const char *cli_member_list(struct json_object *o, const char *key, const char *separator,
			    char *text, size_t size);
