/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An evidence file from whoever sent it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/util.h"
#include "base/weight.h"
#include "verify/digest.h"
#include "verify/evidence-internal.h"
#include "verify/read.h"

#define DEPTH_MAX 16
#define SPEC_MAX (sizeof(((struct vfy_evidence *)0)->spec) - 1)
#define TOOL_MAX (sizeof(((struct vfy_evidence *)0)->tool) - 1)

static json_object *parse(struct fwa_span text, char error[FWA_ERROR_LEN])
{
	bool heavy = fwa_json_values(text) > FWA_JSON_VALUES_MAX;
	json_tokener *t = heavy ? NULL : json_tokener_new_ex(DEPTH_MAX);
	size_t len = text.len;
	json_object *o;

	if (heavy) {
		fwa_fail(error, 0, "more than %u values", FWA_JSON_VALUES_MAX);
		return NULL;
	}
	if (!t) {
		fwa_fail(error, 0, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	while (len && memchr(" \r\n\t", text.data[len - 1], 4))
		len--;
	o = json_tokener_parse_ex(t, (const char *)text.data, (int)len);
	if (json_tokener_get_error(t) == json_tokener_continue)
		fwa_fail(error, 0, "not JSON: it ends too early");
	else if (json_tokener_get_error(t) != json_tokener_success)
		fwa_fail(error, 0, "not JSON: at byte %zu: %s", json_tokener_get_parse_end(t),
			 json_tokener_error_desc(json_tokener_get_error(t)));
	else if (json_tokener_get_parse_end(t) != len)
		fwa_fail(error, 0, "not JSON: something follows its end");
	else if (!json_object_is_type(o, json_type_object))
		fwa_fail(error, 0, "not an object");
	else {
		json_tokener_free(t);
		return o;
	}
	json_object_put(o);
	json_tokener_free(t);
	return NULL;
}

static void check_head(struct vfy_read *r, json_object *o)
{
	if (strcmp(vfy_read_text(r, o, "kind", 64), "fwadmit-evidence"))
		vfy_read_fail(r, "kind", "not fwadmit-evidence");
	if (vfy_read_number(r, o, "format_version", UINT32_MAX) != 1)
		vfy_read_fail(r, "format_version", "not 1, the only one that is known here");
}

/* That the file is as it was written. */
static int check_digest(struct vfy_evidence *e, struct fwa_span text, char error[FWA_ERROR_LEN])
{
	const char *raw = (const char *)text.data;
	char digits[EVIDENCE_DIGEST_DIGITS + 1];
	uint8_t digest[32];
	size_t id, sha256;

	if (!vfy_evidence_digest(raw, text.len, digest, &id, &sha256))
		return fwa_fail(error, -EINVAL,
				"\"id\" and \"sha256\" do not stand in a line of their own each");
	fwa_hex_text(digest, sizeof(digest), digits);
	if (memcmp(raw + sha256, digits, EVIDENCE_DIGEST_DIGITS) ||
	    memcmp(raw + id, digits, EVIDENCE_ID_DIGITS))
		return fwa_fail(error, -EINVAL,
				"the file is not as it was written: its digest is %s", digits);
	snprintf(e->id, sizeof(e->id), EVIDENCE_ID "%.*s", (int)EVIDENCE_ID_DIGITS, digits);
	return 0;
}

static void read_identity(struct vfy_read *r, json_object *o, const char *key,
			  char ret[FWA_TEXT_MAX])
{
	const char *text = vfy_read_maybe(r, o, key, FWA_TEXT_MAX - 1);

	snprintf(ret, FWA_TEXT_MAX, "%s", text ? text : "");
	fwa_make_printable(ret);
}

static void read_device(struct vfy_read *r, json_object *o, struct vfy_evidence *e)
{
	struct vfy_read in = vfy_read_in(r, "device", SIZE_MAX);
	json_object *d = vfy_read_object(r, o, "device");
	const char *spec;

	in.bad = r->bad;
	if (!d)
		return;
	spec = vfy_read_maybe(&in, d, "spec", SPEC_MAX);
	snprintf(e->spec, sizeof(e->spec), "%s", spec ? spec : "");
	fwa_make_printable(e->spec);
	read_identity(&in, d, "vendor", e->id_of.vendor);
	read_identity(&in, d, "model", e->id_of.model);
	read_identity(&in, d, "serial", e->id_of.serial);
	read_identity(&in, d, "firmware", e->id_of.firmware);
	r->bad = in.bad;
}

static void read_tool(struct vfy_read *r, json_object *o, struct vfy_evidence *e)
{
	struct vfy_read in = vfy_read_in(r, "tool", SIZE_MAX);
	json_object *t = vfy_read_object(r, o, "tool");

	in.bad = r->bad;
	if (!t)
		return;
	snprintf(e->tool, sizeof(e->tool), "%s", vfy_read_text(&in, t, "version", TOOL_MAX));
	fwa_make_printable(e->tool);
	r->bad = in.bad;
}

/* It is a profile, and the one whose digest is there. */
static void check_profile(struct vfy_read *r, const struct vfy_evidence *e)
{
	fwa_auto_free struct fwa_profile *p = calloc(1, sizeof(*p));
	uint8_t digest[32];

	if (!p) {
		vfy_read_fail(r, NULL, "out of memory");
		return;
	}
	vfy_sha256(fwa_span(e->profile_bytes, e->profile_len), digest);
	if (memcmp(digest, e->profile_digest, sizeof(digest)))
		vfy_read_fail(r, "sha256", "not that of the profile");
	if (fwa_profile_parse(p, fwa_span(e->profile_bytes, e->profile_len)) < 0)
		vfy_read_fail(r, "base64", "not a profile");
}

static void read_profile(struct vfy_read *r, json_object *o, struct vfy_evidence *e)
{
	struct vfy_read in = vfy_read_in(r, "profile", SIZE_MAX);
	json_object *p = vfy_read_object(r, o, "profile");
	const char *text;
	size_t len;

	in.bad = r->bad;
	if (!p)
		return;
	if (vfy_read_hex(&in, p, "sha256", e->profile_digest, 32) != 32)
		vfy_read_fail(&in, "sha256", "not 64 digits");
	text = vfy_read_text(&in, p, "base64", fwa_base64_len(FWA_PROFILE_MAX));
	len = strlen(text);
	e->profile_bytes = malloc(len + 1);
	if (!e->profile_bytes)
		vfy_read_fail(&in, NULL, "out of memory");
	else if (!fwa_base64_parse(text, len, e->profile_bytes, &e->profile_len))
		vfy_read_fail(&in, "base64", "not base64");
	if (!in.bad)
		check_profile(&in, e);
	r->bad = in.bad;
}

static int read_all(struct vfy_evidence *e, json_object *o, char error[FWA_ERROR_LEN])
{
	struct vfy_read r = { .error = error };
	json_object *finding;

	check_head(&r, o);
	read_tool(&r, o, e);
	read_device(&r, o, e);
	read_profile(&r, o, e);
	finding = vfy_read_object(&r, o, "finding");
	if (r.bad)
		return -EINVAL;
	return vfy_finding_read(finding, &e->finding, error);
}

int vfy_evidence_read(struct vfy_evidence *e, struct fwa_span text, char error[FWA_ERROR_LEN])
{
	json_object *o;
	int r;

	*e = (struct vfy_evidence){ 0 };
	if (text.len > VFY_EVIDENCE_MAX)
		return fwa_fail(error, -EINVAL, "more than %u bytes", VFY_EVIDENCE_MAX);
	o = parse(text, error);
	if (!o)
		return -EINVAL;
	r = check_digest(e, text, error);
	if (r == 0)
		r = read_all(e, o, error);
	json_object_put(o);
	if (r < 0)
		vfy_evidence_clear(e);
	return r;
}

void vfy_evidence_clear(struct vfy_evidence *e)
{
	vfy_finding_clear(&e->finding);
	free(e->profile_bytes);
	*e = (struct vfy_evidence){ 0 };
}
