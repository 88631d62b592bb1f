/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening "qtest:TYPE[,qemu=PATH][,version=V]". version= asks for a release ("10.0") and fails on
 * any other, so that a test is run against what it names.
 */
#include "transport/qtest.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"

/* QEMU starts in 50 ms; a machine under heavy load takes many times that. */
#define OPEN_MS 20000

static const struct fwa_qtest_type *const types[] = { &fwa_qtest_cxl, &fwa_qtest_nvme };

struct options {
	const char *type;
	const char *qemu;
	const char *version; /* NULL: any */
	bool warp; /* its clock runs ahead to what it waits for: background work takes no time */
};

/* Takes "key=" off @word; NULL when it begins otherwise. */
static const char *option(const char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) == 0 && word[len] ? word + len : NULL;
}

/* Cuts @rest at its commas; @ret views it. */
static int parse(char *rest, struct options *ret, char error[FWA_ERROR_LEN])
{
	struct options o = { .type = strsep(&rest, ","), .qemu = FWA_QEMU_PROGRAM };
	const char *word;

	while ((word = strsep(&rest, ","))) {
		const char *value;

		if ((value = option(word, "qemu=")))
			o.qemu = value;
		else if ((value = option(word, "version=")))
			o.version = value;
		else if ((value = option(word, "clock=")) && strcmp(value, "warp") == 0)
			o.warp = true;
		else
			return fwa_fail(error, -EINVAL,
					"qtest has no option \"%.60s\": there are qemu=PATH, "
					"version=X.Y, clock=warp",
					word);
	}
	*ret = o;
	return 0;
}

static const struct fwa_qtest_type *find_type(const char *name, char error[FWA_ERROR_LEN])
{
	for (size_t i = 0; i < FWA_ARRAY_SIZE(types); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	fwa_fail(error, -EINVAL, "qtest has no device \"%.60s\": there are cxl-type3, nvme", name);
	return NULL;
}

/* "10.0" asks for 10.0, 10.0.8 ..., not for 10.01. */
static int check_version(const struct options *o, const struct fwa_qemu_version *v,
			 char error[FWA_ERROR_LEN])
{
	size_t len = o->version ? strlen(o->version) : 0;

	if (!len || (strncmp(v->text, o->version, len) == 0 &&
		     (v->text[len] == '\0' || v->text[len] == '.')))
		return 0;
	return fwa_fail(error, -ENOENT, "%.120s is QEMU %s, and version=%.20s was asked for",
			o->qemu, v->text, o->version);
}

/* QEMU's own words when it has ended, else ours. */
static void explain(const struct fwa_qtest_device *d, const struct options *o, int r,
		    char error[FWA_ERROR_LEN])
{
	char line[160];

	fwa_qemu_complaint(&d->qemu, line, sizeof(line));
	if (line[0])
		fwa_fail(error, r, "qtest:%s: %s", o->type, line);
	else
		fwa_fail(error, r, "qtest:%s: %.100s does not behave like this device: %s", o->type,
			 o->qemu, strerror(-r));
}

#define TYPE_ARGS_MAX 48

/* Its processor does nothing, so that with such a clock each timer is due at once. */
static void all_args(const struct fwa_qtest_type *type, const struct fwa_qemu_version *v,
		     const struct options *o, const char *ret[TYPE_ARGS_MAX])
{
	const char *const *args = type->args(v);
	size_t n = 0;

	while (*args && n < TYPE_ARGS_MAX - 3)
		ret[n++] = *args++;
	if (o->warp) {
		ret[n++] = "-icount";
		ret[n++] = "shift=0,sleep=off";
	}
	ret[n] = NULL;
}

static int start(struct fwa_qtest_device *d, const struct fwa_qtest_type *type,
		 const struct fwa_qemu_version *v, const struct options *o,
		 char error[FWA_ERROR_LEN])
{
	const char *args[TYPE_ARGS_MAX];
	int r;

	all_args(type, v, o, args);
	r = fwa_qemu_start(o->qemu, args, type->disk_size, &d->qemu, error);

	if (r < 0)
		return r;
	fwa_qtest_init(&d->wire, d->qemu.sock);
	r = fwa_qtest_begin(&d->wire, OPEN_MS);
	if (r == 0)
		r = type->start(d, v);
	if (r < 0)
		explain(d, o, r, error);
	return r;
}

static int open_device(const struct options *o, char error[FWA_ERROR_LEN],
		       struct fwa_device **ret_dev)
{
	const struct fwa_qtest_type *type = find_type(o->type, error);
	struct fwa_qemu_version v;
	struct fwa_qtest_device *d;
	int r;

	if (!type)
		return -EINVAL;
	r = fwa_qemu_version(o->qemu, &v, error);
	if (r == 0)
		r = check_version(o, &v, error);
	if (r < 0)
		return r;
	d = calloc(1, type->size);
	if (!d)
		return fwa_fail(error, -ENOMEM, "out of memory");
	d->dev.lanes = 1; /* one socket to QEMU */
	d->dev.is_child = true;
	snprintf(d->dev.about, sizeof(d->dev.about), "QEMU %s", v.text);
	r = start(d, type, &v, o, error);
	if (r < 0)
		fwa_qtest_close(&d->dev);
	else
		*ret_dev = &d->dev;
	return r;
}

int fwa_qtest_open(struct fwa_open_args *args, const char *rest, struct fwa_device **ret_dev)
{
	fwa_auto_free char *words = strdup(rest);
	struct options o = { 0 };
	int r;

	if (!words)
		return fwa_fail(args->error, -ENOMEM, "out of memory");
	for (const char *p = words; *p; p++) {
		if (iscntrl((unsigned char)*p))
			return fwa_fail(args->error, -EINVAL,
					"a control character in the name of a qtest device");
	}
	r = parse(words, &o, args->error);
	return r < 0 ? r : open_device(&o, args->error, ret_dev);
}

void fwa_qtest_close(struct fwa_device *dev)
{
	struct fwa_qtest_device *d = (struct fwa_qtest_device *)dev;

	fwa_qemu_stop(&d->qemu);
	free(d);
}
