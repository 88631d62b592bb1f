/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Envelopes: a payload that a trusted key has signed (DSSE, with Ed25519). Nothing of the payload is looked
 * at before its signature is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/util.h"
#include "host/advisory-internal.h"
#include "host/policy-internal.h"
#include "host/state.h"
#include "journal/format.h"

#define KEYS_MAX 1024
#define VALUES_MAX 128 /* of an envelope */

#define wrong(f, ...) fwa_fail((f)->error, -EBADMSG, __VA_ARGS__)

/* --- keys ------------------------------------------------------------------------------------- */

static void note(struct fwa_advisory_keys *keys, const char *path, int r)
{
	if (!*keys->trouble)
		fwa_fail(keys->trouble, 0, "%.160s: %s", path,
			 r == -EBADMSG ? "no Ed25519 public key"
			 : r == -EPERM ? "others own it or may write to it"
				       : strerror(-r));
}

/* Whose file may be believed. */
static int check_owner(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	return fwa_is_ours(&st) ? 0 : -EPERM;
}

static int add_key(struct fwa_advisory_keys *keys, const char *path, const char *name)
{
	struct fwa_advisory_key key;
	int r = check_owner(path);

	if (r == 0)
		r = fwa_public_key_read(path, key.key);
	if (r < 0) {
		note(keys, path, r);
		return r == -ENOMEM ? r : 0;
	}
	fwa_sha256_text(fwa_span(key.key, sizeof(key.key)), key.id);
	snprintf(key.name, sizeof(key.name), "%s", name);
	fwa_make_printable(key.name);
	if (fwa_policy_grow(&keys->all, sizeof(*keys->all), keys->n, 1, &keys->cap) < 0)
		return -ENOMEM;
	keys->all[keys->n++] = key;
	return 0;
}

static bool is_pem(const char *name)
{
	size_t len = strlen(name);

	return *name != '.' && len > 4 && strcmp(name + len - 4, ".pem") == 0;
}

static int add_publishers(struct fwa_advisory_keys *keys, const char *dir)
{
	struct dirent **found = NULL;
	int r = check_owner(dir), n;

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		note(keys, dir, r);
		return 0;
	}
	n = scandir(dir, &found, NULL, alphasort);
	if (n < 0) {
		note(keys, dir, -errno);
		return 0;
	}
	r = 0;
	for (int i = 0; i < n; i++) {
		fwa_auto_free char *path = NULL;

		if (r == 0 && is_pem(found[i]->d_name)) {
			if (asprintf(&path, "%s/%s", dir, found[i]->d_name) < 0)
				r = -ENOMEM;
			else if (keys->n == KEYS_MAX)
				note(keys, path, -E2BIG);
			else
				r = add_key(keys, path, found[i]->d_name);
		}
		free(found[i]);
	}
	free(found);
	return r;
}

const char *fwa_advisory_keys_dir(void)
{
	const char *override = secure_getenv("FWADMIT_ADVISORY_KEYS_DIR");

	return override && *override ? override : FWA_ADVISORY_KEYS_DIR;
}

int fwa_advisory_keys_load(const struct fwa_advisory_place *p, struct fwa_advisory_keys *ret)
{
	fwa_auto_free char *own = NULL;
	int r = 0;

	*ret = (struct fwa_advisory_keys){ 0 };
	if (asprintf(&own, "%s/" FWA_ADVISORY_KEY ".pub", p->state) < 0)
		return -ENOMEM;
	if (access(own, F_OK) == 0)
		r = add_key(ret, own, "this host");
	if (r == 0)
		r = add_publishers(ret, p->keys ? p->keys : fwa_advisory_keys_dir());
	if (r < 0)
		fwa_advisory_keys_clear(ret);
	return r;
}

void fwa_advisory_keys_clear(struct fwa_advisory_keys *keys)
{
	free(keys->all);
	*keys = (struct fwa_advisory_keys){ 0 };
}

const struct fwa_advisory_key *fwa_advisory_find_key(const struct fwa_advisory_keys *keys,
						     const char *id)
{
	for (size_t i = 0; i < keys->n; i++)
		if (strcmp(keys->all[i].id, id) == 0)
			return &keys->all[i];
	return NULL;
}

/* --- what is signed --------------------------------------------------------------------------- */

/* DSSE's pre-authentication encoding of @payload: fresh; NULL: no memory. */
static uint8_t *to_sign(struct fwa_span payload, size_t *ret_len)
{
	char head[128];
	int n = snprintf(head, sizeof(head), "DSSEv1 %zu %s %zu ", sizeof(FWA_ADVISORY_TYPE) - 1,
			 FWA_ADVISORY_TYPE, payload.len);
	uint8_t *buf = malloc((size_t)n + payload.len);

	if (!buf)
		return NULL;
	memcpy(buf, head, (size_t)n);
	if (payload.len)
		memcpy(buf + n, payload.data, payload.len);
	*ret_len = (size_t)n + payload.len;
	return buf;
}

/* --- reading ---------------------------------------------------------------------------------- */

static const struct fwa_json_field envelope_fields[] = {
	{ "payloadType", json_type_string, .required = true, 1, 128 },
	{ "payload", json_type_string, .required = true, 4, FWA_ADVISORY_FILE_MAX },
	{ "signatures", json_type_array, .required = true, 1, FWA_ADVISORY_SIGNATURES_MAX },
};

static const struct fwa_json_field signature_fields[] = {
	{ "keyid", json_type_string, .required = true, FWA_DIGEST_TEXT - 1, FWA_DIGEST_TEXT - 1 },
	{ "sig", json_type_string, .required = true, 88, 88 },
};

/* Fresh, with a NUL behind it that is not counted. */
static int payload_of(json_object *envelope, struct fwa_advisory_file *f, char **ret,
		      size_t *ret_len)
{
	json_object *text = json_object_object_get(envelope, "payload");
	size_t len = (size_t)json_object_get_string_len(text);
	char *payload;

	if (strcmp(fwa_json_text(envelope, "payloadType"), FWA_ADVISORY_TYPE) != 0)
		return wrong(f, "no advisory, but '%.100s'",
			     fwa_json_text(envelope, "payloadType"));
	payload = malloc(len / 4 * 3 + 1);
	if (!payload)
		return fwa_fail(f->error, -ENOMEM, "out of memory");
	if (!fwa_base64_parse(json_object_get_string(text), len, (uint8_t *)payload, ret_len)) {
		free(payload);
		return wrong(f, "payload: not base64");
	}
	payload[*ret_len] = '\0';
	*ret = payload;
	return 0;
}

/* One signature: 0 when it is right, and its key in *ret, or the key is unknown; or negative errno. */
static int check_signature(json_object *o, const char *where, struct fwa_span signed_bytes,
			   const struct fwa_advisory_keys *keys, struct fwa_advisory_file *f,
			   const struct fwa_advisory_key **ret)
{
	uint8_t signature[88 / 4 * 3];
	size_t len;

	*ret = NULL;
	if (fwa_json_check(o, where, signature_fields, FWA_ARRAY_SIZE(signature_fields), f->error) <
	    0)
		return -EBADMSG;
	if (!fwa_base64_parse(fwa_json_text(o, "sig"), 88, signature, &len) ||
	    len != FWA_SIGNATURE_LEN)
		return wrong(f, "%s.sig: not a signature in base64", where);
	*ret = fwa_advisory_find_key(keys, fwa_json_text(o, "keyid"));
	if (*ret && !fwa_signed_by((*ret)->key, signed_bytes, signature))
		return fwa_fail(f->error, -EKEYREJECTED, "the signature with key %.100s is wrong",
				(*ret)->name);
	return 0;
}

/* Each signature of a key that is trusted must be right, and there must be one. */
static int check_signatures(json_object *envelope, struct fwa_span payload,
			    const struct fwa_advisory_keys *keys, struct fwa_advisory_file *f,
			    struct fwa_advisory_signers *signers)
{
	json_object *list;
	size_t n = fwa_json_items(envelope, "signatures", &list), len;
	fwa_auto_free uint8_t *message = to_sign(payload, &len);

	signers->n = 0;
	if (!message)
		return fwa_fail(f->error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n && i < FWA_ADVISORY_SIGNATURES_MAX; i++) {
		const struct fwa_advisory_key *key;
		char where[48];
		int r;

		snprintf(where, sizeof(where), "signatures[%zu]", i);
		r = check_signature(json_object_array_get_idx(list, i), where,
				    fwa_span(message, len), keys, f, &key);
		if (r < 0)
			return r;
		if (key)
			signers->key[signers->n++] = key;
	}
	if (!signers->n)
		return fwa_fail(
			f->error, -ENOKEY, "no key that is trusted here has signed it%s%.180s%s",
			*keys->trouble ? " (" : "", keys->trouble, *keys->trouble ? ")" : "");
	snprintf(f->key, sizeof(f->key), "%s", signers->key[0]->id);
	snprintf(f->signer, sizeof(f->signer), "%s", signers->key[0]->name);
	return 0;
}

/*= spec/SECURITY-MODEL.md#C33 */
int fwa_advisory_open(struct fwa_span text, const struct fwa_advisory_keys *keys,
		      struct fwa_advisory_file *f, char **ret_payload, size_t *ret_len,
		      struct fwa_advisory_signers *ret_signers)
{
	struct fwa_advisory_signers signers;
	fwa_auto_free char *payload = NULL;
	json_object *envelope;
	size_t len = 0;
	int r;

	if (text.len > FWA_ADVISORY_FILE_MAX)
		return wrong(f, "longer than %u bytes", FWA_ADVISORY_FILE_MAX);
	envelope = fwa_json_parse(text, VALUES_MAX, f->error);
	if (!envelope)
		return -EBADMSG;
	r = fwa_json_check(envelope, "", envelope_fields, FWA_ARRAY_SIZE(envelope_fields),
			   f->error);
	if (r == 0)
		r = payload_of(envelope, f, &payload, &len);
	if (r == 0)
		r = check_signatures(envelope, fwa_span(payload, len), keys, f, &signers);
	json_object_put(envelope);
	if (r < 0)
		return r;
	if (ret_signers)
		*ret_signers = signers;
	*ret_payload = fwa_steal(payload);
	*ret_len = len;
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The private key @path, NULL: the host's own. A path is never taken for the name of a key to be made. */
static int open_signer(const struct fwa_advisory_place *p, const char *path,
		       struct fwa_signer **ret, char *error)
{
	fwa_auto_close int state = -1;
	fwa_auto_free char *longer = NULL;
	int r;

	if (path) {
		if (asprintf(&longer, "%s%s", strchr(path, '/') ? "" : "./", path) < 0)
			return fwa_fail(error, -ENOMEM, "out of memory");
		r = fwa_signer_open(AT_FDCWD, longer, ret);
	} else {
		r = fwa_make_dirs(p->state);
		if (r == 0)
			state = open(p->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (r == 0 && state < 0)
			r = -errno;
		if (r == 0)
			r = fwa_signer_open(state, FWA_ADVISORY_KEY, ret);
		if (r < 0 && asprintf(&longer, "%s/" FWA_ADVISORY_KEY, p->state) < 0)
			return fwa_fail(error, -ENOMEM, "out of memory");
	}
	return r < 0 ? fwa_fail(error, r, "%.160s: %s", longer,
				r == -EBADMSG ? "no Ed25519 private key"
				: r == -EPERM ? "others may read or write it"
					      : strerror(-r))
		     : 0;
}

static char *write_envelope(struct fwa_span payload, const char *keyid,
			    const uint8_t signature[FWA_SIGNATURE_LEN])
{
	char sig[4 * ((FWA_SIGNATURE_LEN + 2) / 3) + 1];
	fwa_auto_free char *base64 = malloc(fwa_base64_len(payload.len) + 1);
	char *text = NULL;

	if (!base64)
		return NULL;
	fwa_base64_text(payload.data, payload.len, base64);
	fwa_base64_text(signature, FWA_SIGNATURE_LEN, sig);
	if (asprintf(&text,
		     "{\"payloadType\":\"" FWA_ADVISORY_TYPE "\",\"payload\":\"%s\","
		     "\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}]}\n",
		     base64, keyid, sig) < 0)
		return NULL;
	return text;
}

int fwa_advisory_seal(const struct fwa_advisory_place *p, const char *path, struct fwa_span payload,
		      char **ret_text, char error[FWA_ERROR_LEN])
{
	uint8_t key[FWA_KEY_LEN], signature[FWA_SIGNATURE_LEN];
	char keyid[FWA_DIGEST_TEXT];
	struct fwa_signer *signer;
	size_t len;
	fwa_auto_free uint8_t *message = to_sign(payload, &len);
	int r;

	if (!message)
		return fwa_fail(error, -ENOMEM, "out of memory");
	r = open_signer(p, path, &signer, error);
	if (r < 0)
		return r;
	fwa_signer_key(signer, key);
	fwa_sha256_text(fwa_span(key, sizeof(key)), keyid);
	r = fwa_sign(signer, fwa_span(message, len), signature);
	fwa_signer_free(signer);
	if (r < 0)
		return fwa_fail(error, r, "it cannot be signed: %s", strerror(-r));
	*ret_text = write_envelope(payload, keyid, signature);
	return *ret_text ? 0 : fwa_fail(error, -ENOMEM, "out of memory");
}
