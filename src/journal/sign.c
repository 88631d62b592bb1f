/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key that signs checkpoints, and signatures. A key that is made is whole on disk before it has its
 * name, and never takes the place of one that is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/fd.h"
#include "base/hex.h"
#include "base/util.h"
#include "journal/format.h"

#define PEM_MAX 16384
#define NAME_MAX_LEN 4096

struct fwa_signer {
	EVP_PKEY *pair;
	EVP_MD_CTX *ctx;
	uint8_t key[FWA_KEY_LEN];
};

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	return -1;
}

/* --- files ---------------------------------------------------------------------------------------- */

/* Reads the PEM file @fd; bytes are at most @cap. The length or negative errno. */
static ssize_t read_small(int fd, char *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)len;
		len += (size_t)n;
	}
	return -EBADMSG;
}

static bool plain_name(const char *name)
{
	return strchr(name, '/') == NULL;
}

/* Opens regular file @name. A name in the journal's directory is not followed elsewhere. */
static int open_regular(int dirfd, const char *name, struct stat *st)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	fwa_auto_close int fd = openat(dirfd, name, flags | (plain_name(name) ? O_NOFOLLOW : 0));

	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EBADMSG;
	return fwa_steal_fd(&fd);
}

/* Writes @name anew: whole or not at all. With @keep one that is there stays: -EEXIST. */
static int write_whole(int dirfd, const char *name, mode_t mode, struct fwa_span data, bool keep)
{
	char temporary[NAME_MAX_LEN];
	fwa_auto_close int fd = -1;
	int r;

	if (snprintf(temporary, sizeof(temporary), ".%s.new", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fwa_write_all(fd, data);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && (keep ? linkat(dirfd, temporary, dirfd, name, 0)
			    : renameat(dirfd, temporary, dirfd, name)) < 0)
		r = -errno;
	if (r < 0 || keep)
		unlinkat(dirfd, temporary, 0);
	if (r == 0 && fsync(dirfd) < 0)
		r = -errno;
	return r;
}

/* --- the pair --------------------------------------------------------------------------------------- */

static int signer_of(EVP_PKEY *pair, struct fwa_signer **ret)
{
	struct fwa_signer *s = calloc(1, sizeof(*s));
	size_t len = FWA_KEY_LEN;

	if (s)
		s->ctx = EVP_MD_CTX_new();
	if (!s || !s->ctx) {
		free(s);
		EVP_PKEY_free(pair);
		return -ENOMEM;
	}
	s->pair = pair;
	if (EVP_PKEY_id(pair) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pair, s->key, &len) != 1 || len != FWA_KEY_LEN) {
		fwa_signer_free(s);
		return -EBADMSG;
	}
	*ret = s;
	return 0;
}

/*
 * A key as we write it, and most others do: its 32 bytes behind what says that they are one of Ed25519 (RFC
 * 8410). NULL for any other. Libcrypto's decoders would take as long as all the rest of a short send.
 */
static EVP_PKEY *plain_pair(const char *pem, size_t len)
{
	static const uint8_t head[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	char *name = NULL, *header = NULL;
	EVP_PKEY *pair = NULL;
	uint8_t *der = NULL;
	long n = 0;

	if (bio && PEM_read_bio(bio, &name, &header, &der, &n) == 1 &&
	    strcmp(name, PEM_STRING_PKCS8INF) == 0 && !*header &&
	    n == (long)sizeof(head) + FWA_KEY_LEN && memcmp(der, head, sizeof(head)) == 0)
		pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, der + sizeof(head),
						    FWA_KEY_LEN);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	OPENSSL_free(name);
	OPENSSL_free(header);
	BIO_free(bio);
	return pair;
}

/* Any other form that libcrypto knows. */
static EVP_PKEY *read_pair(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return pair;
}

static int load(int dirfd, const char *name, struct fwa_signer **ret)
{
	char pem[PEM_MAX];
	EVP_PKEY *pair;
	struct stat st;
	fwa_auto_close int fd = open_regular(dirfd, name, &st);
	ssize_t n;

	if (fd < 0)
		return fd;
	/* Whose it is can read it. */
	if (st.st_mode & (S_IRWXO | S_IWGRP) || (st.st_uid && st.st_uid != geteuid()))
		return -EPERM;
	n = read_small(fd, pem, sizeof(pem));
	if (n < 0)
		return (int)n;
	pair = plain_pair(pem, (size_t)n);
	if (!pair)
		pair = read_pair(pem, (size_t)n);
	OPENSSL_cleanse(pem, sizeof(pem));
	return pair ? signer_of(pair, ret) : -EBADMSG;
}

/* The private half as PEM in @name, which was not there. */
static int store_pair(EVP_PKEY *pair, int dirfd, const char *name)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *pem;
	long len;
	int r = -ENOMEM;

	if (bio && PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL) == 1) {
		len = BIO_get_mem_data(bio, &pem);
		r = write_whole(dirfd, name, 0600, fwa_span(pem, (size_t)len), true);
	}
	BIO_free(bio);
	return r;
}

static int make(int dirfd, const char *name, struct fwa_signer **ret)
{
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int r;

	if (!pair)
		return -EIO;
	r = store_pair(pair, dirfd, name);
	if (r < 0) {
		EVP_PKEY_free(pair);
		return r == -EEXIST ? load(dirfd, name, ret) : r;
	}
	return signer_of(pair, ret);
}

int fwa_signer_open(int dirfd, const char *name, struct fwa_signer **ret)
{
	fwa_auto_free char *public_name = NULL;
	struct fwa_signer *s;
	int r = load(dirfd, name, &s);

	if (r == -ENOENT && plain_name(name))
		r = make(dirfd, name, &s);
	if (r < 0)
		return r;
	if (plain_name(name)) {
		r = asprintf(&public_name, "%s.pub", name) < 0
			    ? -ENOMEM
			    : fwa_signer_publish(s, dirfd, public_name);
		if (r < 0) {
			fwa_signer_free(s);
			return r;
		}
	}
	*ret = s;
	return 0;
}

/* Whether file @name says @pem already. */
static bool says(int dirfd, const char *name, struct fwa_span pem)
{
	char found[PEM_MAX];
	struct stat st;
	fwa_auto_close int fd = open_regular(dirfd, name, &st);

	return fd >= 0 && read_small(fd, found, sizeof(found)) == (ssize_t)pem.len &&
	       memcmp(found, pem.data, pem.len) == 0;
}

int fwa_signer_publish(const struct fwa_signer *s, int dirfd, const char *name)
{
	/* What PEM_write_bio_PUBKEY() would write, without libcrypto's encoders. */
	uint8_t der[12 + FWA_KEY_LEN] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
					  0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
	BIO *bio = BIO_new(BIO_s_mem());
	struct fwa_span pem;
	char *text;
	int r = -ENOMEM;

	memcpy(der + 12, s->key, FWA_KEY_LEN);
	if (bio && PEM_write_bio(bio, PEM_STRING_PUBLIC, "", der, sizeof(der)) > 0) {
		pem.len = (size_t)BIO_get_mem_data(bio, &text);
		pem.data = (const uint8_t *)text;
		r = says(dirfd, name, pem) ? 0 : write_whole(dirfd, name, 0644, pem, false);
	}
	BIO_free(bio);
	return r;
}

void fwa_signer_free(struct fwa_signer *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->ctx);
	EVP_PKEY_free(s->pair);
	free(s);
}

void fwa_signer_key(const struct fwa_signer *s, uint8_t key[FWA_KEY_LEN])
{
	memcpy(key, s->key, FWA_KEY_LEN);
}

/* --- signatures --------------------------------------------------------------------------------------- */

int fwa_sign(struct fwa_signer *s, struct fwa_span message, uint8_t signature[FWA_SIGNATURE_LEN])
{
	size_t len = FWA_SIGNATURE_LEN;

	EVP_MD_CTX_reset(s->ctx);
	if (EVP_DigestSignInit(s->ctx, NULL, NULL, NULL, s->pair) != 1 ||
	    EVP_DigestSign(s->ctx, signature, &len, message.data, message.len) != 1 ||
	    len != FWA_SIGNATURE_LEN)
		return -EIO;
	return 0;
}

bool fwa_signed_by(const uint8_t key[FWA_KEY_LEN], struct fwa_span message,
		   const uint8_t signature[FWA_SIGNATURE_LEN])
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, FWA_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good =
		public && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
		EVP_DigestVerify(ctx, signature, FWA_SIGNATURE_LEN, message.data, message.len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	return good;
}

/* --- public keys ---------------------------------------------------------------------------------------- */

static bool hex_key(const char *text, uint8_t key[FWA_KEY_LEN])
{
	if (strlen(text) != 2 * FWA_KEY_LEN)
		return false;
	for (size_t i = 0; i < FWA_KEY_LEN; i++)
		if (!fwa_hex_byte(text + 2 * i, &key[i]))
			return false;
	return true;
}

static int pem_key(const char *pem, size_t len, uint8_t key[FWA_KEY_LEN])
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *public = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
	size_t n = FWA_KEY_LEN;
	int r = -EBADMSG;

	if (public && EVP_PKEY_id(public) == EVP_PKEY_ED25519 &&
	    EVP_PKEY_get_raw_public_key(public, key, &n) == 1 && n == FWA_KEY_LEN)
		r = 0;
	EVP_PKEY_free(public);
	BIO_free(bio);
	return r;
}

int fwa_public_key_read(const char *path_or_hex, uint8_t key[FWA_KEY_LEN])
{
	fwa_auto_free uint8_t *pem = NULL;
	uint8_t found[FWA_KEY_LEN];
	size_t len;
	int r = 0;

	if (!hex_key(path_or_hex, found)) {
		r = fwa_read_file(path_or_hex, PEM_MAX, &pem, &len);
		if (r == 0)
			r = pem_key((const char *)pem, len, found);
		else if (r == -EFBIG)
			r = -EBADMSG;
	}
	if (r == 0)
		memcpy(key, found, FWA_KEY_LEN);
	return r;
}
